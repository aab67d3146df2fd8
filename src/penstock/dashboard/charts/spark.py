"""The small line in a KPI tile."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from markupsafe import Markup

from .formats import finite
from .scale import Scale
from .svg import chart, num, path, pct, plane, polyline, shape

_MOST = 120


def spark(values: Sequence[Any], *, label: str = "", running: bool = False) -> Markup:
    """The shape of the values, from their least to their most; dashed at its end if that bucket is `running`.

    Beside a number and its change it is decoration; `label` makes it an image with that text.
    """
    numbers = [finite(value) for value in values]
    numbers = numbers[:: -(-len(numbers) // _MOST) or 1]
    known = [value for value in numbers if value is not None]
    if not known:
        return chart("spark", label, plane())
    axis = _axis(known)
    step = 100 / max(1, len(numbers) - 1)
    points = [(nth * step, None if value is None else 4 + 0.92 * axis.y(value)) for nth, value in enumerate(numbers)]
    runs = [
        [(x, y) for x, y in run if y is not None] for gap, run in groupby(points, lambda p: p[1] is None) if not gap
    ]
    under = "".join(f"{polyline(run)}V100H{num(run[0][0])}Z" for run in runs if len(run) > 1)
    dashed = []
    if running and len(runs[-1]) > 1:
        dashed = [path("line partial", polyline(runs[-1][-2:]))]
        runs[-1] = runs[-1][:-1]
    lines = plane(path("area", under), path("line", "".join(polyline(run) for run in runs)), *dashed)
    dot = [shape("circle", {"class": "dot", "cx": "50%", "cy": pct(points[0][1] or 0), "r": "2.5"})]
    return chart("spark", label, lines, *(dot if len(numbers) == 1 else []))


def _axis(known: Sequence[float]) -> Scale:
    """From the least to the most, but no less than a fourth of the most, so that noise stays small."""
    low, high = min(known), max(known)
    span = max(high / 2 - low / 2, max(abs(low), abs(high)) / 8) or 1.0
    middle = high / 2 + low / 2
    return Scale(0.0 if low >= 0 and middle < span * 1.5 else middle - span, middle + span, ())
