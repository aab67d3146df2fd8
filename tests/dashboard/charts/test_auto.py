"""Which chart a result gets."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from dashboard.charts.drawn import HOSTILE, by_class, line, parse, text_of
from penstock.dashboard.charts import auto

MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)


@pytest.mark.parametrize(
    ("rows", "kind", "others"),
    [
        ([(MONDAY, 1), (TUESDAY, 2)], "line", ()),
        ([(TUESDAY, 1.5), (MONDAY, None)], "line", ()),
        ([(datetime(2026, 1, 1), Decimal(1)), (datetime(2026, 1, 2), Decimal(2))], "line", ()),
        ([("a", 1), ("b", 2)], "bars", ()),
        ([(None, 1), ("b", 2)], "bars", ()),
        ([("a", MONDAY, 1), ("b", TUESDAY, 2)], "line", ("bars",)),
        ([("a", MONDAY, 1), ("b", MONDAY, 2)], "bars", ()),
        ([(MONDAY, "a", 1), (MONDAY, "b", 2), (TUESDAY, "a", 3)], "line", ()),
        ([(MONDAY, "a", 1), (MONDAY, "a", 2), (TUESDAY, "a", 3)], "none", ()),
        ([("a", 1), ("a", 2)], "none", ()),
        ([(MONDAY, 1)], "none", ()),
        ([(MONDAY, "x"), (TUESDAY, "y")], "none", ()),
        ([(1, 2), (3, 4)], "none", ()),
        ([("a", True), ("b", False)], "none", ()),
        ([("a", None)], "none", ()),
        ([(MONDAY, 1), (datetime(2026, 1, 1), 2)], "none", ()),
        ([], "none", ()),
    ],
)
def test_kind_is_picked_by_shape(rows: list[tuple[Any, ...]], kind: str, others: tuple[str, ...]) -> None:
    picked = auto(columns=[f"c{nth}" for nth in range(len(rows[0]))] if rows else ["c"], rows=rows)
    assert (picked.kind, picked.others) == (kind, others)
    assert bool(picked.chart) == (kind != "none")


def test_another_kind_can_be_asked_for() -> None:
    rows = [("a", MONDAY, 1), ("b", TUESDAY, 2)]
    assert auto(columns=["x", "y", "z"], rows=rows, kind="bars")[0::2] == ("bars", ("line",))
    assert auto(columns=["x", "y", "z"], rows=rows, kind="none")[0::2] == ("none", ("line", "bars"))
    assert auto(columns=["x", "y", "z"], rows=rows, kind="pie").kind == "line"


def test_lines_are_sorted_by_time_and_at_most_two() -> None:
    table = pa.table({"day": [TUESDAY, MONDAY], "a": [0, 10], "b": [5, 5], "c": [1, 1]})
    root = parse(auto(table).chart)
    assert (line(root), line(root, "line2")) == ("M0 0L100 100", "M0 50L100 50")
    assert [text_of(item) for item in root.iter("li")] == ["a", "b"]


def test_bars_are_the_first_thirty() -> None:
    table = pa.table({"name": [str(nth) for nth in range(100)], "n": list(range(100))})
    assert len(by_class(parse(auto(table).chart), "name")) == 30


def test_times_finer_than_microseconds() -> None:
    table = pa.table({"at": pa.array([1_000_000_001, 2_000_000_002], pa.timestamp("ns")), "n": [1, 2]})
    assert auto(table).kind == "line"


def test_times_that_python_cannot_hold_have_no_chart() -> None:
    table = pa.table({"at": pa.array([2**62, 2**62 + 1], pa.timestamp("us")), "n": [1, 2]})
    assert auto(table).kind == "none"


@pytest.mark.parametrize("text", HOSTILE, ids=lambda value: repr(value)[:20])
def test_hostile_names_are_text(text: str) -> None:
    made = auto(columns=[text, text + "2"], rows=[(text, 1), ("b", 2)])
    assert {e.tag for e in parse(made.chart).iter()} == {"root", "ol", "li", "svg", "rect", "span", "bdi"}


def test_a_line_for_each_of_the_five_names_with_most() -> None:
    rows = [(day, f"n{nth}", nth * 10) for day in (TUESDAY, MONDAY) for nth in range(8)] + [(TUESDAY, None, 99)]
    root = parse(auto(columns=["day", "name", "n"], rows=rows).chart)
    assert [text_of(item) for item in root.iter("li")] == ["n7", "n6", "n5", "–", "n4"]
    assert all(by_class(root, f"line{nth}") for nth in (2, 3, 5))
    # What is there once only is a dot.
    assert len(by_class(root, "dot4")) == 2


def places(root: Any) -> list[float]:
    return sorted(
        float((each.get("x") or "").rstrip("%"))
        for each in by_class(root, "tick")
        if "x" in each.get("class", "").split()
    )


@pytest.mark.parametrize(
    "seconds",
    [
        [0, 1, 2, 3, 86_400 * 30],
        [0, 60, 61, 62, 4000, 4001, 86_000, 86_399],
        [nth * nth * 977 for nth in range(60)],
        [nth * nth * nth * 3_777_777 for nth in range(40)],
        [0, 1],
        [3600 * nth for nth in range(700)],
    ],
)
def test_labels_of_irregular_times_are_apart(seconds: list[int]) -> None:
    rows = [(datetime(2026, 11, 2, 10, 17, 5) + timedelta(seconds=each), 1) for each in seconds]
    root = parse(auto(columns=["at", "n"], rows=rows).chart)
    found = places(root)
    assert 1 <= len(found) <= 8
    assert all(after - before >= 9 for before, after in pairwise(found))
    assert all(0 <= place <= 100 for place in found)


def test_times_are_to_scale() -> None:
    rows = [(MONDAY, 0), (TUESDAY, 10), (MONDAY + timedelta(days=10), 10)]
    assert line(parse(auto(columns=["day", "n"], rows=rows).chart)) == "M0 100L10 0 100 0"
