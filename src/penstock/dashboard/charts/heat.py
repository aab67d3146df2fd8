"""The heat-map of retention: a table in which every cell says its number, and its shade how much that is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from markupsafe import Markup

from .formats import NOTHING, brief, count, finite, percent
from .svg import NONE, clean, tag

SHADES = 10


class Cell(NamedTuple):
    """Of a cohort, how many came back in a period; not `complete` while that is not over."""

    people: Any
    complete: bool = True


class Cohort(NamedTuple):
    """Those who came first at `start`, and its cells from period 0 on; `start` may be text."""

    start: date | datetime | str
    size: Any
    cells: Sequence[Cell]


def heat(cohorts: Sequence[Cohort], *, grain: str = "week", counts: bool = False, zone: str = "UTC") -> Markup:
    """Cohorts down, periods across; percent, or counts. Cells that are not over are hatched and in no average."""
    wide = max((len(cohort.cells) for cohort in cohorts), default=0)
    letter = grain[:1].upper()
    head = [_head("Cohort"), _head("Size", "num")]
    head += [_head(f"{letter}{nth}", None, f"{grain} {nth}") for nth in range(wide)]
    body = [_row(cohort, wide, grain, counts, zone) for cohort in cohorts]
    foot = tag("tfoot", {}, _average(cohorts, wide)) if cohorts else NONE
    return tag(
        "table",
        {"class": "heat"},
        tag("caption", {"class": "unseen"}, f"Share of each cohort that came back, by {grain}"),
        tag("thead", {}, tag("tr", {}, *head)),
        tag("tbody", {}, *body),
        foot,
    )


def _head(text: str, name: str | None = None, said: str | None = None) -> Markup:
    return tag("th", {"scope": "col", "class": name, "abbr": said}, text)


def _row(cohort: Cohort, wide: int, grain: str, counts: bool, zone: str) -> Markup:
    start = cohort.start if isinstance(cohort.start, str) else brief(cohort.start, grain, zone)
    cells = [_cell(cohort, start, nth, cell, grain, counts) for nth, cell in enumerate(cohort.cells)]
    cells += [tag("td", {"class": "none"})] * (wide - len(cohort.cells))
    size = tag("td", {"class": "num size"}, count(cohort.size))
    return tag("tr", {}, tag("th", {"scope": "row"}, tag("bdi", {}, start)), size, *cells)


def _cell(cohort: Cohort, start: str, nth: int, cell: Cell, grain: str, counts: bool) -> Markup:
    if not cell.complete:
        said = f"Cohort {clean(start)}: {grain} {nth} is not over"
        return tag("td", {"class": "cell open", "title": said}, tag("span", {"class": "unseen"}, "not over"))
    share = _share(cell.people, cohort.size)
    if share is None:
        return tag("td", {"class": "cell h0"}, NOTHING)
    people, size = count(cell.people), count(cohort.size)
    said = f"Cohort {clean(start)}: {people} of {size} ({percent(share, 0)}) returned in {grain} {nth}"
    shown = people if counts else percent(share, 0)
    return tag("td", {"class": f"cell h{_shade(share)}", "tabindex": "0", "title": said}, shown)


def _shade(share: float) -> int:
    """0 only for nothing; a root, because most of retention happens below a half."""
    return 0 if share <= 0 else max(1, min(SHADES, round(SHADES * min(share, 1.0) ** 0.7)))


def _average(cohorts: Sequence[Cohort], wide: int) -> Markup:
    """Of all people in cohorts whose cell is over, how many came back."""
    cells = []
    for nth in range(wide):
        over = [c for c in cohorts if len(c.cells) > nth and c.cells[nth].complete and finite(c.size)]
        came = sum(finite(c.cells[nth].people) or 0.0 for c in over)
        share = _share(came, sum(finite(c.size) or 0.0 for c in over))
        name = "cell open" if share is None else f"cell h{_shade(share)}"
        cells.append(tag("td", {"class": name}, NOTHING if share is None else percent(share, 0)))
    size = count(sum(finite(c.size) or 0.0 for c in cohorts))
    return tag("tr", {}, tag("th", {"scope": "row"}, "All"), tag("td", {"class": "num size"}, size), *cells)


def _share(part: Any, whole: Any) -> float | None:
    people, size = finite(part), finite(whole)
    return None if people is None or not size else finite(people / size)
