"""The page for questions of one's own, in SQL: what is beside the editor, and how an answer or an error is shown.

The queries run in `dashboard/queries.py`; here is what needs no lake.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
from markupsafe import Markup

from ...errors import PenstockError, QueryError
from ...gold.by_day import DAYS
from ...gold.catalog import FOR_PEOPLE
from ...gold.sessions import SESSIONS
from ...reports.fill import is_number
from ...silver.columns import EVENTS, LEDGER, LEDGER_PARTITIONS, PARTITIONS, QUARANTINE, Column
from ..answers import Ask
from ..charts.auto import auto
from ..page import Page, Shown
from ..recipes import RECIPES
from ..sandbox.formats import cells
from ..sandbox.playground import Result
from ..state import State

SHOWN, MOST_SHOWN = 100, 1000
"""Rows on the page at first, and if somebody asks for more."""
LONG = 2000
"""A query of more characters is no part of addresses."""
_LONG_CELL, _LONGEST_TITLE = 200, 4000
_AROUND = 60
"""Characters of a line to the left and right of an error that are shown."""


class Table(NamedTuple):
    name: str
    meaning: str
    columns: tuple[Column, ...]


def tables(columns: Mapping[str, str]) -> list[Table]:
    """What can be asked; `columns` are those of events, with the owner's own."""
    known = {column.name: column for column in EVENTS}
    events = [known.get(name, Column(name, kind, "a column of your own")) for name, kind in columns.items()]
    gold = [Table(rollup.name, f"{rollup.meaning} By {rollup.grain}.", rollup.columns) for rollup in FOR_PEOPLE]
    return [
        Table("events", "All events, each once.", (*events, *PARTITIONS)),
        Table("sessions", "A row for each session.", (*SESSIONS, *DAYS)),
        *gold,
        Table("quarantine", "What could not be stored, and why.", QUARANTINE),
        Table("ledger", "What became of everything received.", (*LEDGER, *LEDGER_PARTITIONS)),
    ]


_TYPES = {"VARCHAR": "text", "BIGINT": "integer", "TIMESTAMPTZ": "time", "BLOB": "bytes"}


def short_type(kind: str) -> str:
    """As it fits beside a name."""
    return _TYPES.get(kind, kind.partition("(")[0].lower())


def asks(state: State) -> Mapping[str, Ask]:
    """Values that completion knows."""
    return {
        "event_type": Ask("events", {"whole": True, "by": "event_type"}),
        "utm_source": Ask("sources", {"limit": 20}),
    }


def listed(shown: Shown) -> Mapping[str, Any]:
    types = [row["event_type"] for row in shown.rows("event_type")]
    sources = [row["name"] for row in shown.rows("utm_source")]
    return {
        "tables": tables(shown.state.site.columns),
        "short_type": short_type,
        "values": [text for text in (*types, *sources) if text],
    }


# answers


class Head(NamedTuple):
    """Of a column: `sort` is what its button asks for."""

    name: str
    type: str
    is_number: bool
    sort: str
    sorted: str


class Cell(NamedTuple):
    """`whole` is its text where `text` is shortened; a null has none."""

    text: str | None
    whole: str = ""


class Grid(NamedTuple):
    """A part of an answer, ready to be shown."""

    heads: list[Head]
    rows: list[list[Cell]]
    fetched: int
    kind: str
    chart: Markup
    kinds: tuple[str, ...]
    """Charts that are possible."""


def grid(result: Result, *, sort: str = "", chart: str = "", zone: str = "UTC", most: int = SHOWN) -> Grid:
    """Sorted by a column's number, with - before it the least first."""
    table = _sorted(result.rows, sort)
    picked = auto(table, kind=chart or None, zone=zone)
    heads = [
        Head(name, kind, is_number(field.type), str(nth) if sort != str(nth) else f"-{nth}", _order(sort, nth))
        for nth, (name, kind, field) in enumerate(zip(result.columns, result.types, table.schema, strict=True))
    ]
    rows = [[cell(value) for value in row] for row in cells(table.slice(0, most))]
    kinds = tuple(kind for kind in ("line", "bars") if kind == picked.kind or kind in picked.others)
    return Grid(heads, rows, table.num_rows, picked.kind, picked.chart, kinds)


def cell(value: Any) -> Cell:
    if value is None:
        return Cell(None)
    if isinstance(value, bool):
        return Cell("true" if value else "false")
    if isinstance(value, float):
        return _shortened(repr(value), f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) >= 0.01 else f"{value:.4g}")
    if isinstance(value, dict | list):
        value = msgspec.json.encode(value).decode()
    text = str(value)
    return _shortened(text, text if len(text) <= _LONG_CELL else text[:_LONG_CELL] + "…")


def _shortened(text: str, short: str) -> Cell:
    return Cell(text) if len(text) <= len(short) else Cell(short, text[:_LONGEST_TITLE])


def _order(sort: str, nth: int) -> str:
    return {str(nth): "descending", f"-{nth}": "ascending"}.get(sort, "")


def _sorted(table: pa.Table, sort: str) -> pa.Table:
    """As it is, if there is no such column or its values have no order."""
    number = sort.removeprefix("-")
    if not number.isdecimal() or len(number) > 4 or int(number) >= table.num_columns:
        return table
    named = table.rename_columns([str(nth) for nth in range(table.num_columns)])
    try:
        found = named.sort_by([(number, "ascending" if sort.startswith("-") else "descending")])
    except (pa.ArrowException, TypeError):
        return table
    return found.rename_columns(table.column_names)


# errors


class Problem(NamedTuple):
    """`excerpt` is the line it is in, `before` how far in it the caret stands."""

    status: int
    code: str
    message: str
    hint: str = ""
    line: int | None = None
    column: int | None = None
    excerpt: str = ""
    before: str = ""


def problem(error: PenstockError, sql: str) -> Problem:
    if not isinstance(error, QueryError):
        return Problem(500, "query_failed", str(error), error.hint or "")
    found = Problem(error.status, error.code, str(error), error.hint or "", error.line, error.column)
    lines = sql.split("\n")
    if error.line is None or error.column is None or error.line > len(lines):
        return found
    text, at = lines[error.line - 1].replace("\t", " "), error.column - 1
    start = max(0, at - _AROUND) if len(text) > 2 * _AROUND else 0
    return found._replace(excerpt=text[start : start + 2 * _AROUND], before=" " * (at - start))


def told(result: Result) -> dict[str, Any]:
    """For programs."""
    return {
        "columns": result.columns,
        "types": result.types,
        "rows": result.cells(),
        "truncated": result.truncated,
        "milliseconds": result.milliseconds,
    }


PAGE = Page(
    "sql",
    "SQL",
    show=lambda shown: {"recipes": RECIPES},
    own={
        "q": "the query",
        "recipe": "a query to begin with: " + ", ".join(recipe.name for recipe in RECIPES),
        "saved": "number of a saved query",
        "chart": "line, bars or none",
        "rows": "more: up to a thousand of them",
        "sort": "number of the column to sort by, from 0; with - before it the least first",
    },
    key="s",
    takes_filters=False,
)
TABLES = Page("tables", "Tables", asks, listed, path="/sql/tables", takes_filters=False)
"""All tables and columns; the editor takes its list from there, once it is shown."""
