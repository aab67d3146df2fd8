"""A statement and its values → SQL that a person can read, copy and run, in DuckDB's words or another engine's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from importlib import import_module
from typing import Any

from sqlglot import exp

from ..errors import PenstockError
from .dialects.shared import parsed

NAME = re.compile(r"\$([a-z_][a-z0-9_]*)")


class Dialect(StrEnum):
    """Whose SQL."""

    duckdb = "duckdb"
    athena = "athena"
    spark = "spark"
    snowflake = "snowflake"


def inlined(sql: str, values: Mapping[str, Any]) -> str:
    """The values in place of their `$name`s; one pass, so nothing in a value is taken for a name."""
    return NAME.sub(lambda found: literal(values[found[1]]) if found[1] in values else found[0], sql)


def literal(value: Any) -> str:
    if isinstance(value, datetime):
        return f"timestamptz '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"date '{value}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def dialect_sql(sql: str, dialect: str, places: Mapping[str, tuple[str, str]] | None = None) -> str:
    """DuckDB's SQL in the words of `dialect`. Raises PenstockError for one that we do not speak.

    `places`: `silver.events` → the database, which may be empty, and the name under which that engine has it.
    """
    if dialect not in list(Dialect):
        raise PenstockError(f"there is no dialect {dialect!r}", hint=f"choose one of {', '.join(Dialect)}")
    if dialect == Dialect.duckdb:
        return sql
    tree = parsed(sql)
    for table in tree.find_all(exp.Table):
        if (place := (places or {}).get(f"{table.db}.{table.name}")) is not None:
            table.set("db", exp.to_identifier(place[0], quoted=True) if place[0] else None)
            table.set("this", exp.to_identifier(place[1], quoted=True))
    written: str = import_module(f".dialects.{dialect}", __package__).written(tree)
    return written
