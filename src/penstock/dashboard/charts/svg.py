"""Elements as Markup: everything escaped, nothing that XML cannot hold, numbers short."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINK = re.compile(r"https?://|[?#]|/(?![/\\])", re.IGNORECASE)
_LONGEST = 200
NONE = Markup("")


def clean(text: object, longest: int = _LONGEST) -> str:
    """Text as it can be shown: characters that no document may hold are shown as �, and its end is cut off."""
    cleaned = _NO_XML.sub("�", str(text)[: longest + 1])
    return cleaned if len(cleaned) <= longest else cleaned[: longest - 1] + "…"


def tag(name: str, attributes: Mapping[str, Any], *children: object) -> Markup:
    """An element; attributes that are None are left out. Children are escaped unless they are Markup."""
    written = Markup("").join(Markup(' {}="{}"').format(k, _value(v)) for k, v in attributes.items() if v is not None)
    inside = Markup("").join(child if isinstance(child, Markup) else escape(clean(child)) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, inside)


def shape(name: str, attributes: Mapping[str, Any]) -> Markup:
    """An element of SVG without children."""
    written = Markup("").join(Markup(' {}="{}"').format(k, _value(v)) for k, v in attributes.items() if v is not None)
    return Markup("<{}{}/>").format(name, written)


def chart(kind: str, label: str, *children: object, role: str = "img", **data: Any) -> Markup:
    """The outer svg: no viewBox, so all in it is placed by percentages. Without a label it is decoration."""
    told = {"role": role, "aria-label": clean(label, 1000)} if label else {"aria-hidden": "true"}
    return tag("svg", {"class": f"chart {kind}", **told, "focusable": "false"} | data, *children)


def nothing(kind: str) -> Markup:
    return chart(kind, "No data", tag("text", {"class": "tick middle", "x": "50%", "y": "50%"}, "No data"))


def plane(*children: object) -> Markup:
    """The inner svg for paths: 100 by 100 units, stretched over all of the chart."""
    box = {"width": "100%", "height": "100%", "viewBox": "0 0 100 100", "preserveAspectRatio": "none"}
    return tag("svg", {"class": "plane"} | box, *children)


def path(classes: str, d: str, **attributes: Any) -> Markup:
    return shape("path", {"class": classes, "d": d, "vector-effect": "non-scaling-stroke"} | attributes)


def polyline(run: Sequence[tuple[float, float]]) -> str:
    """Through all points; a single one is a line of no length, which round ends make a dot."""
    points = [f"{num(x)} {num(y)}" for x, y in run]
    return f"M{points[0]}" + (f"L{' '.join(points[1:])}" if len(points) > 1 else "h0")


def safe(href: str | None) -> str | None:
    """A link within the site, or to the web; nothing else is one."""
    return href if href and _LINK.match(href) else None


def num(value: float) -> str:
    """Two places are finer than a pixel."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def pct(value: float) -> str:
    return num(value) + "%"


def _value(value: Any) -> Any:
    return num(value) if isinstance(value, float) else clean(value, len(str(value)))
