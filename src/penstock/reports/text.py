"""A statement and its values → SQL that a person can read, copy and run, in DuckDB's words or another engine's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlglot
from sqlglot import exp

from ..errors import PenstockError

NAME = re.compile(r"\$([a-z_][a-z0-9_]*)")


class Dialect(StrEnum):
    """Whose SQL."""

    duckdb = "duckdb"
    athena = "athena"
    spark = "spark"
    snowflake = "snowflake"


_EPOCH_US = {
    Dialect.athena: "cast(to_unixtime({}) * 1000000 as bigint)",
    Dialect.spark: "unix_micros({})",
    Dialect.snowflake: "date_part(epoch_microsecond, {})",
}
"""Microseconds since 1970, of which sqlglot does not know."""


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


def dialect_sql(sql: str, dialect: str) -> str:
    """DuckDB's SQL in the words of `dialect`. Raises PenstockError for one that we do not speak."""
    if dialect not in list(Dialect):
        raise PenstockError(f"there is no dialect {dialect!r}", hint=f"choose one of {', '.join(Dialect)}")
    if dialect == Dialect.duckdb:
        return sql
    parsed = sqlglot.parse_one(sql, read="duckdb")
    for part in parsed.find_all(exp.CTE):
        part.set("materialized", None)  # the others have no such word
    for call in parsed.find_all(exp.Anonymous):
        if call.name.lower() == "epoch_us":
            micros = _EPOCH_US[Dialect(dialect)].format(call.expressions[0].sql(dialect))
            call.replace(sqlglot.parse_one(micros, read=dialect))
    return parsed.sql(dialect, pretty=True, unsupported_level=sqlglot.ErrorLevel.IGNORE)
