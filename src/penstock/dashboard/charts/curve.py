"""A share by number of times since the beginning: how retention falls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from .axes import fade, grid, heights
from .formats import Unit, finite, percent
from .scale import scale
from .svg import chart, num, path, pct, plane, shape, tag

_MOST_LABELS = 12


class Point(NamedTuple):
    """`name` stands under it; `text` is what the pointer is told beside the share."""

    name: str
    share: Any
    text: str = ""


def curve(points: Sequence[Point], *, label: str = "") -> Markup:
    """An area from 0 on; points without a share are left out."""
    known = [(point, share) for point in points if (share := finite(point.share)) is not None]
    if not known:
        return chart("area curve", "No data")
    axis = scale([share for _, share in known], Unit.share)
    step = 100 / (len(known) - 1) if len(known) > 1 else 0.0
    places = [(nth * step if step else 50.0, axis.y(share)) for nth, (_, share) in enumerate(known)]
    line = "M" + "L".join(f"{num(x)} {num(y)}" for x, y in places)
    fill = f"{line}V{num(axis.zero)}H{num(places[0][0])}Z"
    lines = path("area", fill, fill="url(#curve-fill)"), path("line", line)
    parts: list[object] = [plane(fade("curve-fill"), *grid(axis), *lines), *heights(axis, Unit.share)]
    every = -(-len(known) // _MOST_LABELS)
    for nth, ((point, share), (x, y)) in enumerate(zip(known, places, strict=True)):
        if nth % every == 0:
            parts.append(tag("text", {"class": "tick x", "x": pct(x), "y": "100%", "dy": "20"}, point.name))
        parts.append(shape("circle", {"class": "dot", "cx": pct(x), "cy": pct(y), "r": "3.5"}))
        wide = step or 100.0
        told = {"data-label": point.text or point.name, "data-values": percent(share)}
        parts.append(
            shape("rect", {"class": "hit", "x": pct(x - wide / 2), "width": pct(wide), "height": "100%"} | told)
        )
    said = ", ".join(f"{point.name} {percent(share, 0)}" for point, share in known)
    return chart("area curve", f"{label}: {said}" if label else said, *parts)
