"""What every store of rollups promises, asked of every adapter in the folder; a new adapter is found here at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hand_clock import NOON
from penstock import adapters
from penstock.gold import stores as port
from penstock.gold.catalog import ROLLUPS, Rollup
from penstock.gold.layout import plain
from penstock.gold.stores import Shown, Store

EMBEDDED = {"sqlite": "sqlite://{folder}/a%20folder/rollups.db"}
BY_NAME = {rollup.name: rollup for rollup in ROLLUPS}
COUNTS, VISITORS, SOURCES = (BY_NAME[name] for name in ("event_counts", "visitors_daily", "sources_daily"))
ONE, TWO, THREE = (NOON + timedelta(hours=n) for n in range(3))
MONDAY, TUESDAY = date(2026, 2, 2), date(2026, 2, 3)
Opener = Callable[[], Store]


@pytest.fixture(params=adapters.names(port))
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the same store again. Others than the embedded are asked where the environment says that one is running."""
    variable = f"STORE_URL_{request.param.upper()}"
    if request.param == "dynamodb":
        url = request.getfixturevalue("table")
    elif request.param not in EMBEDDED and variable not in os.environ:
        pytest.skip(f"{variable} does not say where a {request.param} is")
    else:
        url = EMBEDDED.get(request.param, os.environ.get(variable, "")).format(folder=tmp_path)
    opened: list[Store] = []

    def once_more() -> Store:
        opened.append(adapters.load(port, url).open(url))
        return opened[-1]

    yield once_more
    for store in opened:
        store.close()


@pytest.fixture
def store(reopen: Opener) -> Store:
    return reopen()


def test_the_embedded_ones_are_there() -> None:
    assert set(EMBEDDED) <= set(adapters.names(port))


def test_a_new_store_shows_nothing(store: Store) -> None:
    assert store.shown() == {}
    for rollup in ROLLUPS:
        assert store.buckets(rollup) == set()
        assert store.read(rollup) == []


def test_what_is_shown_is_remembered(store: Store, reopen: Opener) -> None:
    store.finish(["event_counts", "sessions 1"], Shown("id", 7))
    store.finish(["event_counts"], Shown("id", 8))
    assert reopen().shown() == store.shown() == {"event_counts": Shown("id", 8), "sessions 1": Shown("id", 7)}


def test_only_the_buckets_that_are_named_are_replaced(store: Store, reopen: Opener) -> None:
    store.replace(COUNTS, [ONE, TWO], [(ONE, "a", 1, 0), (ONE, "b", 2, 0), (TWO, "a", 3, 1)])
    store.replace(COUNTS, [TWO, THREE], [(THREE, "a", 5, 0)])
    assert sorted(reopen().read(COUNTS)) == [(ONE, "a", 1, 0), (ONE, "b", 2, 0), (THREE, "a", 5, 0)]
    assert store.buckets(COUNTS) == {ONE, THREE}
    store.replace(COUNTS, [ONE], [])
    assert store.read(COUNTS) == [(THREE, "a", 5, 0)]
    assert store.read(VISITORS) == []


def test_a_failed_replacement_changes_nothing(store: Store) -> None:
    store.replace(COUNTS, [ONE], [(ONE, "a", 1, 0)])
    rows: Any = [(ONE, "b", 1, 0), (TWO, "b", 2)]
    with pytest.raises(Exception, match=r".+"):
        store.replace(COUNTS, [ONE], rows)
    assert store.read(COUNTS) == [(ONE, "a", 1, 0)]


def test_a_range_is_read_in_order(store: Store) -> None:
    rows = [(at, "a", n, 0) for n, at in enumerate([ONE, TWO, THREE])]
    store.replace(COUNTS, [THREE, ONE, TWO], [rows[2], rows[0], rows[1]])
    assert store.read(COUNTS) == rows
    assert store.read(COUNTS, TWO) == rows[1:]
    assert store.read(COUNTS, until=TWO) == rows[:1]
    assert store.read(COUNTS, TWO, THREE) == rows[1:2]
    assert store.read(COUNTS, ONE + timedelta(minutes=1), THREE) == rows[1:2]


def test_hours_are_the_same_in_any_zone(store: Store) -> None:
    store.replace(COUNTS, [ONE], [(ONE.astimezone(timezone(timedelta(hours=9))), "a", 1, 0)])
    assert store.read(COUNTS, ONE.astimezone(timezone(timedelta(hours=-9)))) == [(ONE, "a", 1, 0)]


def test_days_nulls_and_money_come_back_as_they_were(store: Store) -> None:
    money = [Decimal("0.10"), Decimal("29999999999999999.97"), Decimal("-123456789012345678901234567890.00")]
    keys = [None, date(1, 1, 1), date(9999, 12, 31)]
    rows = [(MONDAY, key, 1, 1, 0, 0, 2, 3, sum_) for key, sum_ in zip(keys, money, strict=True)]
    store.replace(VISITORS, [MONDAY], rows)
    store.replace(VISITORS, [TUESDAY], [(TUESDAY, None, 1, 0, 0, 0, 0, 0, Decimal("0.00"))])
    assert set(store.read(VISITORS, MONDAY, TUESDAY)) == set(rows)
    assert store.buckets(VISITORS) == {MONDAY, TUESDAY}
    assert [str(row[-1]) for row in store.read(VISITORS, TUESDAY)] == ["0.00"]


def test_keys_that_are_missing_empty_or_odd_are_different(store: Store) -> None:
    odd = [None, "", "-", "#", "%", "a#b", "a\u0000b", "'", "ß", "ss", "A", "a", " ", "é", "e\u0301", "x" * 5000]
    rows = [(MONDAY, "direct", None, a, b, None, 1, 0, 0, 0, 0, Decimal("0.00")) for a in odd for b in odd[:6]]
    store.replace(SOURCES, [MONDAY], rows)
    assert set(store.read(SOURCES)) == set(rows)


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.name)
def test_every_rollup_can_be_kept(store: Store, rollup: Rollup) -> None:
    values = {"TIMESTAMPTZ": ONE, "DATE": MONDAY, "VARCHAR": "x", "BIGINT": 2**62}
    row = tuple(values.get(column.type, Decimal("1.50")) for column in rollup.columns)
    store.replace(rollup, [row[0]], [row])
    assert store.read(rollup) == [row]


def test_one_key_is_read_alone(store: Store) -> None:
    rows = [(at, key, 1, n) for n, at in enumerate((ONE, TWO, THREE)) for key in ("a", "a#", "x" * 5000, "x" * 5001)]
    store.replace(COUNTS, [ONE, TWO, THREE], rows)
    for key in ("a", "a#", "x" * 5000):
        assert store.read_key(COUNTS, key, ONE, TWO) == [(ONE, key, 1, 0), (TWO, key, 1, 1)]
    assert store.read_key(COUNTS, "b", ONE, THREE) == []
    store.replace(COUNTS, [ONE, TWO], [(ONE, "a", 7, 0)])
    assert store.read_key(COUNTS, "a", ONE, THREE) == [(ONE, "a", 7, 0), (THREE, "a", 1, 2)]
    assert store.read_key(COUNTS, "a#", ONE, TWO) == []


def test_a_bucket_of_any_size(store: Store) -> None:
    pages = BY_NAME["page_views_daily"]
    rows = [(MONDAY, f"/{hashlib.sha256(str(n).encode()).hexdigest()}", n, n, n) for n in range(300)]
    for some in (rows, rows[1:100], rows[50:]):
        store.replace(pages, [MONDAY], some)
        assert set(store.read(pages)) == set(some)
    store.replace(pages, [MONDAY], [])
    assert (store.read(pages), store.buckets(pages)) == ([], set())


def test_another_sees_it_at_once(store: Store, reopen: Opener) -> None:
    other = reopen()
    store.replace(COUNTS, [ONE], [(ONE, "a", 1, 0)])
    assert other.read(COUNTS) == [(ONE, "a", 1, 0)]


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1))


@given(MOMENTS, MOMENTS)
def test_hours_sort_as_time_does(one: datetime, other: datetime) -> None:
    first, second = (each.replace(tzinfo=NOON.tzinfo, minute=0, second=0, microsecond=0) for each in (one, other))
    assert (str(plain(first)) < str(plain(second))) == (first < second)
