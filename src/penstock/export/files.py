"""Rows → one Parquet, CSV or JSON file, written by DuckDB as it reads, and put in place only when it is durable."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import duckdb

from ..objects import make_folder, sync_file, sync_folder
from ..reports.text import literal
from .rows import Rows, quoted

PARQUET = "format parquet, compression zstd"
_TIME = "TIMESTAMP WITH TIME ZONE"
_PLAIN = ("BIGINT", "INTEGER", "HUGEINT", "DOUBLE", "BOOLEAN", "DATE", "DECIMAL")
"""Types that a CSV cell can hold as they are, and that no spreadsheet runs."""


class FileFormat(StrEnum):
    """What a file is."""

    parquet = "parquet"
    csv = "csv"
    json = "json"


def write_file(rows: Rows, format: FileFormat, path: Path) -> int:
    """Returns how many rows. Of an older file at `path`, readers see all until the new one is there. JSON: by lines."""
    if format is FileFormat.parquet:
        sql, options = rows.sql(), PARQUET
    else:
        head = ", header true" if format is FileFormat.csv else ""
        packed = "gzip" if path.suffix == ".gz" else "uncompressed"
        sql, options = rows.sql(list(_texts(rows, format))), f"format {format}{head}, compression {packed}"
    make_folder(path.parent)
    temporary = temporary_in(path.parent)
    try:
        count = copy(rows.db, sql, options, temporary)
        put(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return count


def copy(db: duckdb.DuckDBPyConnection, sql: str, options: str, path: Path) -> int:
    """The answer into a new file, fsynced; returns how many rows."""
    [(count,)] = db.execute(f"copy ({sql}) to {literal(str(path))} ({options})").fetchall()
    sync_file(path)
    return int(count)


def put(temporary: Path, path: Path) -> None:
    temporary.replace(path)
    sync_folder(path.parent)


def temporary_in(folder: Path) -> Path:
    return folder / f"{uuid.uuid4().hex}.tmp"


def _texts(rows: Rows, format: FileFormat) -> Iterator[str]:
    """Times as ISO, bytes as the text that they are; text that a spreadsheet would run is made harmless in CSV."""
    for name, kind in rows.columns.items():
        value = quoted(name)
        if kind == _TIME:
            value = f"strftime({value}, '%Y-%m-%dT%H:%M:%S.%fZ')"
        elif kind == "BLOB":
            value = f"coalesce(try(decode({value})), cast({value} as varchar))"
        if format is FileFormat.csv and kind != _TIME and not kind.startswith(_PLAIN):
            value = _defused(f"cast({value} as varchar)")
        yield f"{value} as {quoted(name)}"


def _defused(text: str) -> str:
    """A spreadsheet runs a cell that starts like a formula; a leading quote makes it text. Numbers stay numbers."""
    return (
        f"case when left({text}, 1) in ('=', '@', chr(9), chr(13))"
        f" or (left({text}, 1) in ('+', '-') and try_cast({text} as double) is null)"
        f" then '''' || {text} else {text} end"
    )
