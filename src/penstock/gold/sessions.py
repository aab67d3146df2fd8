"""The table `sessions`, a Delta table partitioned by day: a row for each session, put in place of others by the day.

What a session is, `sql/sessions.sql` says. As a day's sessions depend on who was there on the days around it, a change
reaches from one day before to two days after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from ..objects import Objects
from ..silver import snapshot
from ..silver.columns import Column, arrow
from ..silver.commit import DataFile, Table
from ..silver.engines.duckdb import DuckDB
from .catalog import DECIMAL

DAY = timedelta(days=1)
NAME = "sessions"
SESSIONS = (
    Column("source", "VARCHAR", "who sent it"),
    Column("session_id", "VARCHAR", "random id of the visit"),
    Column("is_bot", "BOOLEAN", "of a known crawler; its events are a session of their own"),
    Column("user_id", "VARCHAR", "the sender's id of a known person"),
    Column("anonymous_id", "VARCHAR", "the sender's id of an unknown person"),
    Column("start_ts", "TIMESTAMPTZ", "its first event"),
    Column("end_ts", "TIMESTAMPTZ", "its last event"),
    Column("entry_page", "VARCHAR", "path of the first page view"),
    Column("exit_page", "VARCHAR", "path of the last page view"),
    Column("views", "BIGINT", "page views"),
    Column("events", "BIGINT", "events"),
    Column("max_scroll", "INTEGER", "percent, the deepest mark of scroll_depth"),
    Column("engaged_seconds", "BIGINT", "visible time, by the marks of time_on_page: 30, 60, 180, 300 on each page"),
    Column("channel", "VARCHAR", "direct, search, social, email, paid, referral, campaign"),
    Column("referrer_host", "VARCHAR", "host that led here"),
    Column("utm_source", "VARCHAR", "campaign source"),
    Column("utm_medium", "VARCHAR", "campaign medium"),
    Column("utm_campaign", "VARCHAR", "campaign name"),
    Column("utm_term", "VARCHAR", "campaign term"),
    Column("utm_content", "VARCHAR", "campaign content"),
    Column("device", "VARCHAR", "desktop, mobile, tablet, or what the sender says"),
    Column("browser", "VARCHAR", "family of the browser"),
    Column("os", "VARCHAR", "family of the operating system"),
    Column("country", "VARCHAR", "only if the sender gives it"),
    Column("language", "VARCHAR", "language tag"),
    Column("first_day", "DATE", "day of this visitor's first session"),
    Column("prev_day", "DATE", "day of this visitor's previous session; null in the first"),
    Column("cta_clicks", "BIGINT", "clicks on a call to action"),
    Column("form_submits", "BIGINT", "forms that were sent"),
    Column("purchases", "BIGINT", "purchases"),
    Column("revenue", DECIMAL, "of its purchases"),
    Column("converted", "BOOLEAN", "it has a purchase, a sent form, or a click on a call to action"),
    Column("bounced", "BOOLEAN", "it has one page view and did not convert"),
    Column("variants", "VARCHAR", "experiment to variant, JSON text; as its last event has them"),
)
DAYS = (Column("day", "DATE", "of its first event, UTC"),)


def table(lake_url: str) -> Table:
    """The lake's table; one that was made with other columns is deleted, to be made again."""
    found = Table(f"{lake_url}/gold/{NAME}", SESSIONS, DAYS)
    if pa.schema(found.open().schema().to_arrow()) == arrow([*SESSIONS, *DAYS]):
        return found
    Objects(f"{lake_url}/gold").delete_folder(NAME)
    return Table(found.url, SESSIONS, DAYS)


def bookmark(table: Table) -> str:
    """The name under which a store says which silver the table shows; another when the table was made anew."""
    return f"{NAME} {table.open().metadata().id}"


def days(table: Table) -> set[date]:
    """Those that have a session."""
    return {_day(file) for file in table.files()}


def around(changed: Iterable[date]) -> set[date]:
    """Days of which sessions may be others after events of the days `changed` came or went."""
    return {day + DAY * n for day in changed for n in range(-1, 3)}


def sql(table: Table) -> str:
    """SQL for all rows."""
    return snapshot.read_sql(snapshot.files(table.open()), SESSIONS, DAYS)


class Replacement:
    """Days that were worked out, written but not yet part of the table; then `commit` puts all of them in at once."""

    def __init__(self, table: Table, engine: DuckDB) -> None:
        self._table = table
        self._engine = engine
        self._old: list[str] = []
        self._new: list[DataFile] = []
        self._there: dict[date, list[str]] = {}
        for file in table.files():
            self._there.setdefault(_day(file), []).append(file.path)

    def add(self, some: Collection[date]) -> None:
        """These days are now as the engine's table `sessions` has them."""
        for day in sorted(some):
            old = self._there.get(day, [])
            rows = _rows(f"select * from sessions where day = date '{day}'")
            before = _rows(snapshot.rows_sql(self._table, SESSIONS, DAYS, only=old))
            if self._engine.ask(f"({rows} except {before}) union all ({before} except {rows}) limit 1"):
                self._write(day, rows)
                self._old += old

    def _write(self, day: date, rows: str) -> None:
        ordered = f"{rows} order by start_ts, source, session_id, is_bot"
        with TemporaryDirectory(prefix="penstock-") as temporary:
            stage = Path(temporary)
            folder = self._table.folder(stage)
            found = self._engine.write_partition(ordered, folder, SESSIONS, {"day": day.isoformat()})
            self._table.make_durable(found, stage)
        self._new += found

    def commit(self) -> None:
        if self._old or self._new:
            self._table.cut(self._old, self._new)


def _rows(sql: str) -> str:
    return f"select {', '.join(column.name for column in SESSIONS)} from ({sql})"


def _day(file: DataFile) -> date:
    return date.fromisoformat(str(file.partition["day"]))
