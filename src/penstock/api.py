"""What Python users hold: a lake to ask."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from .gold.catalog import ROLLUPS, Rollup
from .gold.stores.sqlite import Shown
from .pipeline import Pipeline
from .reports.run import Answer, ask, prepare, statement
from .reports.text import dialect_sql, inlined
from .silver.columns import EVENTS

SqlError = duckdb.Error
"""What a query raises that is refused or fails."""


class OpenLake:
    """The tables `events`, `quarantine`, `ledger` and the rollups, in SQL, and reports on them.

    Every call sees the newest commit.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._shown: Shown | None = None
        self._db = duckdb.connect()
        self._db.execute("set timezone = 'UTC'")
        for schema in ("silver", "gold"):
            self._db.execute(f"create schema {schema}")

    def sql(self, query: str, parameters: Mapping[str, Any] | None = None) -> duckdb.DuckDBPyRelation:
        """The answer, lazily: `.to_arrow_table()`, `.df()` (pandas), `.pl()` (Polars), `.fetchall()`. Times are UTC.

        `parameters` are the query's `$name`s. Raises SqlError for a query that DuckDB refuses.
        """
        for name, sql in self.pipeline.lake.silver.views().items():
            self._db.execute(f"create or replace temp view {name} as {sql}")
        shown = self.pipeline.gold.shown()
        if shown is None or shown != self._shown:
            for rollup in ROLLUPS:
                self._load(rollup)
            self._shown = shown
        return self._db.sql(query, params=parameters)

    def report(self, name: str, **asked: Any) -> Answer:
        """A report's answer: `.df()`, `.pl()`, `.to_arrow()`, `.rows()`, `.sql`; `penstock reports` lists them all.

        `since` and `until` are words (`"7d"`, `"2026-02-01"`), dates or aware datetimes; further there are `zone`,
        `grain`, `where`, `by`, `bots`, `compare`, and the report's parameters. Raises PenstockError, SqlError.
        """
        self._db.execute(f"create or replace view silver.events as {self.pipeline.lake.silver.views()['events']}")
        return ask(name, self._run, self._columns, now=self.pipeline.clock(), **asked)

    def report_sql(self, name: str, *, dialect: str = "duckdb", **asked: Any) -> str:
        """The SQL of a report that is asked like this, also for `athena`, `spark` or `snowflake`."""
        told = statement(prepare(name, self._columns, now=self.pipeline.clock(), **asked))
        return dialect_sql(inlined(told.sql, told.values), dialect)

    @property
    def _columns(self) -> dict[str, str]:
        return {column.name: column.type for column in (*EVENTS, *self.pipeline.schema.columns)}

    def _run(self, sql: str, values: Mapping[str, Any]) -> pa.Table:
        return self._db.sql(sql, params=values).to_arrow_table()

    def _load(self, rollup: Rollup) -> None:
        types = {
            "bucket": pa.string(),
            **dict.fromkeys(rollup.keys, pa.string()),
            **dict.fromkeys(rollup.values, pa.int64()),
        }
        rows = self.pipeline.gold.query(f"select {', '.join(types)} from {rollup.name}")
        columns = [pa.array([row[index] for row in rows], kind) for index, kind in enumerate(types.values())]
        self._db.register("loading", pa.table(columns, names=list(types)))
        self._db.execute(
            f"create or replace temp table {rollup.name} as"
            " select * replace (bucket::timestamptz as bucket) from loading"
        )
        self._db.unregister("loading")

    def close(self) -> None:
        self._db.close()
        self.pipeline.close()

    def __enter__(self) -> OpenLake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
