"""Retention: shares, shades, and cells whose time is not over."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.drawn import HOSTILE, by_class, parse, text_of
from penstock.dashboard.charts import Cell, Cohort, heat

COHORTS = [
    Cohort(date(2026, 10, 12), 1545, [Cell(1545), Cell(0), Cell(412)]),
    Cohort(date(2026, 10, 19), 500, [Cell(500), Cell(100, False)]),
]


def table(made: str) -> list[list[str]]:
    return [[text_of(cell) for cell in row] for row in parse(made).iter("tr")]


def test_table() -> None:
    assert table(heat(COHORTS)) == [
        ["Cohort", "Size", "W0", "W1", "W2"],
        ["12 Oct", "1,545", "100 %", "0 %", "27 %"],
        ["19 Oct", "500", "100 %", "not over", ""],
        ["All", "2,045", "100 %", "0 %", "27 %"],
    ]


def test_counts_instead_of_shares() -> None:
    assert table(heat(COHORTS, counts=True))[1] == ["12 Oct", "1,545", "1,545", "0", "412"]


def test_cells_can_be_focused_and_say_all() -> None:
    cells = by_class(parse(heat(COHORTS)), "cell")
    assert cells[2].get("title") == "Cohort 12 Oct: 412 of 1,545 (27 %) returned in week 2"
    assert cells[2].get("tabindex") == "0"
    assert "open" in cells[4].get("class", "") and cells[4].get("tabindex") is None


def test_headings_have_a_scope() -> None:
    root = parse(heat(COHORTS, grain="month"))
    assert [th.get("scope") for th in root.iter("th")] == ["col"] * 5 + ["row"] * 3
    assert text_of(list(root.iter("th"))[2]) == "M0"


@pytest.mark.parametrize(
    ("people", "shade"), [(0, "h0"), (1, "h1"), (10, "h2"), (27, "h4"), (50, "h6"), (100, "h10"), (900, "h10")]
)
def test_shades(people: int, shade: str) -> None:
    [cell, _] = by_class(parse(heat([Cohort("x", 100, [Cell(people)])])), shade)
    assert cell.get("class") == f"cell {shade}"


def test_cells_that_are_not_over_and_cohorts_of_nobody_are_in_no_average() -> None:
    cohorts = [Cohort("a", 10, [Cell(5)]), Cohort("b", 10, [Cell(9, False)]), Cohort("c", 0, [Cell(0)])]
    assert table(heat(cohorts))[-1] == ["All", "20", "50 %"]
    assert table(heat(cohorts))[3] == ["c", "0", "–"]


def test_no_cohorts() -> None:
    assert table(heat([])) == [["Cohort", "Size"]]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda value: repr(value)[:20])
def test_hostile_names_are_text(text: str) -> None:
    root = parse(heat([Cohort(text, 5, [Cell(5), Cell(1, False)])]))
    assert {e.tag for e in root.iter()} == {
        "root", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "bdi", "span",
    }  # fmt: skip


ANY = st.none() | st.floats() | st.integers()


@given(st.lists(st.tuples(ANY, st.lists(st.tuples(ANY, st.booleans()), max_size=4)), max_size=4))
def test_any_numbers_are_a_table(numbers: list[tuple[Any, list[tuple[Any, bool]]]]) -> None:
    cohorts = [Cohort("x", size, [Cell(*cell) for cell in cells]) for size, cells in numbers]
    lines = table(heat(cohorts))
    assert len({len(line) for line in lines}) == 1
