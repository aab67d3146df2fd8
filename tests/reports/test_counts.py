"""How often did it happen: one row per hour or day, and none is missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from penstock.gold.catalog import ROLLUPS, Grain
from penstock.gold.stores.sqlite import SQLite
from penstock.reports.counts import Counts, Row, counts, known

[COUNTS] = [rollup for rollup in ROLLUPS if rollup.name == "event_counts"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


ROWS = [
    (at("2026-02-27T23:00"), "view", 1, 0),
    (at("2026-02-28T00:00"), "view", 2, 10),
    (at("2026-02-28T05:00"), "view", 4, 0),
    (at("2026-02-28T05:00"), "buy", 100, 0),
    (at("2026-03-01T00:00"), "view", 8, 20),
    (at("2026-03-01T12:00"), "view", 16, 0),
    (at("2026-03-01T13:00"), "view", 32, 40),
    (at("2026-03-01T14:00"), "crawled", 0, 7),
]


@pytest.fixture
def gold(tmp_path: Path) -> Iterator[SQLite]:
    store = SQLite(tmp_path / "rollups.db")
    store.replace(COUNTS, [row[0] for row in ROWS], ROWS)
    yield store
    store.close()


def ask(
    gold: SQLite, since: str, until: str, by: Grain = Grain.hour, kind: str = "view", *, bots: bool = False
) -> Counts:
    return counts(gold, kind, since=at(since), until=at(until), by=by, bots=bots)


def test_every_hour_has_a_row(gold: SQLite) -> None:
    found = ask(gold, "2026-02-28T00:00", "2026-02-28T07:00")
    assert found.rows == [Row(at(f"2026-02-28T0{hour}:00"), {0: 2, 5: 4}.get(hour, 0)) for hour in range(8)]
    assert found.total == 6


def test_every_day_has_a_row(gold: SQLite) -> None:
    found = ask(gold, "2026-02-26T00:00", "2026-03-03T00:00", Grain.day)
    assert [(row.bucket.day, row.events) for row in found.rows] == [(26, 0), (27, 1), (28, 6), (1, 56), (2, 0), (3, 0)]
    assert found.rows[0].bucket == at("2026-02-26T00:00")


@pytest.mark.parametrize(
    ("since", "until", "by", "total", "length"),
    [
        ("2026-03-01T12:00", "2026-03-01T12:00", Grain.hour, 16, 1),
        ("2026-03-01T12:59:59.999", "2026-03-01T13:00", Grain.hour, 48, 2),
        ("2026-03-01T12:30", "2026-03-01T13:30", Grain.hour, 48, 2),
        ("2026-02-28T23:59", "2026-03-01T12:59", Grain.day, 6 + 24, 2),
        ("2026-02-28T00:00", "2026-03-01T13:00", Grain.hour, 62, 38),
        ("2027-01-01T00:00", "2027-01-01T23:00", Grain.hour, 0, 24),
        ("2028-02-28T00:00", "2028-03-01T00:00", Grain.day, 0, 3),
        ("2026-03-02T00:00", "2026-03-01T00:00", Grain.hour, 0, 0),
        ("2026-03-02T00:00", "2026-03-01T00:00", Grain.day, 0, 0),
    ],
)
def test_whole_hours_from_first_to_last(
    gold: SQLite, since: str, until: str, by: Grain, total: int, length: int
) -> None:
    found = ask(gold, since, until, by)
    assert found.total == total
    assert len(found.rows) == length
    buckets = [row.bucket for row in found.rows]
    assert buckets == sorted(set(buckets))


def test_crawlers_are_left_out_and_counted(gold: SQLite) -> None:
    found = ask(gold, "2026-02-28T00:00", "2026-03-01T23:00", Grain.day)
    assert ([row.events for row in found.rows], found.bots_left_out) == ([6, 56], 70)


def test_crawlers_are_counted_when_asked_for(gold: SQLite) -> None:
    found = ask(gold, "2026-02-28T00:00", "2026-03-01T23:00", Grain.day, bots=True)
    assert ([row.events for row in found.rows], found.bots_left_out) == ([16, 116], 0)


def test_an_event_of_crawlers_only(gold: SQLite) -> None:
    found = ask(gold, "2026-03-01T14:00", "2026-03-01T14:00", kind="crawled")
    assert (found.total, found.bots_left_out) == (0, 7)


@pytest.mark.parametrize("kind", ["nothing", "", "view'; drop table event_counts; --", "VIEW", "vie%"])
def test_an_event_that_never_happened(gold: SQLite, kind: str) -> None:
    assert ask(gold, "2026-02-28T00:00", "2026-03-01T23:00", kind=kind).total == 0
    assert known(gold) == ["buy", "crawled", "view"]


def test_other_zones_are_brought_to_utc(gold: SQLite) -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    since = at("2026-03-01T12:00").astimezone(zone)
    found = counts(gold, "view", since=since, until=since + timedelta(hours=1))
    assert found == ask(gold, "2026-03-01T12:00", "2026-03-01T13:00")
    assert all(row.bucket.utcoffset() == timedelta(0) for row in found.rows)


def test_nothing_is_known_of_an_empty_store(tmp_path: Path) -> None:
    store = SQLite(tmp_path / "empty.db")
    assert known(store) == []
    assert [row.events for row in ask(store, "2026-03-01T00:00", "2026-03-01T01:00").rows] == [0, 0]
    store.close()
