"""A chart over time, as data and in words: its series, what was before and what is unusual → a sentence, a table."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

from .formats import Delta, Unit, brief, delta, finite, local, show, when
from .svg import clean
from .times import Start


@dataclass(frozen=True)
class Series:
    """`points`: the start of each bucket, and its value or None; in order."""

    label: str
    points: Sequence[tuple[Start, Any]]
    unit: str = Unit.whole


@dataclass(frozen=True)
class Anomaly:
    """Something unusual `at` a time of the series with that number; `text` says all of it."""

    at: Start
    text: str
    series: int = 0
    href: str | None = None


@dataclass(frozen=True)
class Note:
    """What somebody wrote about a time."""

    at: Start
    text: str
    href: str | None = None


@dataclass(frozen=True)
class Plot:
    """All of a main chart. The first series gives the buckets and the unit; `before` is set beside it, place by place.

    `running` is the start of the bucket that is not over: it is drawn dashed, and nothing is drawn after it. `change`
    is the change of the whole; without it that of the mean bucket is told. `name` has to differ within a page.
    """

    series: Sequence[Series]
    before: Series | None = None
    grain: str = "day"
    zone: str = "UTC"
    running: Start | None = None
    anomalies: Sequence[Anomaly] = ()
    notes: Sequence[Note] = ()
    up_is_good: bool | None = True
    change: Delta | None = None
    name: str = "chart"
    most: int = 300
    """More points than that are not drawn, for they are not seen."""
    told: int = 300
    """Of so many the pointer finds the numbers."""
    to_scale: bool = False
    """Whether times that are further apart are drawn further apart; buckets all are as wide."""
    chooses: bool = True
    """Whether dragging over it asks for these days."""

    @property
    def unit(self) -> str:
        return self.series[0].unit if self.series else Unit.whole

    @cached_property
    def starts(self) -> list[Start]:
        return [start for start, _ in self.series[0].points] if self.series else []

    @cached_property
    def last(self) -> int | None:
        """The number of the running bucket."""
        return None if self.running is None else self.place(self.running)

    @cached_property
    def values(self) -> list[list[float | None]]:
        """Per series the value of every bucket; None after the running one, which has not begun."""
        ends = len(self.starts) if self.last is None else self.last + 1
        return [self._aligned(series)[:ends] + [None] * (len(self.starts) - ends) for series in self.series]

    @cached_property
    def earlier(self) -> list[float | None]:
        return self._aligned(self.before) if self.before else []

    def _aligned(self, series: Series) -> list[float | None]:
        values = [finite(value) for _, value in series.points[: len(self.starts)]]
        return values + [None] * (len(self.starts) - len(values))

    def place(self, at: Start) -> int | None:
        """The number of the bucket in which that time lies."""
        found = bisect_right([_moment(start, self.zone) for start in self.starts], _moment(at, self.zone)) - 1
        return found if found >= 0 else None

    def x(self, index: int) -> float:
        if self.to_scale:
            return self.x_at(self.starts[index])
        return 100 * index / (len(self.starts) - 1) if len(self.starts) > 1 else 50.0

    def x_at(self, at: Start) -> float:
        """Where a time is, to scale."""
        first, last = _moment(self.starts[0], self.zone), _moment(self.starts[-1], self.zone)
        return 100 * ((_moment(at, self.zone) - first) / (last - first)) if last > first else 50.0

    def named(self, index: int) -> str:
        return when(self.starts[index], self.grain, self.zone)

    def against(self, index: int) -> Delta:
        return delta(self.values[0][index], self.earlier[index], up_is_good=self.up_is_good)


def summary(plot: Plot) -> str:
    """The chart in a sentence: Visitors by day: up 12.3 %, peak 1 Nov 3,484, last 19 Nov 1,120."""
    if not plot.starts:
        return "No data"
    told = []
    for series, values in zip(plot.series, plot.values, strict=True):
        known = [(value, -index) for index, value in enumerate(values) if value is not None]
        if not known:
            told.append(f"{clean(series.label)} by {plot.grain}: no data")
            continue
        (most, peak), last = max(known), -known[-1][1]
        parts = [_trend(plot)] if series is plot.series[0] else []
        parts.append(f"peak {brief(plot.starts[-peak], plot.grain, plot.zone)} {show(most, plot.unit)}")
        parts.append(f"last {brief(plot.starts[last], plot.grain, plot.zone)} {show(values[last], plot.unit)}")
        told.append(f"{clean(series.label)} by {plot.grain}: {', '.join(filter(None, parts))}")
        if last == plot.last:
            told[-1] += " so far"
    return "; ".join(told)


def _trend(plot: Plot) -> str:
    """Up or down, by the mean of the buckets that are over and have one to compare with."""
    change = plot.change
    if change is None and plot.before:
        pairs = [
            (now, old)
            for index, (now, old) in enumerate(zip(plot.values[0], plot.earlier, strict=True))
            if now is not None and old is not None and index != plot.last
        ]
        if pairs:
            change = delta(sum(now / len(pairs) for now, _ in pairs), sum(old / len(pairs) for _, old in pairs))
    if change is None:
        return ""
    words = {"▲": "up", "▼": "down", "±": "unchanged"}
    word = words.get(change.text[:1], change.text)
    return word if word in ("unchanged", change.text) else f"{word} {change.text.lstrip('▲▼ +−')}"


class Rows(NamedTuple):
    """The chart as a table: all buckets, as text."""

    head: list[str]
    body: list[list[str]]


def rows(plot: Plot) -> Rows:
    """What the chart shows, for the table “Data”; also buckets that are too many to be drawn."""
    head = [plot.grain.capitalize(), *(series.label for series in plot.series)]
    head += [plot.before.label, "Change"] if plot.before else []
    body = []
    for index in range(len(plot.starts)):
        row = [plot.named(index), *(show(values[index], plot.unit) for values in plot.values)]
        if index == plot.last:
            row[0] += " (so far)"
        if plot.before:
            row += [show(plot.earlier[index], plot.unit), plot.against(index).text]
        body.append(row)
    return Rows(head, body)


def _moment(at: Start, zone: str) -> datetime:
    """A place in time to compare dates and times of any kind by."""
    here = local(at, zone)
    if not isinstance(here, datetime):
        return datetime(here.year, here.month, here.day, tzinfo=UTC)
    # On the clock of the zone, which the hour that is there twice does not matter for.
    return here.replace(tzinfo=UTC)
