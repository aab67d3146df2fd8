"""A rate with its confidence interval, on an axis that it shares with the others of its table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from .formats import Unit, finite, show
from .svg import chart, pct, shape

Triple = tuple[Any, Any, Any]


def domain(triples: Iterable[Triple], reference: Any = None) -> tuple[float, float]:
    """The axis on which all of these intervals (low, rate, high), and the reference, have room."""
    ends = [n for triple in triples for value in triple if (n := finite(value)) is not None]
    if (at := finite(reference)) is not None:
        ends.append(at)
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = (high / 2 - low / 2) / 5 or abs(high) * 0.1 or 0.5
    return (max(0.0, low - room) if low >= 0 else low - room), high + room


def interval(
    low: Any,
    rate: Any,
    high: Any,
    *,
    on: tuple[float, float],
    reference: Any = None,
    unit: str = Unit.share,
    name: str = "interval",
) -> Markup:
    """A bar from low to high with a dot at the rate; a line at the reference. `on` is the axis, from `domain`.

    `name` may add a class that colours it: `interval good`.
    """
    left, middle, right = (_x(value, on) for value in (low, rate, high))
    parts = [shape("line", {"class": "track", "x1": "0", "x2": "100%", "y1": "50%", "y2": "50%"})]
    if (at := _x(reference, on)) is not None:
        parts.append(shape("line", {"class": "reference", "x1": pct(at), "x2": pct(at), "y1": "0", "y2": "100%"}))
    if left is not None and right is not None:
        parts.append(shape("line", {"class": "range", "x1": pct(left), "x2": pct(right), "y1": "50%", "y2": "50%"}))
    if middle is not None:
        parts.append(shape("circle", {"class": "dot", "cx": pct(middle), "cy": "50%", "r": "4.5"}))
    return chart(name, _words(low, rate, high, unit), *parts)


def _words(low: Any, rate: Any, high: Any, unit: str) -> str:
    if finite(rate) is None:
        return "No rate yet"
    return f"{show(rate, unit)}, between {show(low, unit)} and {show(high, unit)}"


def _x(value: Any, on: tuple[float, float]) -> float | None:
    if (number := finite(value)) is None:
        return None
    low, high = on
    return 100 * max(0.0, min(1.0, (number / 2 - low / 2) / (high / 2 - low / 2))) if high > low else 50.0
