"""`watch` as a real process: what appears in a folder goes all the way."""

from __future__ import annotations

import json
import signal
import subprocess
import sysconfig
from pathlib import Path

import pytest

from penstock.worker_lock import only_worker

from .conftest import SHOP, Cli

PENSTOCK = str(Path(sysconfig.get_path("scripts")) / "penstock")


@pytest.fixture
def folder(cli: Cli) -> Path:
    path = cli.folder / "in"
    path.mkdir()
    return path


def test_watch_once_takes_what_is_there(cli: Cli, folder: Path) -> None:
    lines = "".join(json.dumps(line) + "\n" for line in SHOP[:3])
    (folder / "a.jsonl").write_text(lines)
    (folder / "year=2026").mkdir()
    (folder / "year=2026/b.jsonl").write_text(lines)
    assert cli.out("watch", str(folder), "--once").splitlines() == [
        "a.jsonl: loaded",
        "year=2026/b.jsonl: already loaded",
    ]
    assert cli.json("sql", "select count(*) as n from events") == [{"n": 2}]
    assert cli.json("sql", "select sum(events) as n from event_counts") == [{"n": 2}]
    assert cli.out("watch", str(folder), "--once") == ""
    assert cli.out("verify").splitlines()[-1].startswith("balanced: 3 received = 2 stored")


def test_watch_follows_until_a_signal(cli: Cli, folder: Path) -> None:
    with subprocess.Popen([PENSTOCK, "watch", str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for number in range(2):
            (folder / "coming.tmp").write_text(f'{{"event_type":"n{number}"}}\n')
            (folder / "coming.tmp").rename(folder / f"{number}.jsonl")
            assert process.stdout.readline() == f"{number}.jsonl: loaded\n"
        (folder / "damaged.gz").write_bytes(b"\x1f\x8b\x08 and no more")
        assert process.stdout.readline() == "damaged.gz: loaded\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert cli.json("sql", "select event_type from events order by all") == [{"event_type": "n0"}, {"event_type": "n1"}]
    [bad] = cli.json("sql", "select bronze_line, bronze_file from quarantine")
    assert bad["bronze_line"] == 0
    assert bad["bronze_file"].endswith("damaged.gz")


def test_watch_wants_a_folder_that_lies_apart(cli: Cli) -> None:
    missing = cli("watch", str(cli.folder / "missing"))
    assert (missing.exit_code, "there is no folder" in missing.stderr) == (2, True)
    cli.data.mkdir()
    for path in (cli.data, cli.folder):
        own = cli("watch", str(path))
        assert own.exit_code == 2
        assert "are to lie apart" in own.stderr


def test_watch_is_a_worker(cli: Cli, folder: Path) -> None:
    with only_worker(cli.data):
        assert "another worker" in cli("watch", str(folder)).stderr
