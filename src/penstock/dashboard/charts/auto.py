"""The result of any query → the chart that its shape asks for: dates and numbers → lines, names and numbers → bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

import pyarrow as pa
from markupsafe import Markup

from .area import MOST, Plot, Series, area, legend
from .bars import Ranked, ranked
from .formats import Unit

_BARS = 30


class Picked(NamedTuple):
    """`kind` is line, bars or none; `others` are the kinds that could be shown instead."""

    kind: str
    chart: Markup
    others: tuple[str, ...] = ()


def auto(
    table: pa.Table | None = None,
    *,
    columns: Sequence[str] = (),
    rows: Sequence[Sequence[Any]] = (),
    kind: str | None = None,
    zone: str = "UTC",
) -> Picked:
    """Of a table, or of columns and rows; `kind` asks for one of the kinds that are possible."""
    if table is not None:
        columns = table.column_names
        # No more is looked at than can be drawn.
        rows = list(zip(*(column.to_pylist() for column in table.slice(0, MOST * 10).columns), strict=True))
    made = {
        name: chart
        for name, chart in (("line", _line(columns, rows, zone)), ("bars", _bars(columns, rows)))
        if chart is not None
    }
    if not made or kind == "none":
        return Picked("none", Markup(""), tuple(made))
    chosen = kind if kind in made else next(iter(made))
    return Picked(chosen, made[chosen], tuple(name for name in made if name != chosen))


def _line(columns: Sequence[str], rows: Sequence[Sequence[Any]], zone: str) -> Markup | None:
    """One moment a row, in any order; the first two numbers."""
    times = _those(columns, rows, date)
    numbers = _those(columns, rows, int | float | Decimal)
    if not times or not numbers or len(rows) < 2:
        return None
    at = times[0]
    known = [row for row in rows if row[at] is not None]
    try:
        known.sort(key=lambda row: row[at])
    except TypeError:
        return None
    starts = [row[at] for row in known]
    if len(starts) < 2 or len(set(starts)) < len(starts):
        return None
    units = {unit for nth in numbers[:2] if (unit := _unit(columns[nth]))}
    unit = units.pop() if len(units) == 1 else Unit.number
    series = [Series(columns[nth], [(row[at], row[nth]) for row in known], unit) for nth in numbers[:2]]
    plot = Plot(series, grain=_grain(starts), zone=zone, name="result")
    return Markup("{}{}").format(area(plot), legend(plot))


def _bars(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Markup | None:
    """A name a row, and the first number."""
    names = _those(columns, rows, str)
    numbers = _those(columns, rows, int | float | Decimal)
    if not names or not numbers:
        return None
    name, number = names[0], numbers[0]
    unit = _unit(columns[number]) or Unit.number
    items = [Ranked(row[name], row[number]) for row in rows[:_BARS]]
    return ranked(items, unit=unit, label=f"{columns[number]} by {columns[name]}")


def _those(columns: Sequence[str], rows: Sequence[Sequence[Any]], kind: Any) -> list[int]:
    """The columns in which all that is there is of that kind."""
    found = []
    for nth in range(len(columns)):
        values = [row[nth] for row in rows if row[nth] is not None]
        if values and all(isinstance(value, kind) and not isinstance(value, bool) for value in values):
            found.append(nth)
    return found


def _unit(column: str) -> str | None:
    return None


def _grain(starts: Sequence[date | datetime]) -> str:
    """By the least distance between two."""
    least = min(after - before for before, after in pairwise(starts))
    if least < timedelta(hours=1):
        return "minute"
    if least < timedelta(days=1):
        return "hour"
    return "day" if least < timedelta(days=7) else "week" if least < timedelta(days=28) else "month"
