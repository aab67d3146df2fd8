"""The rollups → views over the table `events`, for engines that have no gold of ours: what BI tools there read."""

from __future__ import annotations

from collections.abc import Iterator

from ..gold.catalog import ROLLUPS
from ..gold.over_silver import over_silver
from .text import dialect_sql


def views(dialect: str) -> Iterator[str]:
    """A statement for each, in the words of `athena` or `spark`; there, the session's time zone has to be UTC."""
    for rollup in ROLLUPS:
        sql = dialect_sql(over_silver(rollup), dialect, {"silver.events": ("", "events")})
        yield f"create or replace view {rollup.name} as\n{sql}"
