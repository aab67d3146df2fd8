"""The main chart, drawn: one or two series over time, what was before them, what is unusual, and what was noted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

from markupsafe import Markup

from .axes import fade, grid, labels
from .formats import brief, local, show, when
from .plot import Plot, summary
from .scale import Scale, scale
from .svg import NONE, chart, clean, nothing, num, path, pct, plane, polyline, safe, shape, tag
from .times import ruler

LINES = 5
"""More have no colour of their own."""


def area(plot: Plot) -> Markup:
    """The chart; with marks that can be reached by keyboard it is a group, without them one image."""
    if not plot.starts:
        return nothing("area")
    axis = scale([v for values in plot.values for v in values] + plot.earlier, plot.unit)
    names = {"data-series": json.dumps([clean(series.label) for series in plot.series])}
    if plot.before:
        names["data-before"] = clean(plot.before.label)
    focusable = bool(plot.anomalies or plot.notes)
    drawing = plane(fade(f"{plot.name}-fill"), *grid(axis), *_lines(plot, axis))
    return chart(
        "area",
        summary(plot),
        drawing,
        *_labels(plot, axis),
        *_points(plot, axis),
        _so_far(plot, axis),
        _cursor(plot),
        *_hits(plot, axis),
        *_notes(plot),
        *_anomalies(plot, axis),
        role="group" if focusable else "img",
        **names,
    )


def _labels(plot: Plot, axis: Scale) -> Iterator[Markup]:
    if not plot.to_scale:
        return labels(axis, plot.unit, plot.starts, plot.grain, plot.zone, plot.x)
    starts, grain = ruler(plot.starts[0], plot.starts[-1], plot.zone)
    return labels(axis, plot.unit, starts, grain, plot.zone, lambda nth: plot.x_at(starts[nth]))


def _line(nth: int) -> str:
    """Its class; there are five colours."""
    return f"line{nth + 1}" if 0 < nth < LINES else "line"


def legend(plot: Plot) -> Markup:
    """What each line is called; of several, each is a button by which the script hides it."""
    lines = [(_line(nth), series.label) for nth, series in enumerate(plot.series)]
    lines += [("before", plot.before.label)] if plot.before else []
    items = []
    for name, label in lines:
        key = chart("key", "", shape("line", {"class": name, "x1": "0", "x2": "100%", "y1": "50%", "y2": "50%"}))
        said = key, tag("bdi", {}, label)
        button = {"type": "button", "class": "link", "data-hides": name, "aria-pressed": "true"}
        items.append(tag("li", {}, *((tag("button", button, *said),) if len(lines) > 1 else said)))
    return tag("ul", {"class": "legend"}, *items)


def _chosen(plot: Plot, values: Sequence[float | None], most: int) -> list[int]:
    """All buckets, or of each handful the one that is furthest from the one chosen before."""
    many = len(values)
    if many <= most:
        return list(range(many))
    end = many - 1 if plot.last is None else plot.last
    size, kept = -(-(end - 1) // (most - 2)) or 1, [0]
    for first in range(1, end, size):
        before = values[kept[-1]] or 0.0
        group = range(first, min(first + size, end))
        kept.append(max(group, key=lambda i: -1.0 if (v := values[i]) is None else abs(v / 2 - before / 2)))
    return [*kept, end] if end else kept


def _runs(plot: Plot, values: Sequence[float | None], axis: Scale) -> Iterator[list[tuple[float, float]]]:
    """Stretches without a gap, as coordinates."""
    for known, run in groupby(_chosen(plot, values, plot.most), key=lambda index: values[index] is not None):
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
        name = _line(nth)
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


def _points(plot: Plot, axis: Scale) -> Iterator[Markup]:
    """Points that have no neighbours to be joined with, and the last one of a line that still grows."""
    for nth, values in enumerate(plot.values):
        around = [None, *values, None]
        for index, value in enumerate(values):
            alone = around[index] is None and around[index + 2] is None
            if value is not None and (alone or index == plot.last):
                name = "dot" + f" dot{nth + 1}" * (nth > 0) + " end" * (index == plot.last)
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
        shape("circle", {"class": "dot" + f" dot{nth + 1}" * (nth > 0), "cx": "0", "cy": "0", "r": "4"})
        for nth in range(len(plot.series))
    ]
    return tag("g", {"class": "cursor", "aria-hidden": "true"}, line, *dots)


def _hits(plot: Plot, axis: Scale) -> Iterator[Markup]:
    """What the pointer finds, a column per bucket that is told, with the words of the tooltip."""
    drawn = _chosen(plot, plot.values[0], plot.told)
    middles = [(plot.x(a) + plot.x(b)) / 2 for a, b in pairwise(drawn)]
    edges = [0.0, *middles, 100.0]
    for nth, index in enumerate(drawn):
        values = [values[index] for values in plot.values]
        told: dict[str, Any] = {
            "data-i": index,
            "data-x": num(plot.x(index)),
            "data-y": "|".join("" if value is None else num(axis.y(value)) for value in values),
            "data-from": local(plot.starts[index], plot.zone).isoformat() if plot.chooses else None,
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
