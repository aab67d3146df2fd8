"""The way of the events as it is now: a box a stage, an arrow to the next with what waits there."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from markupsafe import Markup

from .svg import NONE, chart, safe, shape, tag


class Health(StrEnum):
    good = "good"
    warn = "warn"
    bad = "bad"


class Stage(NamedTuple):
    """`holds`: what it has; `facts`: lines under that; `waiting`: what the next stage has not taken, on the arrow."""

    name: str
    holds: str = ""
    facts: Sequence[str] = ()
    waiting: str = ""
    health: str = Health.good
    href: str | None = None


_SAID = {Health.good: "healthy", Health.warn: "late", Health.bad: "stopped"}


def flow(stages: Sequence[Stage], *, label: str = "The way of the events") -> Markup:
    """A list from left to right, on phones from top to bottom."""
    lines = [_line(stage, nth == len(stages) - 1) for nth, stage in enumerate(stages)]
    return tag("ol", {"class": "flow", "aria-label": label}, *lines)


def _line(stage: Stage, last: bool) -> Markup:
    health = stage.health if stage.health in _SAID else Health.warn
    light = chart("light", "", shape("circle", {"cx": "50%", "cy": "50%", "r": "4"}))
    named = tag("bdi", {}, stage.name)
    link = safe(stage.href)
    box = tag(
        "div",
        {"class": f"stage {health}"},
        tag("h3", {}, light, tag("a", {"href": link}, named) if link else named),
        tag("span", {"class": "unseen"}, _SAID[Health(health)]),
        tag("b", {"class": "num"}, stage.holds),
        *(tag("span", {"class": "fact"}, fact) for fact in stage.facts),
    )
    return tag("li", {}, box, NONE if last else _arrow(stage.waiting))


def _arrow(waiting: str) -> Markup:
    line = shape("line", {"x1": "0", "x2": "100%", "y1": "50%", "y2": "50%"})
    at = {"x": "100%", "y": "50%", "width": "100%", "height": "100%", "overflow": "visible"}
    head = tag("svg", at, shape("path", {"d": "M-8 -5L0 0 -8 5"}))
    words = tag("span", {"class": "waiting"}, waiting or NONE)
    return tag("div", {"class": "arrow"}, words, chart("to", "", line, head))
