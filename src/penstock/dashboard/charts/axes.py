"""What lies behind every chart over time: lines of the grid, and the labels of both axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from markupsafe import Markup

from .formats import short
from .scale import Scale
from .svg import num, path, pct, tag
from .times import Start, marks


def grid(axis: Scale) -> Iterator[Markup]:
    for tick in axis.ticks:
        yield path("zero" if tick == 0 else "grid", f"M0 {num(axis.y(tick))}H100")


def labels(
    axis: Scale, unit: str, starts: Sequence[Start], grain: str, zone: str, x: Callable[[int], float]
) -> Iterator[Markup]:
    """Left of the plane and under it; `x` says where a bucket is."""
    for tick in axis.ticks:
        at = {"class": "tick y", "x": "0", "y": pct(axis.y(tick)), "dx": "-10", "dy": "4"}
        yield tag("text", at, short(tick, unit))
    for mark in marks(starts, grain, zone):
        place = x(mark.place)
        names = "tick x" + " extra" * mark.extra + " last" * (place > 97)
        yield tag("text", {"class": names, "x": pct(place), "y": "100%", "dy": "20"}, mark.text)
