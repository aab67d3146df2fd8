"""The three tables of silver → DDL that makes them known to DuckDB, Athena or Spark, which read the same files."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from ..errors import PenstockError
from .lake import Silver

_AGAIN = "-- After `penstock rebuild` the tables lie elsewhere: make this again then."
_RAW = "-- `quarantine` holds all that ever was in it; a row with reason 'replayed' says that a line got out."


class Engine(StrEnum):
    """Who is to read the tables."""

    duckdb = "duckdb"
    athena = "athena"
    spark = "spark"


def ddl(silver: Silver, engine: Engine) -> str:
    """Statements with comments. Raises PenstockError if that engine cannot reach the lake."""
    return {Engine.duckdb: _duckdb, Engine.athena: _athena, Engine.spark: _spark}[engine](silver)


def _duckdb(silver: Silver) -> str:
    """Views over the files of now, where they lie: no extension is needed, but `httpfs` for a bucket."""
    head = (
        f"-- The files of version {silver.events.version()} of `events`: make this again after each `refine`,\n"
        f"-- or have the extension `delta` follow the tables: from delta_scan({_quoted(silver.events.url)})"
    )
    views = (f"create or replace view {name} as\n{sql};" for name, sql in replace(silver, cache=None).views().items())
    return "\n\n".join([head, *views])


def _athena(silver: Silver) -> str:
    if not silver.url.startswith("s3://"):
        raise PenstockError(f"Athena reads from S3 only, and this lake is {silver.url}", hint='set lake = "s3://…"')
    head = (
        "-- Athena (engine version 3) reads the Delta tables themselves, and takes the columns from their log.\n"
        "-- Over the bare Parquet folders it would also show files that were merged and are not deleted yet.\n"
        + f"{_RAW}\n{_AGAIN}"
    )
    tables = (
        f"create external table if not exists {name}\nlocation {_quoted(url + '/')}\n"
        "tblproperties ('table_type' = 'DELTA');"
        for name, url in _places(silver).items()
    )
    return "\n\n".join([head, *tables])


def _spark(silver: Silver) -> str:
    tables = (
        f"create table if not exists {name} using delta location {_quoted(url)};"
        for name, url in _places(silver).items()
    )
    return "\n\n".join([f"-- Delta takes columns and partitions from its log.\n{_RAW}\n{_AGAIN}", *tables])


def _places(silver: Silver) -> dict[str, str]:
    return {"events": silver.events.url, "quarantine": silver.quarantine.url, "ledger": silver.ledger.url}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "%27") + "'"
