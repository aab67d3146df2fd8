"""Silver's commits since the version that is shown → hours of which rows came or went; hardly a file is read for it.

A file says its hour in its partition. What came over 35 days late is not kept by the hour: of such files, what was
added is looked into, and of what was taken away the statistics say from when to when it reached.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from ..objects import Objects
from ..silver import snapshot
from ..silver.actions import DataFile
from ..silver.columns import EVENTS, PARTITIONS
from ..silver.commit import Table
from .stores import Shown

Ask = Callable[[str], list[tuple[Any, ...]]]
HOUR = timedelta(hours=1)
_TIMES = [column for column in EVENTS if column.name == "event_ts"]
_LONGEST = timedelta(days=400)


def touched(events: Table, ask: Ask, done: Shown | None, now: Shown) -> set[datetime] | None:
    """Hours that may differ between `done` and `now`; None if nobody can tell, or it is hardly less than all."""
    if done is None or done.table != now.table or done.version > now.version:
        return None
    try:
        actions = list(_actions(events, done.version + 1, now.version))
    except FileNotFoundError:
        return None
    changes = [(action, _file(told)) for action, told in actions if told.get("dataChange", True)]
    hours = {hour for _, file in changes if (hour := _hour(file)) is not None}
    unplaced = {file.path for _, file in changes if _hour(file) is None}
    there = unplaced & events.sizes().keys()
    for path in unplaced - there:
        span = _span(path, [*events.files_at(done.version), *(_file(told) for _, told in actions)])
        if span is None or span[1] - span[0] > _LONGEST:
            return None
        hours |= _between(*span)
    return hours | _inside(events, ask, there)


def every(events: Table, ask: Ask) -> set[datetime]:
    """All hours that have an event."""
    found = events.files()
    hours = {hour for file in found if (hour := _hour(file)) is not None}
    return hours | _inside(events, ask, {file.path for file in found if _hour(file) is None})


def _inside(events: Table, ask: Ask, paths: Collection[str]) -> set[datetime]:
    if not paths:
        return set()
    rows = snapshot.rows_sql(events, _TIMES, only=paths)
    return {hour.astimezone(UTC) for (hour,) in ask(f"select distinct date_trunc('hour', event_ts) from ({rows})")}


def _actions(events: Table, first: int, last: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """(`add` or `remove`, what the log says of it), in order. Raises FileNotFoundError for a commit that is gone."""
    log = Objects(f"{events.url}/_delta_log")
    for number in range(first, last + 1):
        for line in log.get(f"{number:020}.json").splitlines():
            yield from ((name, told) for name, told in json.loads(line).items() if name in ("add", "remove"))


def _file(told: dict[str, Any]) -> DataFile:
    return DataFile(told["path"], 0, told.get("partitionValues") or {}, json.loads(told.get("stats") or "{}"))


def _hour(file: DataFile) -> datetime | None:
    values = [value for column in PARTITIONS if (value := file.partition.get(column.name)) is not None]
    if len(values) < len(PARTITIONS):
        return None
    year, month, day, hour = map(int, values)
    return datetime(year, month, day, hour, tzinfo=UTC)


def _span(path: str, files: Collection[DataFile]) -> tuple[datetime, datetime] | None:
    """When the first and the last event of the file at `path` happened, if one of `files` says so."""
    for file in files:
        if file.path == path and "event_ts" in file.stats.get("maxValues", {}):
            low, high = (file.stats[side]["event_ts"] for side in ("minValues", "maxValues"))
            return datetime.fromisoformat(low), datetime.fromisoformat(high)
    return None


def _between(low: datetime, high: datetime) -> set[datetime]:
    first = low.replace(minute=0, second=0, microsecond=0)
    return {first + HOUR * n for n in range((high - first) // HOUR + 1)}
