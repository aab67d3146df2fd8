"""`deliver`, `refine`, `rollup`: once, or until a signal."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest

from penstock.cli.options import pipeline
from penstock.silver import claim
from penstock.silver.lake import Lake
from penstock.worker_lock import only_worker

from .conftest import SHOP, Cli

PENSTOCK = str(Path(sysconfig.get_path("scripts")) / "penstock")


def test_refine_tells_what_became_of_the_events(cli: Cli) -> None:
    cli.out("load", cli.file(SHOP))
    assert cli.out("refine", "--once") == (
        "batch 1: 1 files expected, 1 read, 4 rows in: 2 stored, 1 duplicate, 1 quarantined (1 malformed_json)\n"
    )


def test_engine_leaves_the_other_settings_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "penstock.toml"
    file.write_text('[refine]\nbatch_bytes = 1000\nspark = { "spark.master" = "local[1]" }\n')
    with pipeline(tmp_path / "data", file, "spark") as way:
        assert (way.engine.name, way.engine.options) == ("spark", {"spark.master": "local[1]"})
        assert way.settings.refine.batch_bytes == 1000
    with pipeline(tmp_path / "data", file) as way:
        assert way.engine.name == "duckdb"


def test_an_engine_that_is_none_is_refused(shop: Cli) -> None:
    result = shop("refine", "--once", "--engine", "nonsense")
    assert result.exit_code == 2
    assert "refine.engine" in result.stderr


def test_silver_is_handed_over(shop: Cli) -> None:
    claim.take_over(Lake(shop.data.absolute().as_uri()), "spark")
    shop.out("load", shop.file([{"event_type": "more", "session_id": "s"}]))
    refused = shop("refine", "--once")
    assert refused.exit_code != 0
    assert "--take-over" in refused.stderr
    assert "1 stored" in shop.out("refine", "--once", "--take-over")


def test_jobs_with_nothing_to_do_say_so(shop: Cli) -> None:
    assert shop.out("deliver", "--once") == "0 objects, 0 records\n"
    nothing = "0 files expected, 0 read, 0 rows in: 0 stored, 0 duplicate, 0 quarantined\n"
    assert shop.out("refine", "--once") == nothing
    assert shop.out("rollup", "--once") == "0 hours and 0 days recomputed\n"


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
        assert "batch 2: 1 files expected, 1 read, 1 rows in: 1 stored" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_refine_counts_files_that_could_not_be_read(cli: Cli) -> None:
    cli.out("load", cli.file(SHOP))
    (cli.folder / "cut.jsonl.gz").write_bytes(gzip.compress(b'{"event_type":"a"}\n')[:-4])
    cli.out("load", str(cli.folder / "cut.jsonl.gz"))
    assert cli.out("refine", "--once").startswith(
        "batch 1: 2 files expected, 1 read, 5 rows in: 2 stored, 1 duplicate, 2 quarantined"
    )
    assert cli.out("refine", "--once").startswith("0 files expected, 0 read, 0 rows in: 0 stored")


def old(path: Path) -> None:
    """As if it had been written an hour ago, so that nobody is still writing it."""
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))


def test_drops_tell_what_became_of_each_file(cli: Cli) -> None:
    drop = cli.folder / "drop"
    day = drop / "segment-logs" / "web" / "1769904000000"
    day.mkdir(parents=True)
    (cli.folder / "penstock.toml").write_text(f'[[drops]]\nurl = "{drop.as_uri()}"\n')
    for name in ("a.gz", "b.gz"):
        (day / name).write_bytes(gzip.compress(b'{"type":"track","event":"A","messageId":"1"}\n', mtime=0))
        old(day / name)
    (day / "c.jsonl").write_text("{}")
    (drop / "notes.txt").write_text("no event")
    assert cli.out("drops", "--once").splitlines() == [
        "notes.txt: none of .jsonl .ndjson .json, plain or .gz or .zst",
        "segment-logs/web/1769904000000/a.gz: loaded",
        "segment-logs/web/1769904000000/b.gz: already loaded",
        "1 new, 1 known, 1 refused, 1 still being written",
    ]
    assert cli.out("drops", "--once") == "0 new, 0 known, 0 refused, 1 still being written\n"
    cli.out("refine", "--once")
    assert cli.json("sql", "select source, dialect from events") == [{"source": "web", "dialect": "segment"}]
    assert cli.out("verify").splitlines()[-1].startswith("balanced: 1 received = 1 stored")


def test_a_drop_that_is_not_there_is_an_error_and_stops_nothing(cli: Cli) -> None:
    (cli.folder / "penstock.toml").write_text(f'[[drops]]\nurl = "{(cli.folder / "gone").as_uri()}"\n')
    cli.out("load", cli.file(SHOP))
    result = cli("drops", "--once")
    assert result.exit_code == 1
    assert "there is no folder" in result.stderr
    assert "2 stored" in cli.out("refine", "--once")


def test_refine_takes_what_others_wrote_into_bronze(cli: Cli) -> None:
    path = cli.data / "bronze/year=2026/month=02/day=01/hour=12/source=shop/part-0.json.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(b'{"event_type":"a"}{"event_type":"b"}'))
    old(path)
    assert "1 files expected, 1 read, 2 rows in: 2 stored" in cli.out("refine", "--once")
    assert "0 files expected" in cli.out("refine", "--once")
    assert cli.json("sql", "select distinct source, received_at from events") == [
        {"source": "shop", "received_at": "2026-02-01T12:00:00.000Z"}
    ]
    assert cli.out("verify").splitlines()[-1].startswith("balanced: 2 received = 2 stored")
