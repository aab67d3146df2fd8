"""One card of a page, all of it: as a page of its own, as a file, and all cards of a page as JSON."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from starlette.responses import Response, StreamingResponse

from ..api import OpenLake
from ..export.files import FileFormat, write_file
from ..export.rows import of_report
from ..reports.catalog import report
from ..reports.fill import is_number
from ..reports.run import Answer
from .answers import Ask, Failed
from .charts.formats import Unit, show
from .page import Found
from .programs import reply
from .state import State

OWN = {
    "sort": "column to sort by, the greatest first; with - before it the least",
    "at": "first row, from 0",
    "find": "only rows in which a text contains this",
}
ROWS = 100
_PIECE_BYTES = 1 << 20
_MEDIA = {
    FileFormat.csv: "text/csv; charset=utf-8",
    FileFormat.json: "application/x-ndjson",
    FileFormat.parquet: "application/vnd.apache.parquet",
}


def whole(ask: Ask) -> Ask:
    """The same question for all its rows."""
    limit = report(ask.report).parameters.get("limit")
    return ask if limit is None or limit.most is None else Ask(ask.report, {**ask.asked, "limit": int(limit.most)})


class Column(NamedTuple):
    name: str
    meaning: str
    is_number: bool
    sort: str
    """Link that sorts by it."""


class Details(NamedTuple):
    """A part of the rows as text, `first` to `last` of `total`, from 1."""

    columns: list[Column]
    rows: list[list[str]]
    first: int
    last: int
    total: int
    before: str | None
    after: str | None


def details(answer: Answer, state: State) -> Details:
    table = _sorted(_found(answer.beside(), state.one("find")), state.one("sort"))
    start = min(_number(state.one("at")), max(0, (table.num_rows - 1) // ROWS * ROWS))
    part = table.slice(start, ROWS)
    meanings = answer.question.report.columns
    columns = [_column(field, meanings, state) for field in table.schema]
    units = [unit(meanings.get(field.name, "")) for field in table.schema]
    cells = [
        [_text(value, unit) for value in column.to_pylist()] for column, unit in zip(part.columns, units, strict=True)
    ]
    return Details(
        columns,
        [list(row) for row in zip(*cells, strict=True)],
        start + 1 if table.num_rows else 0,
        start + part.num_rows,
        table.num_rows,
        state.link(at=str(start - ROWS) if start > ROWS else None) if start else None,
        state.link(at=str(start + ROWS)) if start + ROWS < table.num_rows else None,
    )


def unit(meaning: str) -> Unit:
    """As the catalog says it of a column."""
    ends = {"(share)": Unit.share, "(seconds)": Unit.seconds, "(number)": Unit.number, "currency": Unit.money}
    return next((found for end, found in ends.items() if meaning.endswith(end)), Unit.whole)


def _text(value: Any, unit: Unit) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return show(value, unit) if not isinstance(value, str) and hasattr(value, "__float__") else str(value)


def _column(field: pa.Field, meanings: Mapping[str, str], state: State) -> Column:
    is_sorted = state.one("sort") == field.name
    link = state.link(sort=f"-{field.name}" if is_sorted else field.name, at=None)
    return Column(field.name, meanings.get(field.name, ""), is_number(field.type), link)


def _found(table: pa.Table, text: str) -> pa.Table:
    if not text:
        return table
    hits = [
        pc.fill_null(pc.match_substring(column, text, ignore_case=True), False)
        for column in table.columns
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    ]
    mask = hits[0] if hits else pa.array([False] * table.num_rows)
    for other in hits[1:]:
        mask = pc.or_(mask, other)
    return table.filter(mask)


def _sorted(table: pa.Table, by: str) -> pa.Table:
    name = by.removeprefix("-")
    if name not in table.column_names or pa.types.is_nested(table.schema.field(name).type):
        return table
    return table.sort_by([(name, "ascending" if by.startswith("-") else "descending")])


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def file(lake: OpenLake, answer: Answer, format: FileFormat, name: str) -> Response:
    """The rows as a file to keep; written aside first, so that a failure is an answer and not half a file."""
    rows = of_report(lake.pipeline, answer, with_period=False)
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        path = Path(folder) / f"{name}.{format}"
        try:
            write_file(rows, format, path)
        finally:
            rows.close()
        # Open, it stays readable when its folder is gone.
        opened = path.open("rb")
        headers = {
            "content-disposition": f'attachment; filename="{path.name}"',
            "content-length": str(path.stat().st_size),
        }
    return StreamingResponse(_pieces(opened), headers=headers, media_type=_MEDIA[format])


def _pieces(opened: IO[bytes]) -> Iterator[bytes]:
    with opened:
        while piece := opened.read(_PIECE_BYTES):
            yield piece


def twin(state: State, found: Found) -> Response:
    """What a page shows, for programs."""
    period = state.period
    body = {
        "period": {"since": period.since, "until": period.until, "zone": period.zone},
        "where": state.where,
        "notices": state.notices,
        "cards": {card: _card(answer) for card, answer in found.items()},
    }
    return reply(body)


def facts(told: Any) -> Response:
    """Of a page without cards: records become objects, with the names of their fields."""
    return reply(_named(told))


def _named(told: Any) -> Any:
    if isinstance(told, tuple) and hasattr(told, "_asdict"):
        return {name: _named(value) for name, value in told._asdict().items()}
    if is_dataclass(told) and not isinstance(told, type):
        return {field.name: _named(getattr(told, field.name)) for field in fields(told)}
    if isinstance(told, Mapping):
        return {str(name): _named(value) for name, value in told.items()}
    if isinstance(told, list | tuple):
        return [_named(value) for value in told]
    return told


def _card(answer: Answer | Failed) -> dict[str, Any]:
    if isinstance(answer, Failed):
        return {"error": answer.message, "hint": answer.hint}
    asked = answer.question.report
    return {
        "report": asked.name,
        "columns": dict(asked.columns),
        "rows": answer.beside().to_pylist(),
        "notes": answer.notes,
        "served_from": answer.served_from,
    }
