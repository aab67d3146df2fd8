"""What charts on axes have in common: lines of the grid, the labels of both axes, and how an area is filled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from markupsafe import Markup

from .formats import short
from .scale import Scale
from .svg import num, path, pct, shape, tag
from .times import Start, marks

_APART = 9.0
"""Percent: labels that are nearer to each other overlap."""


def grid(axis: Scale) -> Iterator[Markup]:
    for tick in axis.ticks:
        yield path("zero" if tick == 0 else "grid", f"M0 {num(axis.y(tick))}H100")


def fade(name: str) -> Markup:
    """What an area is filled with, by `url(#name)`: paler towards the bottom."""
    stops = [shape("stop", {"class": name, "offset": at}) for name, at in (("high", "0"), ("low", "1"))]
    upright = {"id": name, "gradientUnits": "userSpaceOnUse", "x1": 0, "y1": 0, "x2": 0, "y2": 100}
    return tag("defs", {}, tag("linearGradient", upright, *stops))


def heights(axis: Scale, unit: str) -> Iterator[Markup]:
    """The labels left of the plane."""
    for tick in axis.ticks:
        at = {"class": "tick y", "x": "0", "y": pct(axis.y(tick)), "dx": "-10", "dy": "4"}
        yield tag("text", at, short(tick, unit))


def labels(
    axis: Scale, unit: str, starts: Sequence[Start], grain: str, zone: str, x: Callable[[int], float]
) -> Iterator[Markup]:
    """Left of the plane and under it; `x` says where a bucket is."""
    yield from heights(axis, unit)
    before = -100.0
    for mark in marks(starts, grain, zone):
        place = x(mark.place)
        if place - before < _APART:
            continue
        before = place
        names = "tick x" + " extra" * mark.extra + " last" * (place > 97)
        yield tag("text", {"class": names, "x": pct(place), "y": "100%", "dy": "20"}, mark.text)
