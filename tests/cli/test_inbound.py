"""`load`, `stream replay`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from penstock.pipeline import Pipeline
from penstock.settings import load
from penstock.stream import Record

from .conftest import Cli

EVENT = {"event_type": "order", "session_id": "s1", "event_id": "one"}


def test_load_takes_each_content_once(cli: Cli) -> None:
    first, again = cli.file([EVENT], "a.jsonl"), cli.file([EVENT], "b.jsonl")
    assert cli.out("load", first, again).splitlines() == [f"{first}: loaded", f"{again}: already loaded"]
    cli.out("refine", "--once")
    assert cli.json("sql", "select count(*) as n from events") == [{"n": 1}]


def test_load_takes_gzip(cli: Cli) -> None:
    path = cli.folder / "a.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(EVENT).encode()))
    cli.out("load", str(path))
    assert "1 stored" in cli.out("refine", "--once")


def test_load_goes_on_after_a_file_that_it_cannot_take(cli: Cli) -> None:
    good = cli.file([EVENT])
    strange = cli.folder / "a.xml"
    strange.write_text("<a/>")
    result = cli("load", "missing.jsonl", str(strange), good)
    assert result.exit_code == 1
    assert result.stdout == f"{good}: loaded\n"
    assert "missing.jsonl is not a regular file" in result.stderr
    assert "a.xml is none of .jsonl" in result.stderr


def test_load_takes_folders(cli: Cli) -> None:
    drop = cli.folder / "drop"
    day = drop / "year=2026/month=02/day=01/source=shop"
    day.mkdir(parents=True)
    (day / "a.jsonl").write_text(json.dumps(EVENT))
    (day / "b.csv").write_text("n")
    (drop / "c.jsonl").write_text(json.dumps({**EVENT, "event_id": "two"}))
    assert cli.out("load", str(drop)).splitlines() == [f"{drop / 'c.jsonl'}: loaded", f"{day / 'a.jsonl'}: loaded"]
    assert cli.out("load", str(drop)).count("already loaded") == 2
    cli.out("refine", "--once")
    assert cli.json("sql", "select source, received_at::date as day from events where event_id = 'one'") == [
        {"source": "shop", "day": "2026-02-01"}
    ]


def test_the_name_of_a_loaded_folder_tells_too(cli: Cli) -> None:
    year = cli.folder / "year=2026"
    (year / "month=02/day=01").mkdir(parents=True)
    (year / "month=02/day=01/a.jsonl").write_text(json.dumps(EVENT))
    cli.out("load", str(year))
    cli.out("refine", "--once")
    assert cli.json("sql", "select received_at::date as day from events") == [{"day": "2026-02-01"}]


def delivered(cli: Cli) -> Path:
    return next((cli.data / "bronze").glob("year=*/**/*.jsonl.gz"))


def test_replay_brings_back_what_bronze_lost_and_counts_nothing_twice(cli: Cli) -> None:
    way = Pipeline(load())
    way.stream.append([Record(json.dumps({**EVENT, "event_id": str(i)}).encode()) for i in range(3)])
    way.close()
    assert cli.out("deliver", "--once") == "1 objects, 3 records\n"
    cli.out("refine", "--once")
    path = delivered(cli)
    before = path.read_bytes()
    path.unlink()
    assert cli("verify").exit_code == 1

    assert cli.out("stream", "replay", "--from", "1h") == "3 records will be delivered again\n"
    assert cli.out("deliver", "--once") == "1 objects, 3 records\n"
    assert path.read_bytes() == before
    assert "0 stored" in cli.out("refine", "--once")
    assert cli.out("verify").splitlines()[-1].startswith("balanced: 3 received = 3 stored")


def test_replay_from_a_time_to_come_is_nothing(cli: Cli) -> None:
    cli.data.mkdir()
    assert cli.out("stream", "replay", "--from", "2126-01-01") == "0 records will be delivered again\n"


def test_replay_wants_a_time(cli: Cli) -> None:
    cli.data.mkdir()
    result = cli("stream", "replay", "--from", "yesterday")
    assert result.exit_code == 1
    assert "'yesterday' is not a duration" in result.stderr
