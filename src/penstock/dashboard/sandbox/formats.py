"""Rows of a query → CSV, JSON or Parquet, batch by batch, and cells that a page can show.

A spreadsheet runs a cell that starts like a formula, so in CSV such text gets a quote before it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from itertools import count
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

_MOST_EXACT = 1 << 53
"""Integers beyond are no numbers in JavaScript."""


class Format(StrEnum):
    """What is downloaded."""

    csv = "csv"
    json = "json"
    parquet = "parquet"


class Writer:
    """`names` are the columns; `add` and `end` return the bytes that there are now."""

    def __init__(self, format: Format, names: Sequence[str]) -> None:
        self._names = _told_apart(names)
        self._format = format
        self._sink = _Sink()
        self._writer: Any = None
        self._rows = 0
        self._db = duckdb.connect(config={"threads": 1, "memory_limit": "512MB", "temp_directory": ""})
        self._db.execute("set timezone = 'UTC'")

    def add(self, batch: pa.RecordBatch) -> bytes:
        if self._format is Format.json:
            return self._json(batch)
        table = self._cast(batch)
        if self._writer is None and self._format is Format.csv:
            options = pcsv.WriteOptions(include_header=True, quoting_style="needed")
            self._writer = pcsv.CSVWriter(self._sink, table.schema, write_options=options)
        elif self._writer is None:
            self._writer = pq.ParquetWriter(self._sink, table.schema, compression="zstd")
        if table.num_rows or self._format is Format.csv:
            self._writer.write_table(table)
        return self._sink.taken()

    def end(self) -> bytes:
        self._db.close()
        if self._format is Format.json:
            return b"\n]\n" if self._rows else b"[]\n"
        if self._writer is not None:
            self._writer.close()
        return self._sink.taken()

    def _cast(self, batch: pa.RecordBatch) -> pa.Table:
        as_csv = self._format is Format.csv
        cell = _csv_cell if as_csv else _stored
        found = _asked(self._db, batch, [cell(field.type, f"c{n}") for n, field in enumerate(batch.schema)])
        return found.rename_columns([_defused(name) for name in self._names] if as_csv else self._names)

    def _json(self, batch: pa.RecordBatch) -> bytes:
        each = enumerate(zip(self._names, batch.schema, strict=True))
        pairs = ", ".join(f"{_quoted(name)}: {_shown(field.type, f'c{n}')}" for n, (name, field) in each)
        lines = _asked(self._db, batch, [f"to_json({{{pairs}}})::varchar"]).column(0).to_pylist()
        if not lines:
            return b""
        head = b",\n" if self._rows else b"[\n"
        self._rows += len(lines)
        return head + ",\n".join(map(_valid, lines)).encode()


class _Sink:
    """A file to write into whose bytes are taken out again."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._told = 0

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._told += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._told

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def taken(self) -> bytes:
        found, self._parts = b"".join(self._parts), []
        return found


def cells(table: pa.Table) -> list[list[Any]]:
    """Rows of what JSON can hold exactly: text, numbers, true, false, null, and of these lists and objects."""
    with duckdb.connect(config={"threads": 1, "temp_directory": ""}) as db:
        db.execute("set timezone = 'UTC'")
        each = [f"to_json({_shown(field.type, f'c{n}')})::varchar" for n, field in enumerate(table.schema)]
        asked = _asked(db, table, each)
    columns = [
        shown.to_pylist() if pa.types.is_string(shown.type) else [_cell(text) for text in told.to_pylist()]
        for shown, told in zip(table.columns, asked.columns, strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _asked(db: duckdb.DuckDBPyConnection, rows: pa.RecordBatch | pa.Table, each: Sequence[str]) -> pa.Table:
    found = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
    db.register("answer", found.rename_columns([f"c{n}" for n in range(found.num_columns)]))
    listed = ", ".join(f"{sql} as c{n}" for n, sql in enumerate(each))
    return db.sql(f"select {listed} from answer").to_arrow_table()


def _shown(kind: pa.DataType, name: str) -> str:
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    if pa.types.is_binary(kind):
        return f"coalesce(try(decode({name})), {name}::varchar)"
    return name


def _csv_cell(kind: pa.DataType, name: str) -> str:
    if _is_number(kind):
        return name
    text = f"({_shown(kind, name)})::varchar"
    formula = (
        f"left({text}, 1) in ('=', '@', chr(9), chr(13), chr(10))"
        f" or (left({text}, 1) in ('+', '-') and try_cast({text} as double) is null)"
    )
    return f"case when {formula} then chr(39) || {text} else {text} end"


def _is_number(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind))


def _stored(kind: pa.DataType, name: str) -> str:
    """As it is if Parquet has such a type, else as text."""
    return name if _can_be_stored(kind) else f"{name}::varchar"


def _can_be_stored(kind: pa.DataType) -> bool:
    types = pa.types
    if types.is_nested(kind):
        inner = [kind.field(n).type for n in range(kind.num_fields)]
        return not types.is_union(kind) and kind.num_fields > 0 and all(map(_can_be_stored, inner))
    return not (isinstance(kind, pa.BaseExtensionType) or types.is_interval(kind) or types.is_null(kind))


def _defused(name: str) -> str:
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else name


def _told_apart(names: Sequence[str]) -> list[str]:
    """`a`, `a` → `a`, `a_1`; DuckDB minds no case."""
    taken: set[str] = set()
    found = []
    for name in names:
        tries = (name if n == 0 else f"{name}_{n}" for n in count())
        found.append(next(free for free in tries if free.lower() not in taken))
        taken.add(found[-1].lower())
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _valid(line: str) -> str:
    """DuckDB writes numbers that are none as JavaScript would, which no JSON is."""
    if "NaN" not in line and "Infinity" not in line:
        return line
    return json.dumps(json.loads(line, parse_constant=str), ensure_ascii=False)


def _cell(text: str | None) -> Any:
    return None if text is None else json.loads(text, parse_constant=str, parse_int=_exact)


def _exact(digits: str) -> int | str:
    return int(digits) if len(digits) < 18 and abs(int(digits)) <= _MOST_EXACT else digits
