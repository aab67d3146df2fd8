"""The line in a tile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.drawn import HOSTILE, by_class, coordinates, line, parse
from penstock.dashboard.charts import spark


def test_line_between_least_and_most() -> None:
    root = parse(spark([0, 50, 100]))
    assert line(root) == "M0 96L50 50 100 4"
    assert line(root, "area") == "M0 96L50 50 100 4V100H0Z"


def test_noise_stays_small() -> None:
    assert line(parse(spark([99, 100]))) == "M0 51.84L100 48.16"


def test_equal_values_are_a_level_line() -> None:
    assert line(parse(spark([80, 80]))) == "M0 50L100 50"


def test_gaps_and_the_running_bucket() -> None:
    root = parse(spark([0, None, 0, 100, 100], running=True))
    assert (line(root), line(root, "line partial")) == ("M0 96h0M50 96L75 4", "M75 4L100 4")


def test_one_value_is_a_dot() -> None:
    assert [dot.get("cx") for dot in by_class(parse(spark([5])), "dot")] == ["50%"]


@pytest.mark.parametrize("values", [[], [None], [float("nan")]])
def test_nothing_is_an_empty_picture(values: list[Any]) -> None:
    assert not by_class(parse(spark(values)), "line")


def test_it_is_decoration_unless_it_has_a_text() -> None:
    assert parse(spark([1]))[0].get("aria-hidden") == "true"
    assert parse(spark([1], label="Up"))[0].attrib.items() >= {"role": "img", "aria-label": "Up"}.items()


def test_many_values_are_thinned() -> None:
    assert len(spark(list(range(10_000)))) < 5000


@pytest.mark.parametrize("text", HOSTILE, ids=lambda value: repr(value)[:20])
def test_hostile_labels_are_text(text: str) -> None:
    assert {e.tag for e in parse(spark([1, 2], label=text)).iter()} == {"root", "svg", "path"}


@given(st.lists(st.none() | st.floats() | st.integers(), max_size=20), st.booleans())
def test_any_numbers_are_drawn_inside(values: list[Any], running: bool) -> None:
    assert all(0 <= value <= 100 for value in coordinates(parse(spark(values, running=running))))
