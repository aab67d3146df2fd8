"""A look at the lake before a page asks it: since when there are events, how fresh they are, which answers hold."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ..api import OpenLake
from ..errors import Transient
from ..pipeline import Pipeline
from ..silver import snapshot
from ..status import in_bronze, in_stream
from ..worker_lock import worker_runs

LATE = timedelta(minutes=2)
"""What waits longer than that, people are told of."""


class Version(NamedTuple):
    """Answers for the same version are the same; of another `table` (made anew) none says anything about this one."""

    table: Hashable = None
    state: Hashable = None
    """What silver holds, and what gold shows of it."""


class Look(NamedTuple):
    """`first` and `newest` are None while there are no events."""

    version: Version = Version()
    columns: Mapping[str, str] = {}
    first: datetime | None = None
    newest: datetime | None = None
    """When the newest event was received."""
    late: timedelta | None = None
    """For how long the oldest event has been waiting that is in no report, if for too long."""
    worker: bool = True
    """Whether one runs; it is only looked for if something waits."""


def look(lake: OpenLake) -> Look:
    way = lake.pipeline
    handle = way.lake.silver.events.open()
    state = handle.version(), frozenset(way.gold.shown().items())
    version = Version((way.lake.silver.url, handle.metadata().id), state)
    return Look(version, lake.columns, *snapshot.span(handle), *_late(way))


def _late(way: Pipeline) -> tuple[timedelta | None, bool]:
    try:
        waiting = [each.since for each in (in_stream(way), in_bronze(way)) if each.since is not None]
    except (Transient, OSError):
        return None, True
    late = way.clock() - min(waiting) if waiting else timedelta()
    return (late, worker_runs(way.settings.data)) if late > LATE else (None, True)
