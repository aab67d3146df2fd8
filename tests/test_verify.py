"""`verify` believes nothing: a balanced lake passes, and each way of tampering is found and named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.bronze.layout import INBOX
from penstock.collect import Request
from penstock.pipeline import Pipeline
from penstock.settings import load
from penstock.verify import Verified, verify


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Pipeline]:
    opened = Pipeline(load(data=tmp_path / "data"))
    yield opened
    opened.close()


def send(way: Pipeline, *events: object) -> None:
    intake = way.collector.receive(Request("POST", "/v1/events", "", {}, json.dumps(events).encode()))
    way.stream.append(intake.records)


def sample(way: Pipeline) -> None:
    send(way, *({"event_type": "a", "event_id": str(n % 8)} for n in range(10)), 5, {"event_type": ""})


def totals(found: Verified) -> dict[str, int]:
    names = ("received", "stored", "duplicate", "quarantined", "in_flight")
    return {name: found.ledger.total(name) for name in names if found.ledger.total(name)}


def test_balanced_at_every_stage(way: Pipeline) -> None:
    assert totals(verify(way)) == {}
    sample(way)
    assert totals(verify(way)) == {"received": 12, "in_flight": 12}
    way.deliver()
    assert totals(verify(way)) == {"received": 12, "in_flight": 12}
    way.refine()
    sample(way)
    found = verify(way)
    assert totals(found) == {"received": 24, "stored": 8, "duplicate": 2, "quarantined": 2, "in_flight": 12}
    way.drain()
    found = verify(way)
    assert totals(found) == {"received": 24, "stored": 8, "duplicate": 12, "quarantined": 4}
    assert found.problems == []


def test_progress_is_told(way: Pipeline) -> None:
    sample(way)
    way.drain()
    told: list[tuple[int, int]] = []
    verify(way, lambda done, total: told.append((done, total)))
    assert told == [(1, 1)]


def lose_an_object(way: Pipeline) -> None:
    (key,) = [e.key for e in way.lake.bronze.list() if not e.key.startswith(INBOX)]
    way.lake.bronze.delete(key)


def cut_an_object(way: Pipeline) -> None:
    (key,) = [e.key for e in way.lake.bronze.list() if not e.key.startswith(INBOX)]
    way.lake.bronze.put(key, way.lake.bronze.get(key)[:-4])


def put_an_object_twice(way: Pipeline) -> None:
    (key,) = [e.key for e in way.lake.bronze.list() if not e.key.startswith(INBOX)]
    way.lake.bronze.put(re.sub(r"year=\d+", "year=2001", key), way.lake.bronze.get(key))


def remove_quarantine(way: Pipeline) -> None:
    table = way.lake.silver.quarantine.open()
    table.delete("reason = 'not_an_object'")


def remove_rows(way: Pipeline) -> None:
    way.lake.silver.events.open().delete("event_id = '1'")


TAMPERING: list[tuple[Callable[[Pipeline], None], str]] = [
    (lose_an_object, "gone from bronze"),
    (cut_an_object, "the ledger says"),
    (put_an_object_twice, "there twice"),
    (remove_quarantine, "quarantined"),
    (remove_rows, "stored"),
]


@pytest.mark.parametrize(("tamper", "told"), TAMPERING, ids=[case[0].__name__ for case in TAMPERING])
def test_tampering_is_found(way: Pipeline, tamper: Callable[[Pipeline], None], told: str) -> None:
    sample(way)
    way.drain()
    tamper(way)
    problems = verify(way).problems
    assert any(told in problem for problem in problems), problems


def test_a_missing_object_in_the_middle_is_a_gap(way: Pipeline) -> None:
    for _ in range(3):
        sample(way)
        way.deliver()
    keys = sorted(e.key for e in way.lake.bronze.list() if not e.key.startswith(INBOX))
    way.lake.bronze.delete(keys[1])
    assert any("records 12 to 23 are missing" in problem for problem in verify(way).problems)
