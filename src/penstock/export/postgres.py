"""Rows → a table in PostgreSQL, in one transaction, in place of what was there of the period."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import PenstockError, SettingsError
from ..reports.text import literal
from .rows import PERIOD, Rows, in_utc, quoted

try:
    import psycopg
    from psycopg import sql
except ModuleNotFoundError as error:
    raise SettingsError(f"this needs the package {error.name!r}", hint="pip install 'penstock[postgres]'") from error

_BATCH_ROWS = 10_000
_TYPES = {
    "BIGINT": "bigint", "INTEGER": "integer", "DOUBLE": "double precision", "BOOLEAN": "boolean", "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamptz", "TIMESTAMP": "timestamp", "BLOB": "bytea", "HUGEINT": "numeric(38)",
}  # fmt: skip
_NAME = re.compile(r"([^.]+\.)?[^.]+")


def send(rows: Rows, url: str, table: str | None = None) -> int:
    """Returns how many rows. `table` may name a schema; it is made if it is missing, and given columns that it lacks.

    Raises PenstockError for whatever the server refuses; then nothing has changed.
    """
    name = table or rows.name
    if not _NAME.fullmatch(name):
        raise PenstockError(f"{name!r} is no table", hint="write --table name, or schema.name")
    target = sql.Identifier(*name.split("."))
    with _connected(url) as connection, connection.cursor() as cursor:
        _make(cursor, rows, target)
        # Two exports of the same time wait for each other; readers are not kept waiting.
        cursor.execute(sql.SQL("lock table {} in share row exclusive mode").format(target))
        _delete(cursor, rows, target)
        return _insert(cursor, rows, target)


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction in UTC. What goes wrong is told without the URL, which may hold a password."""
    try:
        with psycopg.connect(url, application_name="penstock", connect_timeout=15) as connection:
            connection.execute("set time zone 'UTC'")
            yield connection
    except psycopg.Error as error:
        raise PenstockError(f"PostgreSQL: {str(error).strip() or type(error).__name__}") from error


def _make(cursor: psycopg.Cursor[Any], rows: Rows, target: sql.Identifier) -> None:
    columns = {n: sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(_type(k))) for n, k in rows.columns.items()}
    listed = sql.SQL(", ").join(columns.values())
    cursor.execute("set local client_min_messages = warning")  # that the table is there already is no news
    cursor.execute(sql.SQL("create table if not exists {} ({})").format(target, listed))
    cursor.execute(sql.SQL("select * from {} limit 0").format(target))
    there = {column.name for column in cursor.description or ()}
    for name in columns.keys() - there:  # only then: altering keeps readers waiting
        cursor.execute(sql.SQL("alter table {} add column {}").format(target, columns[name]))


def _delete(cursor: psycopg.Cursor[Any], rows: Rows, target: sql.Identifier) -> None:
    period, condition = rows.period, sql.SQL("true")
    values = () if period is None else in_utc(period)
    if period is not None and rows.time is None:
        condition = sql.SQL("{} = %s and {} = %s").format(*map(sql.Identifier, PERIOD))  # type: ignore[assignment]
    elif period is not None:
        moment = sql.SQL("cast({} as timestamptz)").format(sql.Identifier(rows.time or ""))
        condition = sql.SQL("{0} >= %s and {0} < %s").format(moment)  # type: ignore[assignment]
    cursor.execute(sql.SQL("delete from {} where {}").format(target, condition), values)


def _insert(cursor: psycopg.Cursor[Any], rows: Rows, target: sql.Identifier) -> int:
    names = sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    count = 0
    reader = rows.db.sql(rows.sql([_value(*column) for column in rows.columns.items()])).to_arrow_reader(_BATCH_ROWS)
    with cursor.copy(sql.SQL("copy {} ({}) from stdin").format(target, names)) as copying:
        for batch in reader:
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                copying.write_row(row)
            count += batch.num_rows
    return count


def _type(kind: str) -> str:
    """PostgreSQL's name for DuckDB's type; what it has none for is text."""
    return kind.replace("DECIMAL", "numeric") if kind.startswith("DECIMAL") else _TYPES.get(kind, "text")


def _value(name: str, kind: str) -> str:
    """Text without the character NUL, which PostgreSQL cannot store."""
    if _type(kind) != "text":
        return quoted(name)
    return f"replace(cast({quoted(name)} as varchar), chr(0), {literal(chr(0xFFFD))}) as {quoted(name)}"
