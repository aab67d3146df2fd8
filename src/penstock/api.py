"""What Python users hold: a lake to ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from .errors import SettingsError
from .gold import by_day, overnight, sessions, steps, walks
from .gold.catalog import ROLLUPS, Rollup
from .gold.stores import Shown
from .gold.table import table as rollup_table
from .pipeline import Pipeline
from .reports.engines import DUCKDB, Tell, opened
from .reports.question import prepare
from .reports.run import Answer, ask
from .reports.statement import Statement, statement
from .reports.text import dialect_sql, inlined
from .silver import snapshot
from .silver.columns import EVENTS
from .silver.commit import Table
from .silver.lake import NAMES
from .worker_lock import only_worker

SqlError = duckdb.Error
"""What a query raises that is refused or fails."""


class OpenLake:
    """The tables `events`, `quarantine`, `ledger` and the rollups, in SQL, and reports on them.

    Every call sees the newest commit.
    """

    def __init__(self, pipeline: Pipeline, *, makes_gold: bool = True) -> None:
        """Of a lake that may only be read, gold is made here when it is asked for; unless others see to that."""
        self.pipeline = pipeline
        self._makes_gold = makes_gold and pipeline.settings.read_only
        self._shown: dict[str, Shown | None] = {}
        self._views: dict[str, tuple[str, int]] = {}
        self._db = duckdb.connect()
        self._db.execute("set timezone = 'UTC'")
        for schema in ("silver", "gold"):
            self._db.execute(f"create schema {schema}")

    def sql(self, query: str, parameters: Mapping[str, Any] | None = None) -> duckdb.DuckDBPyRelation:
        """The answer, lazily: `.to_arrow_table()`, `.df()` (pandas), `.pl()` (Polars), `.fetchall()`. Times are UTC.

        `parameters` are the query's `$name`s. Raises SqlError for a query that DuckDB refuses.
        """
        wanted = NAMES if self.pipeline.cache is None else [name for name in NAMES if name in query.lower()]
        for name, sql in (self.pipeline.lake.silver.views(wanted) if wanted else {}).items():
            self._db.execute(f"create or replace view silver.{name} as {sql}")
            self._db.execute(f"create or replace temp view {name} as select * from silver.{name}")
        self._show_gold(query)
        return self._db.sql(query, params=parameters)

    def make_gold(self) -> None:
        """Of a lake that may only be read: bring our own gold up to it, unless another process is at it."""
        if self._makes_gold:
            with suppress(SettingsError), only_worker(self.pipeline.settings.data):
                self.pipeline.rollup()

    def _show_gold(self, query: str) -> None:
        """What of gold `query` may name, in the schema `gold` and as tables without one, as it is now."""
        wanted = query.lower()
        if any(name in wanted for name in (*self._by_day, *(rollup.name for rollup in ROLLUPS))):
            self.make_gold()
        for name, table in self._by_day.items():
            if name in wanted and self._views.get(name) != (version := (table.url, table.version())):
                self._db.execute(f"create or replace view gold.{name} as {by_day.sql(table)}")
                self._db.execute(f"create or replace temp view {name} as select * from gold.{name}")
                self._views[name] = version
        shown = self.pipeline.gold.shown()
        for rollup in ROLLUPS:
            now = shown.get(rollup.name)
            if rollup.name in wanted and (now is None or now != self._shown.get(rollup.name)):
                self._load(rollup)
                self._shown[rollup.name] = now

    @property
    def _by_day(self) -> dict[str, Table]:
        way = self.pipeline
        return {
            sessions.NAME: way.sessions,
            steps.NAME: way.steps,
            overnight.NAME: way.overnight,
            walks.NAME: way.walks,
        }

    def report(
        self,
        name: str,
        *,
        stale: timedelta = timedelta(0),
        engine: str = DUCKDB,
        tell: Tell | None = None,
        **asked: Any,
    ) -> Answer:
        """A report's answer: `.df()`, `.pl()`, `.to_arrow()`, `.rows()`, `.sql`; `penstock reports` lists them all.

        `since` and `until` are words (`"7d"`, `"2026-02-01"`), dates or aware datetimes; further there are `zone`,
        `grain`, `where`, `by`, `bots`, `compare`, and the report's parameters. The answer holds all that silver holds;
        with `stale` gold may also answer that lacks what came so lately, and `as_of` says how far it reaches. Raises
        PenstockError, SqlError.

        `engine`: `duckdb`, or `athena` or `spark`, which read silver. What that takes is told to `tell` as it happens,
        or else in the answer's `notes`.
        """
        now = self.pipeline.clock()
        if engine != DUCKDB:
            notes: list[str] = []
            with opened(engine, self.pipeline.lake.silver, self.pipeline.settings, tell or notes.append) as other:
                found = ask(name, other.ask, self.columns, now=now, inlines=True, **asked)
            return replace(found, as_of=now, notes=(*found.notes, *notes))
        reaches: dict[str, datetime] = {}
        found = ask(name, self._run, self.columns, now=now, gold=self._is_shown(stale, reaches), **asked)
        sql = found.statement.sql + (found.comparison.statement.sql if found.comparison else "")
        behind = [moment for gold, moment in reaches.items() if re.search(rf"\bgold\.{gold}\b", sql)]
        return replace(found, as_of=min([now, *behind]), lacks=bool(behind))

    def report_sql(self, name: str, *, dialect: str = "duckdb", **asked: Any) -> str:
        """The SQL of a report that is asked like this, also for `athena`, `spark` or `snowflake`."""
        asked_now = prepare(name, self.columns, now=self.pipeline.clock(), **asked)
        told = statement(asked_now, inlines=dialect != "duckdb")
        return dialect_sql(inlined(told.sql, told.values), dialect)

    @property
    def columns(self) -> dict[str, str]:
        """Of `events`, with the settings' own: name → DuckDB's type."""
        return {column.name: column.type for column in (*EVENTS, *self.pipeline.schema.columns)}

    def _is_shown(self, stale: timedelta, reaches: dict[str, datetime]) -> Callable[[str], bool]:
        """Tells of a rollup, or of sessions and steps, whether it shows what silver shows now, or not long ago.

        Of one that is behind, it notes until when that `reaches`.
        """
        handle = self.pipeline.lake.silver.events.open()
        now, shown = Shown(str(handle.metadata().id), handle.version()), self.pipeline.gold.shown()
        tables = self._by_day

        def is_shown(name: str) -> bool:
            has = shown.get(by_day.bookmark(tables[name]) if name in tables else name)
            if has == now or has is None or has.table != now.table or not stale:
                return has == now
            reaches[name] = snapshot.committed(handle, has.version + 1)
            return self.pipeline.clock() - reaches[name] <= stale

        return is_shown

    def _run(self, told: Statement) -> pa.Table:
        """Of silver's files, only those are looked at whose statistics do not say that they are too old."""
        if "silver." in told.sql:
            rows = self.pipeline.lake.silver.events_sql(since=told.since)
            self._db.execute(f"create or replace view silver.events as {rows}")
        if "gold." in told.sql:
            self._show_gold(told.sql)
        return self._db.sql(told.sql, params=told.values).to_arrow_table()

    def _load(self, rollup: Rollup) -> None:
        self._db.register("loading", rollup_table(rollup, self.pipeline.gold.read(rollup)))
        self._db.execute(f"create or replace table gold.{rollup.name} as from loading")
        self._db.execute(f"create or replace temp view {rollup.name} as from gold.{rollup.name}")
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
