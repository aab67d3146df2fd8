"""The main chart: one or two series over time, what was before them, what is unusual, and what was noted."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from markupsafe import Markup

from .axes import grid, labels
from .formats import Delta, Unit, brief, delta, finite, local, show, when
from .scale import Scale, scale
from .svg import NONE, chart, clean, nothing, num, path, pct, plane, polyline, safe, shape, tag
from .times import Start

MOST = 300
"""More points than that are not seen on any screen."""


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

    def x(self, index: float) -> float:
        return 100 * index / (len(self.starts) - 1) if len(self.starts) > 1 else 50.0

    def named(self, index: int) -> str:
        return when(self.starts[index], self.grain, self.zone)

    def against(self, index: int) -> Delta:
        return delta(self.values[0][index], self.earlier[index], up_is_good=self.up_is_good)


def area(plot: Plot) -> Markup:
    """The chart; with marks that can be reached by keyboard it is a group, without them one image."""
    if not plot.starts:
        return nothing("area")
    axis = scale([v for values in plot.values for v in values] + plot.earlier, plot.unit)
    names = {"data-series": json.dumps([clean(series.label) for series in plot.series])}
    if plot.before:
        names["data-before"] = clean(plot.before.label)
    focusable = bool(plot.anomalies or plot.notes)
    drawing = plane(_fill(plot), *grid(axis), *_lines(plot, axis))
    return chart(
        "area",
        summary(plot),
        drawing,
        *labels(axis, plot.unit, plot.starts, plot.grain, plot.zone, plot.x),
        *_points(plot, axis),
        _so_far(plot, axis),
        _cursor(plot),
        *_hits(plot, axis),
        *_notes(plot),
        *_anomalies(plot, axis),
        role="group" if focusable else "img",
        **names,
    )


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


def legend(plot: Plot) -> Markup:
    """What each line is called."""
    lines = [(("line", "line2")[min(nth, 1)], series.label) for nth, series in enumerate(plot.series)]
    lines += [("before", plot.before.label)] if plot.before else []
    items = [
        tag(
            "li",
            {},
            chart("key", "", shape("line", {"class": name, "x1": "0", "x2": "100%", "y1": "50%", "y2": "50%"})),
            tag("bdi", {}, label),
        )
        for name, label in lines
    ]
    return tag("ul", {"class": "legend"}, *items)


def _moment(at: Start, zone: str) -> datetime:
    """A place in time to compare dates and times of any kind by."""
    here = local(at, zone)
    if not isinstance(here, datetime):
        return datetime(here.year, here.month, here.day, tzinfo=UTC)
    # On the clock of the zone, which the hour that is there twice does not matter for.
    return here.replace(tzinfo=UTC)


def _drawn(plot: Plot, values: Sequence[float | None]) -> list[int]:
    """The buckets that are drawn: all, or of each handful the one that is furthest from the one drawn before."""
    many = len(values)
    if many <= MOST:
        return list(range(many))
    end = many - 1 if plot.last is None else plot.last
    size, kept = -(-(end - 1) // (MOST - 2)) or 1, [0]
    for first in range(1, end, size):
        before = values[kept[-1]] or 0.0
        group = range(first, min(first + size, end))
        kept.append(max(group, key=lambda i: -1.0 if (v := values[i]) is None else abs(v / 2 - before / 2)))
    return [*kept, end] if end else kept


def _runs(plot: Plot, values: Sequence[float | None], axis: Scale) -> Iterator[list[tuple[float, float]]]:
    """Stretches without a gap, as coordinates."""
    for known, run in groupby(_drawn(plot, values), key=lambda index: values[index] is not None):
        if known:
            yield [(plot.x(index), axis.y(values[index] or 0.0)) for index in run]


def _lines(plot: Plot, axis: Scale) -> Iterator[Markup]:
    """From back to front: the filled area, what was before, the second series, the first."""
    if plot.series:
        runs = list(_runs(plot, plot.values[0], axis))
        under = "".join(f"{polyline(run)}V{num(axis.zero)}H{num(run[0][0])}Z" for run in runs if len(run) > 1)
        if under:
            yield path("area", under, fill=f"url(#{plot.name}-fill)")
    if plot.earlier and (d := "".join(map(polyline, _runs(plot, plot.earlier, axis)))):
        yield path("before", d)
    for nth, values in reversed(list(enumerate(plot.values))):
        name = ("line", "line2")[min(nth, 1)]
        over, partial = _split(plot, list(_runs(plot, values, axis)))
        if over:
            yield path(name, over)
        if partial:
            yield path(f"{name} partial", partial)


def _split(plot: Plot, runs: list[list[tuple[float, float]]]) -> tuple[str, str]:
    """The line, and its last stretch if that leads to the running bucket."""
    partial = ""
    if plot.last and runs and len(runs[-1]) > 1 and runs[-1][-1][0] == plot.x(plot.last):
        partial = polyline(runs[-1][-2:])
        runs = [*runs[:-1], runs[-1][:-1]]
        if len(runs[-1]) == 1:
            runs = runs[:-1]
    return "".join(map(polyline, runs)), partial


def _fill(plot: Plot) -> Markup:
    stops = [shape("stop", {"class": name, "offset": at}) for name, at in (("high", "0"), ("low", "1"))]
    upright = {"id": f"{plot.name}-fill", "gradientUnits": "userSpaceOnUse", "x1": 0, "y1": 0, "x2": 0, "y2": 100}
    return tag("defs", {}, tag("linearGradient", upright, *stops))


def _points(plot: Plot, axis: Scale) -> Iterator[Markup]:
    """Points that have no neighbours to be joined with, and the last one of a line that still grows."""
    for nth, values in enumerate(plot.values):
        around = [None, *values, None]
        for index, value in enumerate(values):
            alone = around[index] is None and around[index + 2] is None
            if value is not None and (alone or index == plot.last):
                name = "dot" + " dot2" * (nth > 0) + " end" * (index == plot.last)
                yield shape("circle", {"class": name, "cx": pct(plot.x(index)), "cy": pct(axis.y(value)), "r": "3.5"})


def _so_far(plot: Plot, axis: Scale) -> Markup:
    """Over the running bucket, above all lines that lead to it."""
    if plot.last is None or plot.values[0][plot.last] is None:
        return NONE
    lines = [*plot.values, plot.earlier or [None] * len(plot.starts)]
    near = [v for values in lines for v in values[max(0, plot.last - 1) : plot.last + 2] if v is not None]
    x, y = plot.x(plot.last), min(axis.y(value) for value in near)
    side = "last" if x > 90 else "first" if x < 10 else "middle"
    return tag("text", {"class": f"sofar {side}", "x": pct(x), "y": pct(y), "dy": "-9"}, "so far")


def _cursor(plot: Plot) -> Markup:
    """A line and dots which the script puts where the pointer is, by `data-x` and `data-y` of the bucket."""
    line = shape("line", {"class": "cross", "x1": "0", "x2": "0", "y1": "0", "y2": "100%"})
    dots = [
        shape("circle", {"class": "dot" if nth == 0 else "dot dot2", "cx": "0", "cy": "0", "r": "4"})
        for nth in range(len(plot.series))
    ]
    return tag("g", {"class": "cursor", "aria-hidden": "true"}, line, *dots)


def _hits(plot: Plot, axis: Scale) -> Iterator[Markup]:
    """What the pointer finds, a column per bucket that is drawn, with the words of the tooltip."""
    drawn = _drawn(plot, plot.values[0])
    middles = [(plot.x(a) + plot.x(b)) / 2 for a, b in pairwise(drawn)]
    edges = [0.0, *middles, 100.0]
    for nth, index in enumerate(drawn):
        values = [values[index] for values in plot.values]
        told: dict[str, Any] = {
            "data-i": index,
            "data-x": num(plot.x(index)),
            "data-y": "|".join("" if value is None else num(axis.y(value)) for value in values),
            "data-from": local(plot.starts[index], plot.zone).isoformat(),
            "data-label": plot.named(index) + (" so far" if index == plot.last else ""),
            "data-values": "|".join(show(value, plot.unit) for value in values),
        }
        if plot.before:
            change = plot.against(index)
            told |= {
                "data-before": show(plot.earlier[index], plot.unit),
                "data-delta": change.text,
                "data-kind": change.kind,
            }
            if index < len(plot.before.points):
                told["data-then"] = when(plot.before.points[index][0], plot.grain, plot.zone)
        left, right = edges[nth], edges[nth + 1]
        at = {"class": "hit", "x": pct(left), "width": pct(right - left), "height": "100%"}
        yield shape("rect", at | told)


def _anomalies(plot: Plot, axis: Scale) -> Iterator[Markup]:
    for anomaly in plot.anomalies:
        index = plot.place(anomaly.at)
        if index is None or anomaly.series >= len(plot.values):
            continue
        value = plot.values[anomaly.series][index]
        y = 0.0 if value is None else axis.y(value)
        diamond = shape("path", {"d": "M0 -7.5L7.5 0 0 7.5 -7.5 0Z"})
        yield _mark("anomaly", anomaly.text, anomaly.href, (plot.x(index), y), diamond)


def _notes(plot: Plot) -> Iterator[Markup]:
    """One flag a bucket, with all that was noted there."""
    placed = [(index, note) for note in plot.notes if (index := plot.place(note.at)) is not None]
    for index, found in groupby(sorted(placed, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        notes = [note for _, note in found]
        x = plot.x(index)
        pole = shape("line", {"class": "pole", "x1": "0", "x2": "0", "y1": "-13", "y2": "100%"})
        flag = shape("path", {"d": "M0 -14H12L9 -9.5 12 -5H0Z" if x < 97 else "M0 -14H-12L-9 -9.5 -12 -5H0Z"})
        href = next((note.href for note in notes if note.href), None)
        text = f"{brief(plot.starts[index], plot.grain, plot.zone)}: " + "; ".join(clean(n.text) for n in notes)
        yield _mark("note", text, href, (x, 0.0), pole, flag, middle="-9")


def _mark(
    kind: str, text: str, href: str | None, place: tuple[float, float], *shapes: Markup, middle: str = "0"
) -> Markup:
    """A mark of its own size at a place in percent; a link, or a picture that can be focused."""
    at = {"x": pct(place[0]), "y": pct(place[1]), "width": "100%", "height": "100%", "overflow": "visible"}
    target = shape("circle", {"class": "target", "cy": middle, "r": "12"})
    attributes = {"class": kind, "aria-label": clean(text, 500)}
    link = safe(href)
    attributes |= {"href": link} if link else {"tabindex": "0", "role": "img"}
    return tag("a" if link else "g", attributes, tag("title", {}, clean(text, 500)), tag("svg", at, target, *shapes))
