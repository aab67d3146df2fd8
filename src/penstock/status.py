"""The way as it is now: per stage what it holds, what waits for the next, and how fresh it is."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import duckdb

from .bronze.deliver import CONSUMER
from .bronze.layout import INBOX, arrival, from_inbox
from .clock import iso
from .gold.catalog import ROLLUPS
from .pipeline import Pipeline
from .silver.lake import Silver


class StageStatus(NamedTuple):
    """Texts for people: `waiting` is what the next stage has not taken."""

    stage: str
    holds: str
    waiting: str
    newest: str


def status(pipeline: Pipeline) -> list[StageStatus]:
    """One row per stage; reads bookmarks and statistics, not the data."""
    return [_stream(pipeline), _bronze(pipeline), *_silver(pipeline), _gold(pipeline)]


def _stream(pipeline: Pipeline) -> StageStatus:
    lag = pipeline.stream.lag(CONSUMER)
    kept = sum(pipeline.stream.ends().values())
    since = f" since {iso(lag.oldest)}" if lag.oldest else ""
    return StageStatus("stream", f"{kept} records replayable", f"{lag.records} records{since}", "")


def _bronze(pipeline: Pipeline) -> StageStatus:
    inbox = [from_inbox(entry.key) for entry in pipeline.lake.bronze.list(INBOX)]
    oldest = min((at for key in inbox if (at := arrival(key))), default=None)
    since = f" since {iso(oldest)}" if oldest else ""
    return StageStatus("bronze", pipeline.lake.bronze.url, f"{len(inbox)} objects{since}", "")


def _silver(pipeline: Pipeline) -> list[StageStatus]:
    silver = pipeline.lake.silver
    views = silver.views()
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        [(stored, newest)] = db.execute(f"select count(*), max(received_at) from ({views['events']})").fetchall()
        [(bad, last)] = db.execute(f"select count(*), max(received_at) from ({views['quarantine']})").fetchall()
    waiting = f"{_behind(pipeline, silver)} commits"
    return [
        StageStatus("silver", f"{stored} events, batch {silver.events.batch()}", waiting, _when(newest)),
        StageStatus("quarantine", f"{bad} events", "", _when(last)),
    ]


def _behind(pipeline: Pipeline, silver: Silver) -> int:
    """How many of silver's commits the rollup does not show that shows the fewest."""
    handle, shown = silver.events.open(), pipeline.gold.shown()
    told = [shown.get(rollup.name) for rollup in ROLLUPS]
    table = str(handle.metadata().id)
    return max(handle.version() - (each.version if each and each.table == table else 0) for each in told)


def _gold(pipeline: Pipeline) -> StageStatus:
    hours = pipeline.gold.query("select count(distinct bucket), max(bucket) from event_counts")[0]
    sessions = sum(file.stats["numRecords"] for file in pipeline.sessions.files())
    return StageStatus("gold", f"{hours[0]} hours, {sessions} sessions", "", hours[1] or "nothing yet")


def _when(moment: datetime | None) -> str:
    return iso(moment) if moment else "nothing yet"
