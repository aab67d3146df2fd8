"""Bars over time, behind a name, and in a ranking."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.drawn import HOSTILE, by_class, coordinates, parse, text_of
from penstock.dashboard.charts import Ranked, Series, bars, ranked, share_bar

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def minutes(values: list[Any]) -> Series:
    return Series("Events", [(NOON + timedelta(minutes=nth), value) for nth, value in enumerate(values)])


def box(bar: Any) -> tuple[str, ...]:
    return tuple(bar.get(name) for name in ("x", "y", "width", "height"))


def test_bars_at_exact_places() -> None:
    root = parse(bars(minutes([10, 0, 5, None])))
    assert [box(bar) for bar in by_class(root, "bar")] == [
        ("2.5%", "0%", "20%", "100%"),
        ("52.5%", "50%", "20%", "50%"),
    ]
    assert root[0].get("data-series") == '["Events"]'
    assert [hit.get("data-label") for hit in by_class(root, "hit")][3] == "Sun 1 Nov 2026, 12:03"
    assert [hit.get("data-values") for hit in by_class(root, "hit")] == ["10", "0", "5", "–"]


def test_negative_bars_hang() -> None:
    assert [box(bar) for bar in by_class(parse(bars(minutes([-1, 1]))), "bar")] == [
        ("5%", "50%", "40%", "50%"),
        ("55%", "0%", "40%", "50%"),
    ]


def test_running_bar_is_marked() -> None:
    assert [b.get("class") for b in by_class(parse(bars(minutes([1, 2]), running=True)), "bar")] == [
        "bar",
        "bar partial",
    ]


def test_bars_say_what_they_show() -> None:
    root = parse(bars(minutes([1, 7, 2])))
    assert root[0].get("aria-label") == "Events by minute: peak 1 Nov, 12:01 7, last 1 Nov, 12:02 2"
    assert "no data" in bars(minutes([None])) and "No data" in bars(minutes([]))


def test_only_the_last_bars_are_shown() -> None:
    assert len(by_class(parse(bars(minutes(list(range(1000))))), "hit")) == 300


@pytest.mark.parametrize(
    ("share", "width"),
    [(0.3, "30%"), (0, "0%"), (1, "100%"), (1 / 3, "33.33%"), (7, "100%"), (-1, "0%"), (None, "0%"), ("x", "0%")],
)
def test_share_bar(share: Any, width: str) -> None:
    root = parse(share_bar(share))
    assert root[0].get("aria-hidden") == "true"
    assert [bar.get("width") for bar in by_class(root, "bar")] == [width]


def test_ranking_has_its_widest_bar_full() -> None:
    root = parse(ranked([Ranked("a", 10, "?x=a"), Ranked(None, 5), Ranked("c", None)], label="Sources"))
    assert [bar.get("width") for bar in by_class(root, "bar")] == ["100%", "50%", "0%"]
    assert [text_of(item) for item in root.iter("li")] == ["a10", "(none)5", "c–"]
    assert [link.get("href") for link in root.iter("a")] == ["?x=a"]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda value: repr(value)[:20])
def test_hostile_names_are_text(text: str) -> None:
    made = ranked([Ranked(text, 1, text)], label=text) + bars(Series(text, [(date(2026, 1, 1), 1)]))
    assert {e.tag for e in parse(made).iter()} <= {
        "root", "ol", "li", "svg", "rect", "span", "bdi", "path", "text",
    }  # fmt: skip


@given(st.lists(st.none() | st.floats() | st.integers(), max_size=20))
def test_any_numbers_are_drawn_inside(values: list[Any]) -> None:
    drawn = coordinates(parse(bars(minutes(values)) + ranked(Ranked("x", value) for value in values)))
    assert all(0 <= value <= 100 for value in drawn)
