"""Maintenance as a whole: bronze and silver become few files, and every number, line and name stays."""

from __future__ import annotations

import os
from datetime import timedelta

import duckdb
import pytest

from hand_clock import NOON, HandClock
from penstock.bronze.layout import NOT_DATA
from penstock.bronze.lines import read_lines
from penstock.pipeline import Maintained, Pipeline
from penstock.stream import Record
from penstock.verify import verify

EVENTS = 30


def fill(way: Pipeline, clock: HandClock, first: int = 0) -> None:
    """One object for each event, a minute apart, within an hour."""
    for number in range(first, first + EVENTS):
        way.stream.append([Record(b'{"event_type":"thing","event_id":"%d"}' % number)])
        way.deliver()
        clock.tick(60)
    way.drain()


def raw(way: Pipeline) -> list[str]:
    return [entry.key for entry in way.lake.bronze.objects.list("") if not entry.key.startswith(NOT_DATA)]


def test_bronze_is_merged_and_everything_stays_in_balance(way: Pipeline, clock: HandClock) -> None:
    fill(way, clock)
    assert len(raw(way)) == EVENTS
    before = verify(way)
    assert way.maintain() is None, "the hour is not over"
    clock.tick(2 * 3600)
    assert way.maintain() == Maintained(0, 0, EVENTS, 1)
    assert len(raw(way)) == 2
    after = verify(way)
    assert after.problems == before.problems == []
    assert after.ledger.sorted() == before.ledger.sorted()
    assert way.maintain() is None
    assert way.refine() is None, "nothing of it is new"


def test_a_row_still_leads_to_its_line(way: Pipeline, clock: HandClock) -> None:
    fill(way, clock)
    clock.tick(2 * 3600)
    way.maintain()
    with duckdb.connect() as db:
        sql = f"select bronze_file, bronze_line, event_id from ({way.lake.silver.views()['events']})"
        rows = db.execute(sql).fetchall()
    assert len(rows) == EVENTS
    for file, line, event_id in rows:
        assert f'"event_id":"{event_id}"' in read_lines(way.lake.bronze.get(file)).text[line - 1].as_py()


def test_what_was_not_delivered_holds_its_hour_open(way: Pipeline, clock: HandClock) -> None:
    fill(way, clock)
    way.stream.append([Record(b'{"event_type":"thing","event_id":"late"}')])
    clock.tick(5 * 3600)
    assert way.maintain() is None
    way.drain()
    assert way.maintain() == Maintained(0, 0, EVENTS + 1, 1)
    assert verify(way).problems == []


def test_a_replay_brings_back_what_a_merged_object_lost(way: Pipeline, clock: HandClock) -> None:
    fill(way, clock)
    clock.tick(2 * 3600)
    way.maintain()
    for key in raw(way):
        way.lake.bronze.objects.delete(key)
    assert verify(way).problems != []
    assert way.replay(NOON) == EVENTS
    way.drain()
    assert verify(way).problems == []
    assert way.maintain() == Maintained(0, 0, EVENTS, 1)
    assert verify(way).problems == []


def test_a_replay_of_what_is_merged_adds_nothing(way: Pipeline, clock: HandClock) -> None:
    fill(way, clock)
    clock.tick(2 * 3600)
    way.maintain()
    before = raw(way)
    way.replay(NOON)
    way.drain()
    assert raw(way) == before
    assert verify(way).problems == []


def test_in_the_worker_it_is_done_a_few_hours_at_a_time(way: Pipeline, clock: HandClock) -> None:
    for hour in range(4):
        fill(way, clock, first=hour * EVENTS)
        clock.tick(1800)
    clock.tick(3600)
    done = []
    while found := way.maintain(only_if_due=True):
        done.append(found.objects_after)
        assert way.maintain(only_if_due=True) is None, "not due yet"
        clock.tick(61)
    assert done == [2, 2]
    assert verify(way).problems == []


@pytest.mark.parametrize("where", ["bronze/inbox", "bronze/year=2026", "silver", "gold"])
def test_what_killed_processes_left_is_swept(way: Pipeline, clock: HandClock, where: str) -> None:
    fill(way, clock)
    left = way.settings.data / where / "0123.tmp"
    left.touch()
    os.utime(left, (clock().timestamp(),) * 2)
    clock.now += timedelta(hours=23)
    way.maintain()
    assert left.exists()
    clock.now += timedelta(hours=2)
    way.maintain()
    assert not left.exists()
