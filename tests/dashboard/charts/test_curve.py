"""The curve of retention: what it says, and where its points are."""

from __future__ import annotations

import pytest

from dashboard.charts.drawn import HOSTILE, by_class, parse, text_of
from penstock.dashboard.charts.curve import Point, curve


def test_points_and_what_the_pointer_is_told() -> None:
    drawn = parse(curve([Point("W1", 0.5, "week 1"), Point("W2", None), Point("W3", 0.25, "week 3")], label="Back"))[0]
    assert drawn.get("aria-label") == "Back: W1 50 %, W3 25 %"
    assert [dot.get("cx") for dot in by_class(drawn, "dot")] == ["0%", "100%"]
    assert [(hit.get("data-label"), hit.get("data-values")) for hit in by_class(drawn, "hit")] == [
        ("week 1", "50 %"),
        ("week 3", "25 %"),
    ]
    assert [text_of(tick) for tick in by_class(drawn, "tick") if "x" in (tick.get("class") or "").split()] == [
        "W1",
        "W3",
    ]


def test_many_points_have_fewer_labels() -> None:
    drawn = parse(curve([Point(f"D{nth}", 1 / nth) for nth in range(1, 31)]))
    labels = [tick for tick in by_class(drawn, "tick") if "x" in (tick.get("class") or "").split()]
    assert 6 <= len(labels) <= 12


@pytest.mark.parametrize("points", [[], [Point("W1", None)], [Point("W1", float("nan"))]])
def test_nothing_to_draw(points: list[Point]) -> None:
    assert parse(curve(points))[0].get("aria-label") == "No data"


def test_one_point_stands_in_the_middle() -> None:
    assert by_class(parse(curve([Point("W1", 0.5)])), "dot")[0].get("cx") == "50%"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text(text: str) -> None:
    drawn = parse(curve([Point(text, 0.5, text), Point("W2", 0.1)], label=text))
    assert not list(drawn.iter("script"))
    assert len(by_class(drawn, "dot")) == 2
