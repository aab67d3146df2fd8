"""What the stages say of themselves, from lag, inbox, ledger and gold: read only when an alert fires."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ..api import OpenLake
from ..bronze.deliver import CONSUMER
from ..bronze.layout import INBOX, arrival, from_inbox
from ..gold.catalog import EVENT_COUNTS
from ..gold.stores import Row
from ..pipeline import Pipeline
from .layer import Share, Signals

_USUALLY = timedelta(days=7)
_PATIENCE = timedelta(minutes=15)

_REFUSED = """
    select
        received_hour >= $since as now,
        sum(events) filter (outcome = 'quarantined') as refused,
        sum(events) as events
    from ledger
    where day >= cast($before as date) - 1 and received_hour >= $before and received_hour < $until
    group by 1
"""


def signals(lake: OpenLake, since: datetime, until: datetime) -> Signals:
    """Of the hours that hold the time judged, against the week before them."""
    first = since.replace(minute=0, second=0, microsecond=0)
    before = first - _USUALLY
    asked = {"since": first, "before": before, "until": until}
    refused = _shares(lake.sql(_REFUSED, asked).fetchall())
    gold = lake.pipeline.gold
    bots = _bots(gold.read(EVENT_COUNTS, before, until), first)
    patience = max(_PATIENCE, 3 * timedelta(seconds=lake.pipeline.settings.deliver.seconds))
    return Signals(_waiting(lake.pipeline), patience, *refused, *bots)


def _shares(rows: list[tuple[int | bool, int | None, int | None]]) -> tuple[Share, Share]:
    """Now, and usually."""
    found = {bool(now): Share(int(part or 0), int(whole or 0)) for now, part, whole in rows}
    return found.get(True, Share()), found.get(False, Share())


def _bots(rows: Iterable[Row], since: datetime) -> tuple[Share, Share]:
    """Of the rollup's rows, before `since` and from then on."""
    sums = {True: [0, 0], False: [0, 0]}
    for bucket, _, events, bots in rows:
        found = sums[bucket >= since]
        found[0] += bots
        found[1] += events + bots
    return Share(*sums[True]), Share(*sums[False])


def _waiting(pipeline: Pipeline) -> timedelta:
    """Since when the oldest waits in the stream, or as an object in bronze."""
    inbox = (arrival(from_inbox(entry.key)) for entry in pipeline.lake.bronze.list(INBOX))
    oldest = [at for at in (pipeline.stream.lag(CONSUMER).oldest, *inbox) if at is not None]
    return pipeline.clock() - min(oldest) if oldest else timedelta()
