"""The main chart: where its lines are, what it says, and what the pointer is told."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.drawn import HOSTILE, by_class, coordinates, line, parse, text_of
from penstock.dashboard.charts import Anomaly, Delta, Note, Plot, Series, Unit, area, legend, rows, summary

FIRST = date(2026, 10, 31)


def series(values: list[Any], label: str = "Views", first: date = FIRST, unit: str = Unit.whole) -> Series:
    return Series(label, [(first + timedelta(days=nth), value) for nth, value in enumerate(values)], unit)


def plot(values: list[Any], **more: Any) -> Plot:
    return Plot([series(values)], **more)


def test_line_and_area_at_exact_places() -> None:
    root = parse(area(plot([0, 50, 100])))
    assert line(root) == "M0 100L50 50 100 0"
    assert line(root, "area") == "M0 100L50 50 100 0V100H0Z"


def test_second_series_is_on_the_same_axis() -> None:
    root = parse(area(Plot([series([100, 100]), series([50, 25], "Visitors")])))
    assert (line(root), line(root, "line2")) == ("M0 0L100 0", "M0 50L100 75")


def test_before_is_drawn_place_by_place_and_counts_for_the_axis() -> None:
    root = parse(area(plot([50, 50], before=series([100, 0, 7], "Before", date(2026, 9, 1)))))
    assert (line(root), line(root, "before")) == ("M0 50L100 50", "M0 0L100 100")


def test_gaps_break_the_line_and_points_between_two_are_dots() -> None:
    root = parse(area(plot([100, None, 100, None, float("nan"), 50, 100])))
    assert line(root) == "M0 0h0M33.33 0h0M83.33 50L100 0"
    assert [dot.get("cx") for dot in by_class(root, "dot") if dot.get("cx") != "0"] == ["0%", "33.33%"]


def test_negative_values_hang_from_zero() -> None:
    root = parse(area(plot([-5, 5])))
    assert line(root, "zero") == "M0 50H100"
    assert line(root, "area") == "M0 91.67L100 8.33V50H0Z"


def test_one_point_is_a_dot_in_the_middle() -> None:
    root = parse(area(plot([5])))
    assert by_class(root, "dot")[0].attrib.items() >= {"cx": "50%", "cy": "0%"}.items()
    assert not by_class(root, "area")[1:]


@pytest.mark.parametrize("values", [[], [None], [None, None]])
def test_without_values_it_says_so(values: list[Any]) -> None:
    root = parse(area(plot(values)))
    assert "no data" in root[0].get("aria-label", "").lower()


def test_ticks_of_both_axes() -> None:
    root = parse(area(plot([0, 12_000, 48_000])))
    assert [text_of(tick) for tick in by_class(root, "y")] == ["0", "10 k", "20 k", "30 k", "40 k", "50 k"]
    assert [(t.get("x"), text_of(t)) for t in by_class(root, "tick") if "x" in t.get("class", "").split()] == [
        ("0%", "Sat 31 Oct"),
        ("50%", "Sun 1 Nov"),
        ("100%", "Mon 2 Nov"),
    ]


def test_running_bucket_is_dashed_and_nothing_follows_it() -> None:
    running = plot([100, 100, 50, 0, 0], running=FIRST + timedelta(days=2))
    root = parse(area(running))
    assert (line(root), line(root, "line partial")) == ("M0 0L25 0", "M25 0L50 50")
    assert [text_of(text) for text in by_class(root, "sofar")] == ["so far"]
    assert [row[1] for row in rows(running).body] == ["100", "100", "50", "–", "–"]
    assert rows(running).body[2][0] == "Mon 2 Nov 2026 (so far)"


def test_running_from_the_first_bucket_on() -> None:
    root = parse(area(plot([50, 0], running=FIRST)))
    assert not by_class(root, "partial")
    assert by_class(root, "end")[0].get("cx") == "0%"


def test_pointer_finds_a_column_per_bucket_with_all_that_the_tooltip_says() -> None:
    two = Plot(
        [series([100, 200]), series([50, None], "Visitors")], before=series([50, 0], "Before", date(2026, 9, 30))
    )
    root = parse(area(two))
    first, second = by_class(root, "hit")
    assert dict(first.attrib) == {
        "class": "hit",
        "x": "0%",
        "width": "50%",
        "height": "100%",
        "data-i": "0",
        "data-x": "0",
        "data-y": "50|75",
        "data-from": "2026-10-31",
        "data-label": "Sat 31 Oct 2026",
        "data-values": "100|50",
        "data-before": "50",
        "data-delta": "▲ +100 %",
        "data-kind": "good",
        "data-then": "Wed 30 Sep 2026",
    }
    assert (second.get("data-y"), second.get("data-values"), second.get("data-delta")) == ("0|", "200|–", "new")
    assert json.loads(root[0].get("data-series", "")) == ["Views", "Visitors"]
    assert len(by_class(by_class(root, "cursor")[0], "dot")) == 2


def test_hours_are_named_and_found_on_the_clock_of_the_zone() -> None:
    hours = [(datetime(2026, 10, 24, 22, tzinfo=UTC) + timedelta(hours=nth), nth) for nth in range(4)]
    root = parse(area(Plot([Series("Views", hours)], grain="hour", zone="Europe/Berlin")))
    labels = [hit.get("data-label") for hit in by_class(root, "hit")]
    assert by_class(root, "hit")[0].get("data-from") == "2026-10-25T00:00:00+02:00"
    # Clocks go back from 03:00 to 02:00 on that night.
    assert [label[-5:] for label in labels if label] == ["00:00", "01:00", "02:00", "02:00"]


def test_marks_stand_in_their_bucket() -> None:
    at = datetime(2026, 11, 1, 13, tzinfo=UTC)
    marked = plot([0, 100, 50], anomalies=[Anomaly(at, "3.6× expected", href="?day=1")], notes=[Note(FIRST, "Release")])
    root = parse(area(marked))
    [anomaly], [note] = by_class(root, "anomaly"), by_class(root, "note")
    assert (anomaly.tag, anomaly.get("href"), anomaly.get("aria-label")) == ("a", "?day=1", "3.6× expected")
    assert (note.tag, note.get("tabindex"), note.get("aria-label")) == ("g", "0", "31 Oct: Release")
    assert [(e.get("x"), e.get("y")) for e in anomaly.iter("svg")] == [("50%", "0%")]
    assert [(e.get("x"), e.get("y")) for e in note.iter("svg")] == [("0%", "0%")]
    assert text_of(next(anomaly.iter("title"))) == "3.6× expected"


def test_notes_of_one_bucket_share_a_flag() -> None:
    root = parse(area(plot([1, 2], notes=[Note(FIRST, "a"), Note(FIRST + timedelta(days=1), "b"), Note(FIRST, "c")])))
    assert [note.get("aria-label") for note in by_class(root, "note")] == ["31 Oct: a; c", "1 Nov: b"]


def test_marks_before_the_chart_or_without_a_series_are_left_out() -> None:
    early = FIRST - timedelta(days=1)
    root = parse(area(plot([1, 2], anomalies=[Anomaly(early, "x"), Anomaly(FIRST, "y", 3)], notes=[Note(early, "z")])))
    assert not by_class(root, "anomaly") + by_class(root, "note")


def test_only_a_chart_without_marks_is_an_image_as_an_image_has_nothing_to_focus_in_it() -> None:
    assert parse(area(plot([1, 2])))[0].get("role") == "img"
    assert parse(area(plot([1, 2], notes=[Note(FIRST, "x")])))[0].get("role") == "group"


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (plot([1, 3484, 7]), "Views by day: peak 1 Nov 3,484, last 2 Nov 7"),
        (plot([5, 5]), "Views by day: peak 31 Oct 5, last 1 Nov 5"),
        (plot([112, 56], before=series([100, 50])), "Views by day: up 12 %, peak 31 Oct 112, last 1 Nov 56"),
        (plot([90, 1], before=series([100, 99]), running=FIRST + timedelta(days=1)),
         "Views by day: down 10 %, peak 31 Oct 90, last 1 Nov 1 so far"),
        (plot([1, 1], before=series([1, 1])), "Views by day: unchanged, peak 31 Oct 1, last 1 Nov 1"),
        (plot([1, 1], change=Delta("▼ −4 %", "bad")), "Views by day: down 4 %, peak 31 Oct 1, last 1 Nov 1"),
        (plot([None]), "Views by day: no data"),
    ],
)  # fmt: skip
def test_summary(made: Plot, text: str) -> None:
    assert summary(made) == text == parse(area(made))[0].get("aria-label")


def test_rows_are_the_chart_as_a_table() -> None:
    table = rows(Plot([series([1234, None], unit=Unit.money)], before=series([1000], "Before")))
    assert table.head == ["Day", "Views", "Before", "Change"]
    assert table.body == [
        ["Sat 31 Oct 2026", "1,234.00", "1,000.00", "▲ +23.4 %"],
        ["Sun 1 Nov 2026", "–", "–", "–"],
    ]


def test_legend_names_every_line() -> None:
    root = parse(legend(Plot([series([1]), series([1], "<b>")], before=series([1], "Before"))))
    assert [text_of(item) for item in root.iter("li")] == ["Views", "<b>", "Before"]
    assert [each.get("data-hides") for each in root.iter("button")] == ["line", "line2", "before"]
    assert not list(parse(legend(Plot([series([1])]))).iter("button")), "the only one stays"


def test_too_many_points_are_thinned_but_what_stands_out_stays() -> None:
    values: list[Any] = [10.0] * 5000
    values[2345], values[3210] = 1000, -500
    root = parse(area(plot(values)))
    drawn = by_class(root, "hit")
    assert len(drawn) <= Plot.most
    assert {hit.get("data-values") for hit in drawn} == {"10", "1,000", "−500"}
    assert [drawn[0].get("data-i"), drawn[-1].get("data-i")] == ["0", "4999"]
    assert len(rows(plot(values)).body) == 5000


def test_fewer_can_be_told_than_drawn() -> None:
    root = parse(area(plot([0, 9] * 100, most=50, told=20, chooses=False)))
    hits = by_class(root, "hit")
    assert 10 < len(hits) <= 20 < line(root).count(" ") / 2 <= 50
    assert sum(float((hit.get("width") or "").rstrip("%")) for hit in hits) == pytest.approx(100, abs=0.2)
    assert not [hit for hit in hits if "data-from" in hit.attrib]


def test_three_hundred_points_are_all_there() -> None:
    assert len(by_class(parse(area(plot(list(range(300))))), "hit")) == 300


@pytest.mark.parametrize("text", HOSTILE, ids=lambda value: repr(value)[:20])
def test_hostile_labels_are_text(text: str) -> None:
    made = Plot(
        [series([1, 2], text), series([3, 4], text)],
        before=series([1, 1], text),
        anomalies=[Anomaly(FIRST, text, href=text)],
        notes=[Note(FIRST, text, href=text)],
    )
    tags = {element.tag for chart in (area(made), legend(made)) for element in parse(chart).iter()}
    assert tags <= {
        "root", "svg", "defs", "linearGradient", "stop", "path", "text", "g", "line", "circle", "rect", "title",
        "ul", "li", "bdi", "button",
    }  # fmt: skip


VALUES = st.lists(st.none() | st.floats() | st.integers(), max_size=12)


@given(VALUES, VALUES, st.integers(0, 12), st.sampled_from(list(Unit)))
def test_any_numbers_are_drawn_inside(values: list[Any], before: list[Any], running: int, unit: str) -> None:
    made = Plot([series(values, unit=unit)], before=series(before), running=FIRST + timedelta(days=running))
    assert all(0 <= value <= 100 for value in coordinates(parse(area(made))))
