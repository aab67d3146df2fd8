"""A chart → an SVG file of its own, in light colours, for documents and slides."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from .svg import tag

_LIGHT = {
    "bg": "#ffffff",
    "card": "#ffffff",
    "line": "#e5e7ee",
    "text": "#171923",
    "dim": "#5d6475",
    "accent": "#4f46e5",
    "accent-soft": "#eae8fd",
    "second": "#0f8a6f",
    "good": "#0a7d57",
    "bad": "#c02626",
    "warn": "#b4470f",
}
_FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"


def svg_file(chart: Markup, title: str, *, width: int = 1200, height: int = 420) -> str:
    """Of `area` or `bars`. The inner charts place all in percent, so any size is possible."""
    page = {"xmlns": "http://www.w3.org/2000/svg", "width": width, "height": height, "font-family": _FONT}
    inside = {"x": 64, "y": 64, "width": width - 96, "height": height - 110, "overflow": "visible"}
    style = Markup("<style>{}</style>").format(Markup(_style()))
    paper = tag("rect", {"width": "100%", "height": "100%", "fill": _LIGHT["bg"]})
    head = tag("text", {"x": 24, "y": 36, "font-size": 18, "fill": _LIGHT["text"]}, title)
    return tag("svg", page, style, paper, head, tag("svg", inside, chart))


@cache
def _style() -> str:
    """The rules that hold everywhere, with colours in place of variables, which few programs know."""
    css = files("penstock.dashboard").joinpath("static/charts.css").read_text("utf-8").split("@media")[0]
    plain = re.sub(r"var\(--([a-z-]+)\)", lambda found: _LIGHT[found[1]], css.replace("rem", "em"))
    return plain + ".chart.area, .chart.bars { height: 100%; font-size: 16px }"
