"""How often did it happen? An event type and a time → one row per hour or day, from gold; empty ones are zero."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ..gold.catalog import EVENT_COUNTS, Grain
from ..gold.stores import Store


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


def counts(
    gold: Store, event_type: str, *, since: datetime, until: datetime, by: Grain = Grain.hour, bots: bool = False
) -> Counts:
    """Whole hours from the one that holds `since` to the one that holds `until`."""
    found = gold.read_key(EVENT_COUNTS, event_type, start(since, by), start(until, Grain.hour))
    summed = summed_up([(bucket, events) for bucket, _, events, _ in found], since=since, until=until, by=by)
    crawled = summed_up([(bucket, bot_events) for bucket, _, _, bot_events in found], since=since, until=until, by=by)
    if not bots:
        return Counts(summed, sum(row.events for row in crawled))
    return Counts([Row(one.bucket, one.events + two.events) for one, two in zip(summed, crawled, strict=True)], 0)


def summed_up(found: Iterable[tuple[datetime, int]], *, since: datetime, until: datetime, by: Grain) -> list[Row]:
    """(hour, how many) → a row for each hour or day, also for those without."""
    first, last = start(since, by), start(until, by)
    step = timedelta(hours=1) if by is Grain.hour else timedelta(days=1)
    buckets = {first + step * i: 0 for i in range((last - first) // step + 1)}
    for hour, events in found:
        buckets[start(hour, by)] += events
    return [Row(bucket, events) for bucket, events in buckets.items()]


def known(gold: Store) -> list[str]:
    """Every event type that was ever counted."""
    return sorted({event_type for _, event_type, *_ in gold.read(EVENT_COUNTS)})


def start(at: datetime, by: Grain) -> datetime:
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if by is Grain.hour else hour.replace(hour=0)
