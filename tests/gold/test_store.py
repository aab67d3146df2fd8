"""Where rollups are kept: buckets are replaced whole, in one step."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hand_clock import NOON
from penstock.gold.catalog import ROLLUPS
from penstock.gold.stores.sqlite import Shown, Store, bucket_moment, bucket_text

[COUNTS] = [rollup for rollup in ROLLUPS if rollup.name == "event_counts"]
ONE, TWO, THREE = (NOON + timedelta(hours=n) for n in range(3))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "rollups.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(path)
    yield opened
    opened.close()


def rows(store: Store) -> list[tuple[object, ...]]:
    return store.query("select bucket, event_type, events, bot_events from event_counts")


def test_a_new_store_shows_nothing(store: Store) -> None:
    assert store.shown() is None
    assert store.version() is None
    assert store.buckets() == set()
    assert rows(store) == []


def test_what_it_shows_is_remembered(store: Store, path: Path) -> None:
    store.finish(Shown("id", 7))
    store.finish(Shown("id", 8))
    store.close()
    again = Store(path)
    assert again.shown() == Shown("id", 8)
    assert again.version() == 8
    again.close()


def test_only_the_buckets_that_are_named_are_replaced(store: Store) -> None:
    store.replace(COUNTS, [ONE, TWO], [(ONE, "a", 1, 0), (ONE, "b", 2, 0), (TWO, "a", 3, 1)])
    store.replace(COUNTS, [TWO, THREE], [(THREE, "a", 5, 0)])
    assert [row[:3] for row in rows(store)] == [
        ("2026-02-01T12:00Z", "a", 1),
        ("2026-02-01T12:00Z", "b", 2),
        ("2026-02-01T14:00Z", "a", 5),
    ]
    assert store.buckets() == {ONE, THREE}


def test_a_failed_replacement_changes_nothing(store: Store) -> None:
    store.replace(COUNTS, [ONE], [(ONE, "a", 1, 0)])
    with pytest.raises(sqlite3.IntegrityError):
        store.replace(COUNTS, [ONE], [(ONE, "b", 1, 0), (ONE, "b", 2, 0)])
    assert rows(store) == [("2026-02-01T12:00Z", "a", 1, 0)]
    store.replace(COUNTS, [ONE], [])
    assert rows(store) == []


def test_another_sees_it_at_once(store: Store, path: Path) -> None:
    other = Store(path)
    store.replace(COUNTS, [ONE], [(ONE, "a", 1, 0)])
    assert rows(other) == rows(store)
    other.close()


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_a_bucket_is_read_back(local: datetime, offset: int) -> None:
    at = local.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert bucket_moment(bucket_text(at)) == at.astimezone(UTC).replace(second=0, microsecond=0)


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1))
)
def test_buckets_sort_as_time_does(one: datetime, other: datetime) -> None:
    first, second = (bucket_text(at.replace(tzinfo=UTC)) for at in (one, other))
    assert (first < second) == (bucket_moment(first) < bucket_moment(second))
