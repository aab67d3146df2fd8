"""Rows as key-value items: back as they were, never two at one place, and in a size that DynamoDB takes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.gold.catalog import ROLLUPS, Rollup
from penstock.gold.layout import Item, item, row

BY_NAME = {rollup.name: rollup for rollup in ROLLUPS}
ANY = st.sampled_from(ROLLUPS)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "TIMESTAMPTZ": st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(
        lambda at: at.replace(tzinfo=UTC, minute=0, second=0, microsecond=0)
    ),
    "DATE": st.dates(),
    "BIGINT": st.integers(0, 2**63 - 1),
    "DECIMAL(38,2)": st.decimals(-(10**30), 10**30, places=2),
    "VARCHAR": st.text(st.sampled_from("#%-~=aß\u0000"), max_size=4) | st.text(max_size=3000),
}


@st.composite
def rows(draw: st.DrawFn, rollup: Rollup) -> tuple[Any, ...]:
    bucket = draw(VALUES[rollup.bucket.type])
    keys = [draw(st.none() | VALUES[key.type]) for key in rollup.keys]
    return (bucket, *keys, *(draw(VALUES[value.type]) for value in rollup.values))


@pytest.mark.parametrize(
    ("name", "given", "pk", "sk"),
    [
        ("revenue_hourly", (datetime(2026, 2, 1, 12, tzinfo=UTC), 3, Decimal("4.50")),
         "revenue_hourly", "2026-02-01T12:00Z"),
        ("event_counts", (datetime(2026, 2, 1, 12, tzinfo=UTC), "view", 3, 0),
         "event_counts#=view", "2026-02-01T12:00Z"),
        ("categories_daily", (date(2026, 2, 1), "toys", "view", 3, Decimal("0.00")),
         "categories_daily#=toys", "2026-02-01#=view"),
        ("visitors_daily", (date(2026, 2, 1), None, 3, 3, 0, 0, 1, 2, Decimal("0.00")),
         "visitors_daily#-", "2026-02-01"),
    ],
)  # fmt: skip
def test_where_a_row_is(name: str, given: tuple[Any, ...], pk: str, sk: str) -> None:
    made = item(BY_NAME[name], given)
    assert made[:2] == (pk, sk)
    assert list(made.attributes) == [column.name for column in BY_NAME[name].columns]


@given(ANY.flatmap(lambda rollup: st.tuples(st.just(rollup), rows(rollup))))
def test_a_row_comes_back(of: tuple[Rollup, tuple[Any, ...]]) -> None:
    rollup, given = of
    made = item(rollup, given)
    assert row(rollup, made) == given
    assert all(value is None or isinstance(value, str | int | Decimal) for value in made.attributes.values())


@given(ANY.flatmap(lambda rollup: st.tuples(st.just(rollup), rows(rollup), rows(rollup))))
def test_two_rows_are_never_at_one_place(of: tuple[Rollup, tuple[Any, ...], tuple[Any, ...]]) -> None:
    rollup, one, other = of
    keys = 1 + len(rollup.keys)
    assert (item(rollup, one)[:2] == item(rollup, other)[:2]) == (one[:keys] == other[:keys])


@given(ANY.flatmap(lambda rollup: st.tuples(st.just(rollup), rows(rollup))))
def test_keys_are_short_enough(of: tuple[Rollup, tuple[Any, ...]]) -> None:
    made = item(*of)
    assert len(made.pk.encode()) <= 2048
    assert len(made.sk.encode()) <= 1024


def test_what_a_store_leaves_out_is_null() -> None:
    """DynamoDB's way of null may be no attribute at all."""
    rollup = BY_NAME["visitors_daily"]
    given = (date(2026, 2, 1), None, 3, 3, 0, 0, 1, 2, Decimal("0.00"))
    made = item(rollup, given)
    kept = Item(made.pk, made.sk, {name: value for name, value in made.attributes.items() if value is not None})
    assert row(rollup, kept) == given
