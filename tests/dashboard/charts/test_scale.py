"""Ticks are round, few, and around all values."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.dashboard.charts.formats import Unit
from penstock.dashboard.charts.scale import scale


@pytest.mark.parametrize(
    ("values", "unit", "ticks"),
    [
        ([], Unit.whole, (0, 1)),
        ([0, 0], Unit.whole, (0, 1)),
        ([None, float("nan")], Unit.whole, (0, 1)),
        ([1], Unit.whole, (0, 1)),
        ([3], Unit.whole, (0, 1, 2, 3)),
        ([7], Unit.whole, (0, 2, 4, 6, 8)),
        ([3484, 900], Unit.whole, (0, 1000, 2000, 3000, 4000)),
        ([120], Unit.whole, (0, 25, 50, 75, 100, 125)),
        ([1e12], Unit.whole, (0, 2e11, 4e11, 6e11, 8e11, 1e12)),
        ([-5, 5], Unit.whole, (-6, -4, -2, 0, 2, 4, 6)),
        ([-3, -1], Unit.whole, (-3, -2, -1, 0)),
        ([0.3], Unit.share, (0, 0.1, 0.2, 0.3)),
        ([0.041], Unit.share, (0, 0.01, 0.02, 0.03, 0.04, 0.05)),
        ([139], Unit.seconds, (0, 30, 60, 90, 120, 150)),
        ([4000], Unit.seconds, (0, 900, 1800, 2700, 3600, 4500)),
    ],
)
def test_ticks(values: list[Any], unit: str, ticks: tuple[float, ...]) -> None:
    assert scale(values, unit).ticks == ticks


def test_y_counts_from_the_top() -> None:
    axis = scale([4000])
    assert (axis.y(4000), axis.y(1000), axis.y(0), axis.y(-1), axis.y(9999)) == (0, 75, 100, 100, 0)
    assert scale([-5, 5]).zero == 50


NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(), min_size=1, max_size=5)


@given(NUMBERS, st.sampled_from(list(Unit)))
def test_any_numbers_fit_between_few_ticks(values: list[float], unit: Unit) -> None:
    axis = scale(values, unit)
    assert 2 <= len(axis.ticks) <= 8
    assert all(low < high for low, high in pairwise(axis.ticks))
    assert all(0 <= axis.y(float(max(-1e300, min(1e300, value)))) <= 100 for value in values)
    assert 0 in axis.ticks
