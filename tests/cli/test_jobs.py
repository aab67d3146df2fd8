"""`deliver`, `refine`, `rollup`: once, or until a signal."""

from __future__ import annotations

import signal
import subprocess
import sysconfig
from pathlib import Path

import pytest

from penstock.hosts.process import only_worker

from .conftest import SHOP, Cli

PENSTOCK = str(Path(sysconfig.get_path("scripts")) / "penstock")


def test_refine_tells_what_became_of_the_events(cli: Cli) -> None:
    cli.out("load", cli.file(SHOP))
    assert cli.out("refine", "--once") == (
        "batch 1: 1 files, 4 events: 2 stored, 1 duplicate, 1 quarantined (1 malformed_json)\n"
    )


def test_jobs_with_nothing_to_do_say_so(shop: Cli) -> None:
    assert shop.out("deliver", "--once") == "0 objects, 0 records\n"
    assert shop.out("refine", "--once") == "0 files, 0 events: 0 stored, 0 duplicate, 0 quarantined\n"
    assert shop.out("rollup", "--once") == "0 hours recomputed\n"


@pytest.mark.parametrize("job", ["deliver", "refine", "rollup"])
def test_a_second_worker_on_the_same_folder_is_refused(cli: Cli, job: str) -> None:
    with only_worker(cli.data):
        result = cli(job, "--once")
    assert result.exit_code == 2
    assert f"works in {cli.data}" in result.stderr
    assert "another --data" in result.stderr


def test_a_job_runs_on_until_a_signal(cli: Cli) -> None:
    cli.out("load", cli.file(SHOP))
    with subprocess.Popen([PENSTOCK, "refine"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "2 stored" in process.stdout.readline()
        cli.out("load", cli.file([{"event_type": "later"}], "later.jsonl"))
        assert "batch 2: 1 files, 1 events: 1 stored" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
