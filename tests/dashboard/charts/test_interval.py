"""A rate, its interval and the reference on one axis."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.drawn import by_class, coordinates, parse
from penstock.dashboard.charts import domain, interval


def test_places() -> None:
    root = parse(interval(0.1, 0.2, 0.3, on=(0.0, 0.4), reference=0.3))
    [range_] = by_class(root, "range")
    assert (range_.get("x1"), range_.get("x2")) == ("25%", "75%")
    assert by_class(root, "dot")[0].get("cx") == "50%"
    assert by_class(root, "reference")[0].get("x1") == "75%"
    assert root[0].get("aria-label") == "20 %, between 10 % and 30 %"


def test_without_a_rate_there_is_only_the_track() -> None:
    root = parse(interval(None, None, None, on=(0.0, 1.0)))
    assert [e.get("class") for e in root[0]] == ["track"]
    assert root[0].get("aria-label") == "No rate yet"


def test_domain_has_room_on_both_sides_but_no_negative_rates() -> None:
    assert domain([(0.5, 0.6, 0.7), (None, None, None)], 1.0) == pytest.approx((0.45, 1.05))
    assert domain([(0.01, 0.2, 0.3)])[0] == 0
    assert domain([(-0.5, 0.0, 0.5)]) == pytest.approx((-0.6, 0.6))
    assert domain([]) == (0, 1.1)


def test_domain_of_one_value_is_not_empty() -> None:
    low, high = domain([(0.2, 0.2, 0.2)])
    assert low < 0.2 < high


ANY = st.none() | st.floats() | st.integers()


@given(st.tuples(ANY, ANY, ANY), ANY)
def test_any_numbers_are_drawn_inside(triple: tuple[Any, Any, Any], reference: Any) -> None:
    made = interval(*triple, on=domain([triple], reference), reference=reference)
    assert all(0 <= value <= 100 for value in coordinates(parse(made)))
