"""Drops, all the way: every layout, damaged files and lines among them, beside what is posted; the numbers balance."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.collect import Request
from penstock.pipeline import Pipeline
from penstock.settings import load
from penstock.verify import verify


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Pipeline]:
    (tmp_path / "hive").mkdir()
    (tmp_path / "segment").mkdir()
    drops = [
        {"url": (tmp_path / "hive").as_uri(), "source": "shop"},
        {"url": (tmp_path / "segment").as_uri()},
        {"url": (tmp_path / "missing").as_uri()},
    ]
    opened = Pipeline(load(data=tmp_path / "data", drops=drops))
    yield opened
    opened.close()


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))


def lines(*events: object) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def test_files_of_every_layout_balance(way: Pipeline, tmp_path: Path) -> None:
    posted = json.dumps([{"event_type": "posted", "event_id": "p1"}, 5]).encode()
    intake = way.collector.receive(Request("POST", "/v1/events", "", {}, posted))
    way.stream.append(intake.records)
    hour = tmp_path / "hive/year=2026/month=02/day=01/hour=10"
    put(hour / "minute=05/a.jsonl.gz", gzip.compress(lines({"event_type": "a", "event_id": "1"}, {"event_type": "b"})))
    put(hour / "b.json", b'[{"event_type":"a","event_id":"1"},{"event_type":"c"}]')
    put(hour / "plain.gz", lines({"event_type": "d"}, {"event_type": ""}) + b"no event\n\xff\xfe\n")
    put(hour / "cut.gz", gzip.compress(lines({"event_type": "e"}))[:-4])
    put(hour / "twice.gz", gzip.compress(gzip.compress(lines({"event_type": "f"}))))
    day = tmp_path / "segment/segment-logs/web/1769904000000"
    put(day / "1.gz", gzip.compress(lines({"type": "track", "event": "Bought", "messageId": "1"})))
    put(day / "2.gz", gzip.compress(lines({"type": "track", "event": "Bought", "messageId": "1"}, {"type": "page"})))
    stray = "year=2026/month=02/day=01/hour=11/source=batch/part-0.json"
    put(tmp_path / "data/bronze" / stray, b'{"event_type":"g"}{"event_type":"h"}')
    before = verify(way)
    assert before.problems == []

    way.drain()
    found = verify(way)
    assert found.problems == []
    rows = {(row.source, row.received, row.stored, row.duplicate, row.quarantined) for row in found.ledger.sorted()}
    assert rows == {
        ("default", 2, 1, 0, 1),
        ("shop", 10, 4, 1, 5),
        ("web", 3, 2, 1, 0),
        ("batch", 2, 2, 0, 0),
    }
    assert found.ledger.total("in_flight") == 0
    problems = way.drops().problems
    assert [problem for problem in problems if "missing" in problem] == problems != []

    way.drain()
    again = verify(way)
    assert again.problems == []
    assert again.ledger.total("received") == 17


def test_a_round_of_the_worker_goes_on_without_a_broken_drop(way: Pipeline, tmp_path: Path) -> None:
    put(tmp_path / "hive/a.jsonl", lines({"event_type": "a"}))
    for job in way.jobs.values():
        job()
    assert way.lake.silver.events.batch() == 1
    assert not way.jobs["drops"](), "the next look is not due"
