"""Four weeks of a shop and a web site that do not exist → objects of bronze, of the source `demo`."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from ..objects import Objects
from ..simulator.plan import Kind, Plan
from ..simulator.write import write
from .load import files, load

SOURCE = "demo"
_DAYS, _EVENTS_A_DAY = 28, 500
_DAY = timedelta(days=1)


def fill(bronze: Objects, now: datetime) -> int:
    """Until `now`; returns how many objects. The same moment gives the same events, so again adds nothing."""
    start = now - _DAYS * _DAY
    plan = Plan(
        _EVENTS_A_DAY, _DAY // timedelta(milliseconds=1), int(start.timestamp() * 1000), _DAYS, Kind.both, source=SOURCE
    )
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        top = Path(folder)
        write(plan, top / f"source={SOURCE}")
        found = list(files(top))
        for path in found:
            load(bronze, path, now, below=top)
    return len(found)
