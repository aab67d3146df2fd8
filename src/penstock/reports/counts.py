"""How often did it happen? An event type and a time → one row per hour or day, from gold; empty ones are zero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ..gold.catalog import Grain
from ..gold.layout import plain, typed
from ..gold.stores.sqlite import SQLite


class Row(NamedTuple):
    """`bucket` is where the hour or day starts, UTC."""

    bucket: datetime
    events: int


class Counts(NamedTuple):
    rows: list[Row]
    bots_left_out: int

    @property
    def total(self) -> int:
        return sum(row.events for row in self.rows)


_SQL = """
    select bucket, events, bot_events from event_counts
    where event_type = ? and bucket >= ? and bucket <= ? order by bucket
"""


def counts(
    gold: SQLite, event_type: str, *, since: datetime, until: datetime, by: Grain = Grain.hour, bots: bool = False
) -> Counts:
    """Whole hours from the one that holds `since` to the one that holds `until`."""
    first, last = _start(since, by), _start(until, by)
    step = timedelta(hours=1) if by is Grain.hour else timedelta(days=1)
    buckets = {first + step * i: 0 for i in range((last - first) // step + 1)}
    left_out = 0
    until_hour = _start(until, Grain.hour)
    for text, events, bot_events in gold.query(_SQL, (event_type, plain(first), plain(until_hour))):
        bucket = _start(typed("TIMESTAMPTZ", text), by)
        buckets[bucket] += events + (bot_events if bots else 0)
        left_out += 0 if bots else bot_events
    return Counts([Row(bucket, events) for bucket, events in buckets.items()], left_out)


def known(gold: SQLite) -> list[str]:
    """Every event type that was ever counted."""
    return [name for (name,) in gold.query("select distinct event_type from event_counts order by event_type")]


def _start(at: datetime, by: Grain) -> datetime:
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if by is Grain.hour else hour.replace(hour=0)
