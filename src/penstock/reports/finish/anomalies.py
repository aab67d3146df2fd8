"""Counts by hour, weeks of them → the hours that lie outside what is usual at their hour of the week.

What is usual is the median of the same hour of the weeks before. How far counts stray from it is one number for a
series: the median of how far each week strayed from the weeks beside it. Both are medians, so a spike in the past moves
and widens nothing. All is reckoned in roots of counts, in which chance makes the same noise for few and for many
(Poisson, Anscombe); and as nothing strays less than chance, quiet series stay quiet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil, floor, sqrt
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from ..question import Question

_HOUR = timedelta(hours=1)
_FEWEST_WEEKS = 3
_FEWEST_HOURS = 24
_MAD_TO_DEVIATION = 1.4826
"""Of a normal curve, the standard deviation is so many times the median of the absolute deviations."""
_OF_A_MEDIAN = 1.57
"""The variance of a median of n is that of one, times so much, divided by n."""

Counts = Mapping[datetime, int]


class Usual(NamedTuple):
    """`spread` is the robust standard deviation of the root of a count; chance alone makes it 1."""

    expected: float
    spread: float

    def deviations(self, seen: float) -> float:
        return (_root(seen) - _root(self.expected)) / self.spread

    def limits(self, width: float) -> tuple[int, int]:
        """The fewest and the most that are no further off than `width` deviations."""
        middle, reach = _root(self.expected), width * self.spread
        low = ceil(_count(middle - reach)) if middle - reach > _root(0) else 0
        return low, floor(_count(middle + reach))


def finish(table: pa.Table, question: Question) -> pa.Table:
    """`table` has hour, what, value and seen, complete hours only; hours without a row had nothing."""
    asked, period = question.given.bound, question.period
    series: dict[tuple[str, str], dict[datetime, int]] = defaultdict(dict)
    for row in table.to_pylist():
        series[row["what"], row["value"]][row["hour"].astimezone(UTC)] = row["seen"]
    began = min((hour for counts in series.values() for hour in counts), default=period.now)
    first = _ceil(period.since)
    hours = [first + _HOUR * n for n in range(max(0, (min(period.until, period.now) - first) // _HOUR))]
    rows = [
        _row(hour, what, value, counts.get(hour, 0), usual, asked["width"], period.tz)
        for (what, value), counts in series.items()
        for hour, usual in zip(hours, band(counts, hours, began, asked["weeks"], period.tz), strict=True)
        if usual is not None
    ]
    found = [row for row in rows if not row["low"] <= row["seen"] <= row["high"]]
    found.sort(key=lambda row: (-abs(row["deviations"]), row["hour"], row["what"], row["value"]))
    return pa.Table.from_pylist(found[: asked["limit"]], _schema(period.zone))


def band(counts: Counts, hours: Sequence[datetime], began: datetime, weeks: int, zone: ZoneInfo) -> list[Usual | None]:
    """What is usual at each of `hours`; None with less than three weeks of history. Before `began` nothing is known.

    A day of hours, no fewer, tell how far counts stray.
    """
    if not hours:
        return []
    earlier = [hours[-1] - _HOUR * n for n in range(_FEWEST_HOURS) if hours[-1] - _HOUR * n < hours[0]]
    past = {hour: _past(counts, hour, began, weeks, zone) for hour in (*earlier, *hours)}
    strays = [stray for before in past.values() for stray in _strays(before)]
    seen = _MAD_TO_DEVIATION * median(strays) if strays else 0.0
    return [
        Usual(median(before), max(seen, sqrt(1 + _OF_A_MEDIAN / len(before)))) if (before := past[hour]) else None
        for hour in hours
    ]


def _past(counts: Counts, hour: datetime, began: datetime, weeks: int, zone: ZoneInfo) -> list[int]:
    """Counts of the same hour in the weeks before; none if they are too few to tell."""
    found = [counts.get(h, 0) for h in _weeks_before(hour, weeks, zone) if h >= began]
    return found if len(found) >= _FEWEST_WEEKS else []


def _strays(counts: Sequence[int]) -> list[float]:
    """How far each lies from the others."""
    return [
        abs(_root(count) - _root(median([*counts[:place], *counts[place + 1 :]]))) for place, count in enumerate(counts)
    ]


def _root(count: float) -> float:
    return 2 * sqrt(count + 3 / 8)


def _count(root: float) -> float:
    return root * root / 4 - 3 / 8


@lru_cache(maxsize=10_000)
def _weeks_before(hour: datetime, weeks: int, zone: ZoneInfo) -> list[datetime]:
    """The same time on the clock of the same weekday, also when clocks were changed in between.

    Every series asks for the same hours.
    """
    local = hour.astimezone(zone).replace(tzinfo=None)
    before = ((local - timedelta(weeks=n)).replace(tzinfo=zone).astimezone(UTC) for n in range(1, weeks + 1))
    return [hour.replace(minute=0) for hour in before]


def _row(
    hour: datetime, what: str, value: str, seen: int, usual: Usual, width: float, zone: ZoneInfo
) -> dict[str, Any]:
    low, high = usual.limits(width)
    change = f" ({seen / usual.expected - 1:+.0%})" if usual.expected else ""
    subject = "events" if what == "events" else f"{what} {value}"
    return {
        "hour": hour,
        "what": what,
        "value": value,
        "seen": seen,
        "expected": float(usual.expected),
        "low": low,
        "high": high,
        "deviations": usual.deviations(seen),
        "says": f"{subject}: {seen:,} instead of {low:,} to {high:,}{change} at {hour.astimezone(zone):%a %d %b %H:%M}",
    }


def _ceil(moment: datetime) -> datetime:
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour if hour == moment else hour + _HOUR


def _schema(zone: str) -> pa.Schema:
    return pa.schema(
        {
            "hour": pa.timestamp("us", tz=zone),
            "what": pa.string(),
            "value": pa.string(),
            "seen": pa.int64(),
            "expected": pa.float64(),
            "low": pa.int64(),
            "high": pa.int64(),
            "deviations": pa.float64(),
            "says": pa.string(),
        }
    )
