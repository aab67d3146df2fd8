"""The table `steps`, a Delta table partitioned by day: silver's events of people, narrow, as most questions need them.

Reports that no rollup answers read it in place of silver: one file for a day, short keys for sessions and persons, what
reports ask of the properties in columns, and nothing that only makes rows wide. What a row is made of, `sql/steps.sql`
says.
"""

from __future__ import annotations

from ..cache import Cache
from ..silver.columns import EVENTS, Column
from ..silver.commit import Table
from . import by_day

NAME = "steps"
_AS_THEY_ARE = (
    "source", "event_type", "event_ts", "seq", "page_path", "referrer_host", "channel", "utm_source", "utm_medium",
    "utm_campaign", "utm_term", "utm_content", "device", "browser", "os", "screen_width", "screen_height", "language",
    "country", "product_id", "category", "price", "quantity", "revenue", "variants",
)  # fmt: skip
PROPERTIES = ("percent", "seconds", "form", "file", "experiment", "variant")
"""Of an event's properties, those that are here, as text: `property_percent`."""

STEPS = (
    Column(
        "session",
        "BIGINT",
        "short for `session_id`: the last 8 bytes of its MD5, without the lowest bit",
    ),
    Column("known_as", "BIGINT", "short for `user_id`, else `anonymous_id`, in the same way"),
    *(column._replace(needs=()) for column in EVENTS if column.name in _AS_THEY_ARE),
    *(Column(f"property_{name}", "VARCHAR", f"`{name}` of the properties, as text") for name in PROPERTIES),
)


def short(name: str) -> str:
    """SQL for the key that stands for an id."""
    return f"(md5_number_lower({name}) >> 1)::bigint"


def table(lake_url: str, cache: Cache | None = None) -> Table:
    """The lake's table."""
    return by_day.table(lake_url, NAME, STEPS, cache)
