"""A look at the lake before a page asks it: which version it shows, since when there are events, how fresh they are."""

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


class Look(NamedTuple):
    """`version` is another whenever an answer may be. `first` and `newest` are None while there are no events."""

    version: Hashable = None
    columns: Mapping[str, str] = {}
    first: datetime | None = None
    newest: datetime | None = None
    """When the newest event was received."""
    late: timedelta | None = None
    """For how long the oldest event has been waiting that is in no report, if for too long."""
    worker: bool = True
    """Whether one runs; it is only looked for if something waits."""


def look(lake: OpenLake) -> Look:
    span = snapshot.span(lake.pipeline.lake.silver.events.open())
    return Look(lake.version(), lake.columns, *span, *_late(lake.pipeline))


def _late(way: Pipeline) -> tuple[timedelta | None, bool]:
    try:
        waiting = [each.since for each in (in_stream(way), in_bronze(way)) if each.since is not None]
    except (Transient, OSError):
        return None, True
    late = way.clock() - min(waiting) if waiting else timedelta()
    return (late, worker_runs(way.settings.data)) if late > LATE else (None, True)
