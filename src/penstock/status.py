"""The way as it is now: per stage what it holds, what waits for the next, and how fresh it is."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import duckdb

from .bronze.deliver import CONSUMER
from .bronze.layout import INBOX, arrival, from_inbox
from .clock import iso
from .gold.catalog import EVENT_COUNTS, ROLLUPS
from .gold.layout import plain
from .pipeline import Pipeline
from .silver import snapshot
from .silver.lake import Silver
from .stream import Promise


class Waiting(NamedTuple):
    """What the next stage has not taken, and since when the oldest of it waits."""

    number: int = 0
    since: datetime | None = None


class StreamStatus(NamedTuple):
    """`replayable` is None if the stream does not count."""

    replayable: int | None
    waiting: Waiting


class SilverStatus(NamedTuple):
    """`unshown`: how many of its commits gold does not show yet."""

    events: int
    newest: datetime | None
    quarantined: int
    newest_quarantined: datetime | None
    batch: int
    unshown: int


class GoldStatus(NamedTuple):
    """`newest` is the last hour in which an event happened."""

    hours: int
    sessions: int
    newest: str


class StageStatus(NamedTuple):
    """Texts for people: `waiting` is what the next stage has not taken."""

    stage: str
    holds: str
    waiting: str
    newest: str


def status(pipeline: Pipeline) -> list[StageStatus]:
    """One row per stage; reads bookmarks and statistics, and of quarantine when it came."""
    stream, inbox, silver = stream_status(pipeline), in_bronze(pipeline), silver_status(pipeline)
    gold = gold_status(pipeline)
    return [
        StageStatus("stream", _replayable(stream), _told(stream.waiting, "records"), ""),
        StageStatus("bronze", pipeline.lake.bronze.url, _told(inbox, "objects"), ""),
        StageStatus(
            "silver", f"{silver.events} events, batch {silver.batch}", f"{silver.unshown} commits", _when(silver.newest)
        ),
        StageStatus("quarantine", f"{silver.quarantined} events", "", _when(silver.newest_quarantined)),
        StageStatus("gold", f"{gold.hours} hours, {gold.sessions} sessions", "", gold.newest or "nothing yet"),
    ]


def stream_status(pipeline: Pipeline) -> StreamStatus:
    counts = Promise.COUNTS not in pipeline.stream.declines
    return StreamStatus(sum(pipeline.stream.ends().values()) if counts else None, in_stream(pipeline))


def in_stream(pipeline: Pipeline) -> Waiting:
    """Records that are not in bronze."""
    lag = pipeline.stream.lag(CONSUMER)
    return Waiting(lag.records, lag.oldest)


def in_bronze(pipeline: Pipeline) -> Waiting:
    """Objects that are not in silver."""
    inbox = [from_inbox(entry.key) for entry in pipeline.lake.bronze.list(INBOX)]
    return Waiting(len(inbox), min((at for key in inbox if (at := arrival(key))), default=None))


def silver_status(pipeline: Pipeline) -> SilverStatus:
    silver = pipeline.lake.silver
    handle = silver.events.open()
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        bad = f"select count(*), max(received_at) from ({silver.views(('quarantine',))['quarantine']})"
        [(quarantined, last)] = db.execute(bad).fetchall()
    return SilverStatus(
        snapshot.count(silver.events),
        snapshot.span(handle).newest,
        quarantined,
        last,
        silver.events.batch(),
        _unshown(pipeline, silver),
    )


def _unshown(pipeline: Pipeline, silver: Silver) -> int:
    """How many of silver's commits the rollup does not show that shows the fewest."""
    handle, shown = silver.events.open(), pipeline.gold.shown()
    told = [shown.get(rollup.name) for rollup in ROLLUPS]
    table = str(handle.metadata().id)
    return max(handle.version() - (each.version if each and each.table == table else 0) for each in told)


def gold_status(pipeline: Pipeline) -> GoldStatus:
    hours = pipeline.gold.buckets(EVENT_COUNTS)
    newest = str(plain(max(hours))) if hours else ""
    return GoldStatus(len(hours), snapshot.count(pipeline.sessions), newest)


def _replayable(stream: StreamStatus) -> str:
    return "" if stream.replayable is None else f"{stream.replayable} records replayable"


def _told(waiting: Waiting, things: str) -> str:
    return f"{waiting.number} {things}" + (f" since {iso(waiting.since)}" if waiting.since else "")


def _when(moment: datetime | None) -> str:
    return iso(moment) if moment else "nothing yet"
