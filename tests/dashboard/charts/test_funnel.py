"""The funnel: shares of the first and of the step before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.drawn import HOSTILE, by_class, coordinates, parse, text_of
from penstock.dashboard.charts import Step, funnel

STEPS = [Step("page_view", 24189), Step("scroll", 18322, 9000, 34, "?lost=2"), Step("cta", 0, None, 80, "?lost=3")]


def test_counts_and_both_shares() -> None:
    root = parse(funnel(STEPS))
    lines = list(root.iter("li"))[1:]
    assert [text_of(by_class(line, "num")[0]) for line in lines] == ["24,189", "18,322", "0"]
    assert [[text_of(part) for part in by_class(line, "share-of")] for line in lines] == [
        ["", "100 % of first"],
        ["75.7 % of previous", "75.7 % of first"],
        ["0.0 % of previous", "0.0 % of first"],
    ]


def test_bars_are_as_wide_as_their_part_of_the_widest() -> None:
    root = parse(funnel([Step("a", 100), Step("b", 50, 200)]))
    assert [bar.get("width") for bar in by_class(root, "bar")] == ["50%", "25%"]
    assert [bar.get("width") for bar in by_class(root, "before")] == ["100%"]


def test_those_who_stopped_are_a_link() -> None:
    root = parse(funnel(STEPS))
    assert [(a.get("href"), text_of(a)) for a in root.iter("a")] == [
        ("?lost=2", "5,867 stopped here"),
        ("?lost=3", "18,322 stopped here"),
    ]
    assert [text_of(line) for line in by_class(root, "below")] == [
        "5,867 stopped here34 s median",
        "18,322 stopped here1 m 20 s median",
    ]


def test_many_steps_are_set_tighter() -> None:
    assert parse(funnel([Step(str(nth), nth) for nth in range(7)]))[0].get("class") == "funnel many"


@pytest.mark.parametrize("steps", [[], [Step("a", 0)], [Step("a", 0), Step("b", 0)], [Step("a", None), Step("b", 3)]])
def test_nobody_is_no_error(steps: list[Step]) -> None:
    assert len(list(parse(funnel(steps)).iter("bdi"))) == len(steps)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda value: repr(value)[:20])
def test_hostile_names_are_text(text: str) -> None:
    root = parse(funnel([Step(text, 2), Step(text, 1, lost=text)], label=text))
    assert {e.tag for e in root.iter()} == {"root", "ol", "li", "span", "bdi", "b", "svg", "rect"}


ANY = st.none() | st.floats() | st.integers()


@given(st.lists(st.tuples(ANY, ANY, ANY), max_size=12))
def test_any_numbers_are_drawn_inside(numbers: list[tuple[Any, Any, Any]]) -> None:
    steps = [Step("x", *each) for each in numbers]
    assert all(0 <= value <= 100 for value in coordinates(parse(funnel(steps))))
