"""The cheap ledger says what `verify` says, and sees what is lost or too many."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from penstock.api import OpenLake
from penstock.books import Books, books
from penstock.bronze.deliver import compress
from penstock.bronze.layout import NOT_DATA, batch_key
from penstock.collect import Request
from penstock.pipeline import Pipeline
from penstock.settings import load
from penstock.verify import verify
from site_in_hand import NOW, fill

PARTS = ("received", "stored", "duplicate", "quarantined", "in_flight")


class Lake:
    """A lake whose clock is moved by hand."""

    def __init__(self, data: Path) -> None:
        self.now = NOW
        self.way = Pipeline(load(data=data), clock=lambda: self.now)
        self.lake = OpenLake(self.way)

    def send(self, *events: object) -> None:
        intake = self.way.collector.receive(Request("POST", "/v1/events", "", {}, json.dumps(events).encode()))
        self.way.stream.append(intake.records)

    def sample(self) -> None:
        self.send(*({"event_type": "a", "event_id": str(n % 8)} for n in range(10)), 5, {"event_type": ""})

    def books(self, now: datetime | None = None) -> Books:
        return books(self.lake, now or self.now)

    def objects(self) -> list[str]:
        return sorted(entry.key for entry in self.way.lake.bronze.list() if not entry.key.startswith(NOT_DATA))


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    made = Lake(tmp_path / "data")
    yield made
    made.lake.close()


def totals(found: Books) -> dict[str, int]:
    told = {"received": found.received, "in_flight": found.in_flight}
    told |= {name: found.total(name) for name in ("stored", "duplicate", "quarantined")}
    return {name: told[name] for name in PARTS if told[name]}


def test_balanced_at_every_stage(lake: Lake) -> None:
    assert totals(lake.books()) == {}
    lake.sample()
    found = lake.books()
    assert totals(found) == {"received": 12, "in_flight": 12}
    assert (found.waiting.number, found.received_rate, found.refined_rate) == (12, 12 / 5, 0)
    lake.way.deliver()
    assert totals(lake.books()) == {"received": 12, "in_flight": 12}
    lake.way.refine()
    found = lake.books()
    assert totals(found) == {"received": 12, "stored": 8, "duplicate": 2, "quarantined": 2}
    assert (found.received_rate, found.refined_rate) == (12 / 5, 12 / 5)
    lake.sample()
    lake.way.drain()
    found = lake.books()
    assert totals(found) == {"received": 24, "stored": 8, "duplicate": 12, "quarantined": 4}
    assert found.problems == []
    assert [(line.name, line.is_checked, line.balance.balanced) for line in found.lines] == [
        ("2026-11-20 18:00", True, True)
    ]


def test_it_says_what_verify_says(tmp_path: Path) -> None:
    settings = fill(tmp_path)
    with OpenLake(Pipeline(settings, clock=lambda: NOW)) as opened:
        told = verify(opened.pipeline).ledger
        for now in (NOW, NOW - timedelta(days=3), NOW + timedelta(days=90)):
            found = books(opened, now)
            assert found.problems == []
            assert {name: found.total(name) for name in PARTS} == {name: told.total(name) for name in PARTS}


def test_older_hours_become_days_and_then_all_that_was_before(lake: Lake) -> None:
    lake.sample()
    lake.way.drain()
    days = {2: "2026-11-20", 29: "2026-11-20", 40: "before"}
    for later, name in days.items():
        [line] = lake.books(NOW + timedelta(days=later)).lines
        assert (line.name, line.is_checked, line.balance.received) == (name, False, 12)
    [line] = lake.books(NOW - timedelta(days=1)).lines
    assert line.name == "in the future"


def test_an_object_that_is_gone(lake: Lake) -> None:
    lake.sample()
    lake.way.drain()
    [key] = lake.objects()
    lake.way.lake.bronze.delete(key)
    found = lake.books()
    assert found.problems == [f"{key} is in the ledger, but gone from bronze"]
    assert [line.balance.received for line in found.lines] == [0]
    assert not found.lines[0].balance.balanced


def test_records_that_are_in_no_object(lake: Lake) -> None:
    for _ in range(3):
        lake.sample()
        lake.way.deliver()
    _, middle, last = lake.objects()
    lake.way.lake.bronze.delete(middle)
    found = lake.books()
    [problem] = found.problems
    assert problem.endswith(f"12 records before {last} are missing in bronze")
    [line] = found.lines
    assert line.balance.received - line.balance.in_flight == 12


def test_an_object_that_holds_more_than_was_counted(lake: Lake) -> None:
    lake.way.deliver()
    shard_key = batch_key("test", 0, 1, NOW)
    lake.way.lake.bronze.put(shard_key, compress(b'{"event_type":"a"}\n'))
    lake.way.lake.bronze.put(f"inbox/{shard_key.replace('/', '!')}", b"")
    lake.way.drain()
    assert lake.books().problems == [], "what its name promised is read again, and not there"
    lake.way.lake.bronze.objects.put(shard_key, compress(b'{"event_type":"a"}\n' * 2))
    found = lake.books()
    assert found.problems == [f"{shard_key} has 2 events, the ledger says 1"]


def test_erased_events_are_not_missed(lake: Lake) -> None:
    lake.send({"event_type": "a", "user_id": "u"}, {"event_type": "a"})
    lake.way.erase("user_id", "u")
    found = lake.books()
    assert found.problems == []
    assert totals(found) == totals(lake.books(NOW + timedelta(days=5)))


def test_rows_that_silver_lost(lake: Lake) -> None:
    lake.sample()
    lake.way.drain()
    silver = lake.way.lake.silver.events
    silver.cut({file.path for file in silver.files()}, [])
    assert lake.books().problems == ["the ledger says 8 stored, the files of silver hold 0"]
