"""How many people, how many of them new, and how many came back? Exact for any range, with no identifier of a person.

Each session of the tracker carries the days of its visitor's first and previous session. So a visitor of a range of
days is a session in it whose previous one was before it, and these add up where distinct identifiers would not.
What it cannot say: a filter on a page or a source may leave out the session that counts; then count sessions.
Whoever clears the browser's storage or takes another device is another visitor; with `data-identity="none"` every
session is one of nobody, told apart as `unidentified`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

Ask = Callable[[str, Mapping[str, Any]], Sequence[tuple[Any, ...]]]
"""Runs SQL over the table `events` with named parameters, and gives its rows."""


class Period(StrEnum):
    day = "day"
    week = "week"
    month = "month"


class Visitors(NamedTuple):
    """`unidentified` sessions are in `sessions`, but nobody can say whether they are the same visitor's."""

    visitors: int
    new: int
    sessions: int
    unidentified: int

    @property
    def returning(self) -> int:
        return self.visitors - self.new


class Cell(NamedTuple):
    """Of the visitors who first came in the period that starts at `cohort`, those who came in that of `period`."""

    cohort: date
    period: date
    visitors: int


def visitors(ask: Ask, since: date, until: date, *, zone: str = "UTC") -> Visitors:
    """Of the days from `since` to `until`, both included. `zone` is the tracker's `data-tz`."""
    rows = ask(_over_sessions("visitors"), {"since": since, "until": until, "zone": zone})
    return Visitors(*rows[0])


def retention(ask: Ask, since: date, until: date, *, by: Period = Period.week, zone: str = "UTC") -> list[Cell]:
    """Cells that are not empty, ordered. `since` has to start a period; one that `until` cuts is not complete yet."""
    found = {"since": since, "until": until, "zone": zone, "grain": by.value}
    return [Cell(*row) for row in ask(_over_sessions("retention"), found)]


@cache
def _over_sessions(name: str) -> str:
    return f"with sessions as (\n{_sql('sessions')}\n)\n{_sql(name)}"


def _sql(name: str) -> str:
    return resources.files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
