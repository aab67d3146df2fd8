"""What is asked, in words → a Question: a report, and all of what is asked of it, checked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from ..errors import PenstockError
from .catalog import Report, report
from .filters import Columns, Condition, Filter, column_sql, condition, parse_all
from .parameters import Given, given
from .period import Grain, Period, day_start, period


@dataclass(frozen=True)
class Question:
    """A report, and what is asked of it; all of it checked."""

    report: Report
    period: Period
    grain: Grain | None
    filters: tuple[Filter, ...]
    where: Condition
    by: str | None
    by_sql: str
    bots: bool
    given: Given

    @property
    def additive(self) -> bool:
        """Visitors add up: without filter and breakdown, and the first day is a whole one."""
        first, _ = self.period.days
        return not self.filters and self.by is None and self.period.since == day_start(first, self.period.zone)

    def without_limit(self) -> Question:
        """The same with all its rows, so that each row of another answer finds its own."""
        limit = self.report.parameters.get("limit")
        if limit is None or limit.most is None:
            return self
        bound, rendered = ({**values, "limit": int(limit.most)} for values in (self.given.bound, self.given.rendered))
        return replace(self, given=Given(bound, rendered))


def prepare(
    name: str,
    columns: Columns,
    *,
    now: datetime,
    since: str | date | None = None,
    until: str | date | None = None,
    zone: str = "UTC",
    **asked: Any,
) -> Question:
    """The question in words → the question. Raises PenstockError."""
    return question(report(name), columns, period(since, until, zone=zone, now=now), **asked)


def question(
    report: Report,
    columns: Columns,
    period: Period,
    *,
    grain: str | None = None,
    where: Sequence[str] | str = (),
    by: str | None = None,
    bots: bool = False,
    whole: bool = False,
    **values: Any,
) -> Question:
    """`whole`: no buckets, all of the period at once. Raises PenstockError for what the report cannot be asked."""
    if grain is not None and grain not in report.grains:
        can = f"choose one of {', '.join(report.grains)}" if report.grains else "it is not by time"
        raise PenstockError(f"report {report.name} has no grain {grain!r}", hint=can)
    if by is not None and not report.breakdown:
        raise PenstockError(f"report {report.name} has no breakdown", hint="filter it instead: --where column=value")
    filters = parse_all(where)
    return Question(
        report,
        period,
        None if whole else Grain(grain) if grain else next(iter(report.grains), None),
        filters,
        condition(filters, columns),
        by,
        f"cast({column_sql(by, columns)} as varchar)" if by else "cast(null as varchar)",
        bots,
        given(report, values, columns),
    )
