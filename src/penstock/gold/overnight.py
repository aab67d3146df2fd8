"""The table `overnight`, a Delta table partitioned by day: the steps of sessions that have some on more than one day.

All other sessions are of one day, so what is counted of these adds up over days: the rollups of `one_day` do so, and
reports add what they find in `overnight`. A change of one day may thus concern others: those on which a session was
that now is, or is no longer, of one day.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Protocol

from ..cache import Cache
from ..silver.commit import Table
from . import by_day
from .steps import STEPS

NAME = "overnight"
ORDER = "session, event_ts, seq"


class Ask(Protocol):
    """Runs SQL with its parameters."""

    def __call__(self, sql: str, parameters: Sequence[Any] = (), /) -> list[tuple[Any, ...]]: ...


def table(lake_url: str, cache: Cache | None = None) -> Table:
    """The lake's table."""
    return by_day.table(lake_url, NAME, STEPS, cache)


def find(ask: Ask, steps: str, changed: Collection[date], before: Sequence[tuple[date, int]]) -> set[date]:
    """Makes the table `overnight_sessions`; returns days, beside `changed`, on which who is in it is not who was
    `before`.

    `steps` is SQL for all of them as they are now; `before` says on which day which sessions were there.
    """
    days = ", ".join(f"date '{day}'" for day in changed)
    when, who = zip(*before, strict=True) if before else ((), ())
    ask(
        "create or replace temp table were as select unnest(?::date[]) as day, unnest(?::bigint[]) as session",
        [list(when), list(who)],
    )
    ask(
        "create or replace temp table in_question as"
        f" select distinct session from ({steps}) where day in ({days}) and session is not null"
        f" union select session from were where day in ({days})"
    )
    ask(
        "create or replace temp table are as"
        f" select session from ({steps}) semi join in_question using (session)"
        " group by session having min(day) <> max(day)"
    )
    ask(
        "create or replace temp table overnight_sessions as select session from are"
        " union select session from were anti join in_question using (session)"
    )
    came = f"select day from ({steps}) where session in (select session from are except select session from were)"
    left = "select day from were where session not in (select session from overnight_sessions)"
    return {day for (day,) in ask(f"{came} union {left}")} - set(changed)
