"""A table or a report → its rows of one moment, all or of a period, ready to be read again and again by DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import duckdb
import pyarrow as pa

from ..errors import PenstockError
from ..gold import by_day, sessions
from ..gold.catalog import FOR_PEOPLE
from ..gold.table import table as rollup_table
from ..pipeline import Pipeline
from ..reports.period import Period
from ..reports.run import Answer
from ..reports.text import literal

_TIMES = {"events": "event_ts", "quarantine": "received_at", "ledger": "day", sessions.NAME: "start_ts"}
_UNKNOWN_DAY = "date '1970-01-01'"
TABLES = (*_TIMES, *(rollup.name for rollup in FOR_PEOPLE))
PERIOD = ("period_since", "period_until")
"""Columns that say of a report's rows what time was asked about."""


@dataclass(frozen=True)
class Rows:
    """Rows of the view `source` of `db`. `columns` is name → DuckDB's type; `time` the column that periods are of."""

    name: str
    db: duckdb.DuckDBPyConnection
    columns: Mapping[str, str]
    time: str | None = None
    period: Period | None = None
    by_hour_folders: bool = False

    def sql(self, columns: Sequence[str] = (), day: date | None = None) -> str:
        """SELECT of these expressions, or of all columns; of the period, or of one day (UTC) of it."""
        listed = ", ".join(columns or map(quoted, self.columns))
        return f"select {listed} from source where {' and '.join(self._conditions(day))}"

    def days(self) -> list[date]:
        """Those that have rows, in order. A report is of its first day; what has no time, of 1 January 1970."""
        sql = f"select distinct {self._day} from source where {' and '.join(self._conditions(None))} order by 1"
        return [day for (day,) in self.db.execute(sql).fetchall()]

    @property
    def _day(self) -> str:
        return f"coalesce(cast({quoted(self.time or PERIOD[0])} as date), {_UNKNOWN_DAY})"

    def _conditions(self, day: date | None) -> list[str]:
        found = ["true"]
        if day is not None:
            found += [f"{self._day} = {literal(day)}", *self._in_folders(day, day)]
        if self.period is not None and self.time is not None:
            since, until = in_utc(self.period)
            moment = f"cast({quoted(self.time)} as timestamptz)"
            found += [f"{moment} >= {literal(since)}", f"{moment} < {literal(until)}"]
            found += self._in_folders(since.date(), (until - timedelta.resolution).date())
        return found

    def _in_folders(self, first: date, last: date) -> list[str]:
        """What lets DuckDB leave out whole files, by one part of their folders at a time; late events lie in none."""
        found = []
        for part in ("year", "month", "day") if self.by_hour_folders else ():
            least, most = getattr(first, part), getattr(last, part)
            found.append(f'("{part}" is null or "{part}" between {least} and {most})')
            if least != most:
                break
        return found

    def is_of_whole_days(self) -> bool:
        if self.period is None:
            return True
        return all(moment == datetime(*moment.timetuple()[:3], tzinfo=UTC) for moment in in_utc(self.period))

    def close(self) -> None:
        self.db.close()


def of_table(way: Pipeline, name: str, period: Period | None = None) -> Rows:
    """Raises PenstockError for a table that there is not."""
    db = _connect(way)
    time = _TIMES.get(name)
    if name == sessions.NAME:
        _view(db, by_day.sql(way.sessions))
    elif time is not None:
        _view(db, way.lake.silver.views((name,))[name])
    else:
        _load(db, _rollup(way, name, period))
        time = "bucket"
    columns = _columns(db)
    in_folders = name == "events"
    if in_folders:
        columns = {column: kind for column, kind in columns.items() if column not in ("year", "month", "day", "hour")}
    return Rows(name, db, columns, time, period, in_folders)


def of_report(way: Pipeline, answer: Answer, *, with_period: bool) -> Rows:
    """`with_period`: each row says about which time it is, so that answers about others can lie beside it."""
    db, table, period = _connect(way), answer.beside(), answer.question.period
    if with_period:
        kind = pa.timestamp("us", tz="UTC")
        for place, (name, moment) in enumerate(zip(PERIOD, in_utc(period), strict=True)):
            told = pa.array([moment] * table.num_rows, kind)
            table = table.add_column(place, pa.field(name, kind), told)
    _load(db, table)
    return Rows(answer.question.report.name, db, _columns(db), None, period)


def in_utc(period: Period) -> tuple[datetime, datetime]:
    return period.since.astimezone(UTC), period.until.astimezone(UTC)


def _rollup(way: Pipeline, name: str, period: Period | None) -> pa.Table:
    rollup = next((rollup for rollup in FOR_PEOPLE if rollup.name == name), None)
    if rollup is None:
        raise PenstockError(
            f"there is no table {name!r}", hint=f"there are {', '.join(TABLES)}; and `penstock reports`"
        )
    if period is None:
        return rollup_table(rollup, way.gold.read(rollup))
    since, until = in_utc(period)
    if rollup.bucket.type == "DATE":
        return rollup_table(rollup, way.gold.read(rollup, since.date(), until.date() + timedelta(days=1)))
    return rollup_table(rollup, way.gold.read(rollup, since, until))


def _connect(way: Pipeline) -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    prepare(db, way)
    return db


def prepare(db: duckdb.DuckDBPyConnection, way: Pipeline) -> None:
    db.execute("set timezone = 'UTC'")
    if way.settings.refine.memory_limit is not None:
        db.execute(f"set memory_limit = {literal(way.settings.refine.memory_limit)}")


def _view(db: duckdb.DuckDBPyConnection, sql: str) -> None:
    db.execute(f"create view source as {sql}")


def _load(db: duckdb.DuckDBPyConnection, table: pa.Table) -> None:
    db.register("source", table)


def _columns(db: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return {name: kind for name, kind, *_ in db.execute("describe source").fetchall()}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
