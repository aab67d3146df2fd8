"""The table `walks`, a Delta table partitioned by day: pages in the order seen, and how many sessions saw just these.

Of sessions of one day; the others are in `overnight`. Where sessions go is asked of far fewer rows than there are
events; but long walks are all different, so there are too many for a rollup.
"""

from __future__ import annotations

from ..cache import Cache
from ..silver.columns import Column
from ..silver.commit import Table
from . import by_day

NAME = "walks"
ORDER = "walk"
WALKS = (
    Column(
        "walk", "VARCHAR", "paths of the pages in their order, JSON text; one that is seen again at once is there once"
    ),
    Column("sessions", "BIGINT", "sessions of one day that went so"),
)


def table(lake_url: str, cache: Cache | None = None) -> Table:
    """The lake's table."""
    return by_day.table(lake_url, NAME, WALKS, cache)
