"""The result of any query → the chart that its shape asks for: dates and numbers → lines, names and numbers → bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

import pyarrow as pa
from markupsafe import Markup

from .area import LINES, area, legend
from .bars import Ranked, ranked
from .formats import NOTHING, Unit, finite
from .plot import Plot, Series
from .svg import NONE

_MOST, _BARS = 3000, 30
_POINTS, _TOLD = 72, 30
"""So that an answer of any length keeps the page small."""


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
        columns, rows = table.column_names, _rows(table)
    possible = {"line": _line(columns, rows, zone), "bars": _bars(columns, rows)}
    made = {name: chart for name, chart in possible.items() if chart is not None}
    if not made or kind == "none":
        return Picked("none", NONE, tuple(made))
    chosen = kind if kind in made else next(iter(made))
    return Picked(chosen, made[chosen], tuple(name for name in made if name != chosen))


def _rows(table: pa.Table) -> list[tuple[Any, ...]]:
    """No more than can be drawn; none if there are moments that Python cannot hold."""
    read = []
    for column in table.slice(0, _MOST).columns:
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        try:
            read.append(column.to_pylist())
        except (ValueError, OverflowError):
            return []
    return list(zip(*read, strict=True))


def _line(columns: Sequence[str], rows: Sequence[Sequence[Any]], zone: str) -> Markup | None:
    """One moment a row, in any order, and the first two numbers; or a moment and a name a row, and the first number."""
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
    starts = list(dict.fromkeys(row[at] for row in known))
    if len(starts) < 2:
        return None
    if len(starts) == len(known):
        series = [Series(columns[nth], [(row[at], row[nth]) for row in known], Unit.number) for nth in numbers[:2]]
    elif names := _those(columns, rows, str):
        series = _by_name(starts, [(row[at], row[names[0]], row[numbers[0]]) for row in known])
    else:
        series = []
    if not series:
        return None
    plot = Plot(
        series,
        grain=_grain(starts),
        zone=zone,
        name="result",
        to_scale=True,
        most=2 * _POINTS // max(2, len(series)),
        told=_TOLD,
        chooses=False,
    )
    return Markup("{}{}").format(area(plot), legend(plot))


def _by_name(starts: Sequence[date], rows: Sequence[tuple[Any, str | None, Any]]) -> list[Series]:
    """A line for each of the names with most; none if a name has two numbers at one time."""
    found: dict[str, dict[Any, Any]] = {}
    for at, name, number in rows:
        values = found.setdefault(NOTHING if name is None else name, {})
        if at in values:
            return []
        values[at] = number
    most = sorted(found, key=lambda name: -sum(abs(finite(value) or 0.0) for value in found[name].values()))[:LINES]
    return [Series(name, [(at, found[name].get(at)) for at in starts], Unit.number) for name in most]


def _bars(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Markup | None:
    """One name a row, and the first number; of the first rows."""
    names = _those(columns, rows, str)
    numbers = _those(columns, rows, int | float | Decimal)
    if not names or not numbers:
        return None
    name, number = names[0], numbers[0]
    if len({row[name] for row in rows}) < len(rows):
        return None
    items = [Ranked(row[name], row[number]) for row in rows[:_BARS]]
    return ranked(items, unit=Unit.number, label=f"{columns[number]} by {columns[name]}")


def _those(columns: Sequence[str], rows: Sequence[Sequence[Any]], kind: Any) -> list[int]:
    """The columns in which all that is there is of that kind."""
    found = []
    for nth in range(len(columns)):
        values = [row[nth] for row in rows if row[nth] is not None]
        if values and all(isinstance(value, kind) and not isinstance(value, bool) for value in values):
            found.append(nth)
    return found


def _grain(starts: Sequence[date | datetime]) -> str:
    """By the least distance between two."""
    least = min(after - before for before, after in pairwise(starts))
    if least < timedelta(hours=1):
        return "minute"
    if least < timedelta(days=1):
        return "hour"
    return "day" if least < timedelta(days=7) else "week" if least < timedelta(days=28) else "month"
