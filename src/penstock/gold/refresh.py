"""The job that looks which hours silver's new commits touched → recomputes their buckets whole and replaces them.

Nothing is ever added to a count, so late, repeated or reordered events cannot make it drift.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from ..silver import snapshot
from ..silver.columns import EVENTS
from ..silver.commit import Table
from ..silver.engines.duckdb import DuckDB
from . import by_day, sessions
from .by_day import DAY, Replacement
from .catalog import ROLLUPS, Of, Rollup, sql
from .steps import short
from .stores import Bucket, Shown, Store
from .touched import HOUR, every, touched

B = TypeVar("B", datetime, date)
_HOURS_AT_ONCE = 24 * 31
_DAYS_AT_ONCE = 7
_HOURLY = tuple(rollup for rollup in ROLLUPS if rollup.of is Of.events)
_DAILY = tuple(rollup for rollup in ROLLUPS if rollup.of is Of.steps)
_OF_SESSIONS = tuple(rollup for rollup in ROLLUPS if rollup.of is Of.sessions)


class Refreshed(NamedTuple):
    """In how many hours and days events came or went; false if in none."""

    hours: int = 0
    days: int = 0

    def __bool__(self) -> bool:
        return any(self)


def refresh(
    events: Table, store: Store, steps: Table, visits: Table, *, days: bool = True, memory_limit: str | None = None
) -> Refreshed:
    """Bring rollups, `steps` and the sessions, `visits`, up to silver's version; without `days`, only those by hour."""
    handle = events.open()
    now = Shown(str(handle.metadata().id), handle.version())
    work = _Work(events, store, now, memory_limit)
    try:
        hours = work.hourly()
        return Refreshed(hours, max(work.daily(steps), work.sessions(visits)) if days else 0)
    finally:
        work.close()


class _Work:
    """One refresh, up to the version `now`; `events` is opened at it."""

    def __init__(self, events: Table, store: Store, now: Shown, memory_limit: str | None) -> None:
        self._events = events
        self._store = store
        self._now = now
        self._shown = store.shown()
        self._memory_limit = memory_limit
        self._engine: DuckDB | None = None

    @property
    def _db(self) -> DuckDB:
        """Made when there is something to do, which most of the time there is not."""
        if self._engine is None:
            self._engine = DuckDB(memory_limit=self._memory_limit)
        return self._engine

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()

    # rollups, by what they are made from

    def hourly(self) -> int:
        names = [rollup.name for rollup in _HOURLY]
        if self._is_done(names):
            return 0
        changed = self._changed(names)
        hours = changed if changed is not None else every(self._events, self._db.ask) | self._known(_HOURLY)
        for some in _portions(hours, _HOURS_AT_ONCE):
            self._view("events", some, HOUR)
            self._replace(_HOURLY, some)
        self._store.finish(names, self._now)
        return len(hours)

    def daily(self, steps: Table) -> int:
        names = [*(rollup.name for rollup in _DAILY), by_day.bookmark(steps)]
        if self._is_done(names):
            return 0
        changed = self._days_changed(names)
        days = changed if changed is not None else self._all_days() | self._known(_DAILY) | by_day.days(steps)
        replacement = Replacement(steps, self._db)
        for day in sorted(days):
            self._view("events", [_midnight(day)], DAY)
            self._db.ask(f"create or replace temp view steps as {replacement.put(sql('steps'), day)}")
            self._replace(_DAILY, [day])
        replacement.commit()
        self._store.finish(names, self._now)
        return len(days)

    def sessions(self, visits: Table) -> int:
        names = [*(rollup.name for rollup in _OF_SESSIONS), by_day.bookmark(visits)]
        if self._is_done(names):
            return 0
        changed = self._days_changed(names)
        if changed is None:
            changed = self._all_days() | self._known(_OF_SESSIONS) | by_day.days(visits)
        days = sessions.around(changed)
        replacement = Replacement(visits, self._db)
        for some in _portions(days, _DAYS_AT_ONCE):
            self._begin_sessions(some)
            replacement.add("select * from sessions", some, sessions.ORDER)
            self._replace(_OF_SESSIONS, some)
        replacement.commit()
        self._store.finish(names, self._now)
        return len(changed)

    # what changed

    def _is_done(self, names: Collection[str]) -> bool:
        return all(self._shown.get(name) == self._now for name in names)

    def _changed(self, names: Collection[str]) -> set[datetime] | None:
        """Hours that changed since what all of `names` show; None if that is not one and the same, or long ago."""
        shown = {self._shown.get(name) for name in names}
        return touched(self._events, self._db.ask, shown.pop(), self._now) if len(shown) == 1 else None

    def _days_changed(self, names: Collection[str]) -> set[date] | None:
        hours = self._changed(names)
        return None if hours is None else {hour.date() for hour in hours}

    def _all_days(self) -> set[date]:
        return {hour.date() for hour in every(self._events, self._db.ask)}

    def _known(self, rollups: Iterable[Rollup]) -> set[Any]:
        return set[Any]().union(*(self._store.buckets(rollup) for rollup in rollups))

    # the work

    def _replace(self, rollups: Iterable[Rollup], buckets: Sequence[Bucket]) -> None:
        for rollup in rollups:
            self._store.replace(rollup, buckets, self._db.ask(rollup.sql))

    def _begin_sessions(self, days: Sequence[date]) -> None:
        """Table `sessions`: those that began on these days. `ids` has two days more, to know who went on."""
        self._view("anybody", {_midnight(day) + DAY * n for day in days for n in range(-2, 2)}, DAY)
        self._view("session_events", {_midnight(day) + DAY * n for day in days for n in range(2)}, DAY)
        self._db.ask(
            "create or replace temp table ids as select source, session_id, is_bot, day, min(event_ts) as first_ts"
            " from anybody where session_id is not null group by all"
        )
        wanted = ", ".join(f"date '{day}'" for day in days)
        self._db.ask(
            f"create or replace temp table sessions as select *, {short('session_id')} as session,"
            f" {short('coalesce(user_id, anonymous_id)')} as known_as"
            f" from ({sql(sessions.NAME)}) where day in ({wanted})"
        )

    def _view(self, name: str, starts: Iterable[datetime], length: timedelta) -> None:
        """Silver's rows of these buckets, with `hour` and `day`, read from the files that hold them and no others."""
        ranges = list(_ranges(starts, length))
        hours = [start + HOUR * n for start, end in ranges for n in range((end - start) // HOUR)]
        rows = snapshot.read_sql(snapshot.holding(self._events, hours), EVENTS)
        inside = " or ".join(
            f"event_ts >= '{start.isoformat()}' and event_ts < '{end.isoformat()}'" for start, end in ranges
        )
        self._db.ask(
            f"create or replace temp view {name} as select *,"
            " make_timestamptz(epoch_us(event_ts) // 3600000000 * 3600000000) as hour,"
            " date '1970-01-01' + (epoch_us(event_ts) // 86400000000)::integer as day"
            f" from ({rows}) where {inside}"
        )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _ranges(starts: Iterable[datetime], length: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Buckets → from when to when they reach, neighbours together."""
    first = last = None
    for start in sorted(starts):
        if start != last:
            if first is not None and last is not None:
                yield first, last
            first = start
        last = start + length
    if first is not None and last is not None:
        yield first, last


def _portions(buckets: Iterable[B], size: int) -> Iterator[list[B]]:
    """In order, so many at a time."""
    rest = iter(sorted(buckets))
    while some := list(islice(rest, size)):
        yield some
