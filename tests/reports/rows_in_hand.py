"""Rows of silver in hand, and reports about them: no lake, no files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from penstock.reports.run import Answer, ask
from penstock.reports.statement import Statement
from penstock.silver.columns import EVENTS, arrow

COLUMNS = {column.name: column.type for column in EVENTS}
NOW = datetime(2026, 3, 1, tzinfo=UTC)


class RowsInHand:
    """The table `silver.events` of these rows; what a row does not say is null, and it is no crawler's."""

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self.db = duckdb.connect()
        self.db.execute("set timezone = 'UTC'")
        self.db.execute("create schema silver")
        self.put(rows)

    def put(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """In place of those that were there."""
        given = [{"is_bot": False, "source": "default", **row} for row in rows]
        names = {name for row in given for name in row}
        lacking = [f"null::{kind} as {name}" for name, kind in COLUMNS.items() if name not in names]
        schema = pa.schema([field for field in arrow(EVENTS) if field.name in names])
        sent = pa.Table.from_pylist(given, schema) if given else None
        if sent is not None:
            self.db.register("sent", sent)
        rest = ", ".join(["*", *lacking]) if sent is not None else ", ".join(lacking)
        self.db.execute(
            f"create or replace table silver.events as select {rest} " + ("from sent" if given else "where false")
        )

    def run(self, told: Statement) -> pa.Table:
        return self.sql(told.sql, told.values)

    def sql(self, sql: str, values: Mapping[str, Any]) -> pa.Table:
        return self.db.sql(sql, params=dict(values)).to_arrow_table()

    def ask(self, name: str, *, now: datetime = NOW, **asked: Any) -> Answer:
        return ask(name, self.run, COLUMNS, now=now, **asked)

    def rows(self, name: str, **asked: Any) -> list[dict[str, Any]]:
        return self.ask(name, **asked).rows()
