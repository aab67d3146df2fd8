"""Bars: upright ones over time, one behind a name in a table, and a ranking of names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from .axes import grid, labels
from .formats import Unit, brief, finite, show, when
from .plot import Series
from .scale import scale
from .svg import chart, clean, nothing, num, pct, plane, safe, shape, tag
from .times import Start

MOST = 300


def bars(series: Series, *, grain: str = "minute", zone: str = "UTC", running: bool = False) -> Markup:
    """A bar per bucket (the last 300); the last one is paler while it is `running`."""
    points = list(series.points)[-MOST:]
    values = [finite(value) for _, value in points]
    starts = [start for start, _ in points]
    if not points:
        return nothing("bars")
    axis = scale(values, series.unit)
    wide = 100 / len(points)
    gap = wide * 0.2 if len(points) <= 100 else 0.0
    around = labels(axis, series.unit, starts, grain, zone, lambda place: (place + 0.5) * wide)
    parts = [plane(*grid(axis)), *around]
    for nth, value in enumerate(values):
        y = axis.y(value or 0.0)
        top, tall = min(y, axis.zero), abs(axis.zero - y)
        name = "bar partial" if running and nth == len(values) - 1 else "bar"
        box = {"x": pct(nth * wide + gap / 2), "width": pct(wide - gap)}
        if value:
            parts.append(shape("rect", {"class": name, **box, "y": pct(top), "height": pct(tall), "rx": "2"}))
    for nth, value in enumerate(values):
        told = {
            "data-i": nth,
            "data-x": num((nth + 0.5) * wide),
            "data-label": when(starts[nth], grain, zone),
            "data-values": show(value, series.unit),
        }
        parts.append(shape("rect", {"class": "hit", "x": pct(nth * wide), "width": pct(wide), "height": "100%"} | told))
    names = json.dumps([clean(series.label)])
    return chart("bars", _summary(series, starts, values, grain, zone), *parts, **{"data-series": names})


def _summary(series: Series, starts: Sequence[Start], values: Sequence[float | None], grain: str, zone: str) -> str:
    known = [(value, -nth) for nth, value in enumerate(values) if value is not None]
    if not known:
        return f"{clean(series.label)} by {grain}: no data"
    (most, peak), (now, last) = max(known), known[-1]
    return (
        f"{clean(series.label)} by {grain}: peak {brief(starts[-peak], grain, zone)} {show(most, series.unit)}, "
        f"last {brief(starts[-last], grain, zone)} {show(now, series.unit)}"
    )


def share_bar(share: object) -> Markup:
    """Behind a name in a table: a bar as wide as the share, 0 to 1, of the widest. Decoration."""
    part = max(0.0, min(1.0, finite(share) or 0.0))
    return chart("share", "", shape("rect", {"class": "bar", "width": pct(100 * part), "height": "100%", "rx": "4"}))


class Ranked(NamedTuple):
    """A name and its number."""

    name: object
    value: object
    href: str | None = None


def ranked(items: Iterable[Ranked], *, unit: str = Unit.whole, label: str = "") -> Markup:
    """Names with bars behind them, in the order given; as HTML, so that long names end in an ellipsis."""
    items = list(items)
    widest = max((abs(finite(item.value) or 0.0) for item in items), default=0.0) or 1.0
    lines = [_line(item, abs(finite(item.value) or 0.0) / widest, unit) for item in items]
    return tag("ol", {"class": "ranked", "aria-label": label or None}, *lines)


def _line(item: Ranked, share: float, unit: str) -> Markup:
    name = "(none)" if item.name is None or item.name == "" else item.name
    written = tag("bdi", {"title": clean(name)}, name)
    link = safe(item.href)
    named = tag("a", {"class": "name", "href": link}, written) if link else tag("span", {"class": "name"}, written)
    return tag("li", {}, share_bar(share), named, tag("span", {"class": "num"}, show(item.value, unit)))
