"""The funnel: how many did each step, of the first and of those before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from .formats import NOTHING, count, duration, finite, percent
from .svg import NONE, chart, clean, pct, safe, shape, tag

MANY = 6
"""From so many steps on it is set tighter."""


class Step(NamedTuple):
    """`before` is the count of the time compared with, `took` the median seconds since the step before; `lost` links to
    those who stopped before this step."""

    name: str
    count: Any
    before: Any = None
    took: Any = None
    lost: str | None = None


def funnel(steps: Sequence[Step], *, label: str = "Funnel") -> Markup:
    """A list with a bar per step; HTML around it, so that names wrap and links work."""
    counts = [max(0.0, finite(step.count) or 0.0) for step in steps]
    widest = max([*counts, *(finite(step.before) or 0.0 for step in steps)], default=0.0) or 1.0
    lines = [_line(nth, step, counts, widest) for nth, step in enumerate(steps)]
    name = "funnel many" if len(steps) > MANY else "funnel"
    head = [tag("span", {"class": "share-of"}, text) for text in ("", "of previous", "of first")]
    titles = tag("li", {"class": "head", "aria-hidden": "true"}, tag("span", {}, ""), *head)
    return tag("ol", {"class": name, "aria-label": clean(label)}, titles if steps else NONE, *lines)


def _line(nth: int, step: Step, counts: Sequence[float], widest: float) -> Markup:
    of_previous = _share(counts[nth], counts[nth - 1]) if nth else ""
    of_first = _share(counts[nth], counts[0])
    parts = [
        tag("bdi", {"class": "name", "title": clean(step.name)}, step.name),
        tag("b", {"class": "num"}, count(step.count)),
        _part(of_previous, " of previous"),
        _part(of_first, " of first"),
        _bar(counts[nth], step.before, widest),
        _lost(step, counts[nth - 1] - counts[nth]) if nth else NONE,
    ]
    return tag("li", {}, *parts)


def _part(share: str, said: str) -> Markup:
    return tag("span", {"class": "share-of"}, share, tag("span", {"class": "unseen"}, said) if share else NONE)


def _bar(done: float, before: Any, widest: float) -> Markup:
    """The count, on the track of all; under it, thin, the count before."""
    old = finite(before)
    tall = "100%" if old is None else "72%"
    shapes = [
        shape("rect", {"class": "track", "width": "100%", "height": tall, "rx": "5"}),
        shape("rect", {"class": "bar", "width": pct(100 * done / widest), "height": tall, "rx": "5"}),
    ]
    told = []
    if old is not None:
        wide = pct(100 * max(0.0, old) / widest)
        shapes.append(shape("rect", {"class": "before", "y": "82%", "width": wide, "height": "18%", "rx": "1.5"}))
        told = [tag("span", {"class": "unseen"}, f"{count(before)} before")]
    return tag("span", {"class": "bars"}, chart("step", "", *shapes), *told)


def _lost(step: Step, lost: float) -> Markup:
    """1,907 stopped here; of the others, the median of the time they took."""
    took = f"{duration(step.took)} median" if finite(step.took) is not None else ""
    stopped = f"{count(max(0.0, lost))} stopped here"
    link = safe(step.lost)
    words = tag("a", {"href": link}, stopped) if link and lost > 0 else tag("span", {}, stopped)
    return tag("span", {"class": "below"}, words, tag("span", {}, took) if took else NONE)


def _share(part: float, whole: float) -> str:
    if not whole:
        return NOTHING
    return percent(1) if part == whole else percent(part / whole, even=True)
