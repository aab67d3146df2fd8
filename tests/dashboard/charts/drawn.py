"""Reads charts back: elements by class, and every coordinate in them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from xml.etree.ElementTree import Element

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "\"><script>alert('x')</script>",
    "'; DROP TABLE events;--",
    "]]> <!-- &amp; &#0; {{7*7}} %s%n",
    "javascript:alert(1)",
    "\u202egnp.exe\u202d שלום",
    "nul\x00 bell\x07 \ud800 \uffff",
    "line\r\nfeed\ttab",
    "a" * 10_000,
    "",
)
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")


def parse(chart: str) -> Element:
    """Raises ParseError if it is not XML."""
    return ElementTree.fromstring(f"<root>{chart}</root>")


def by_class(root: Element, name: str) -> list[Element]:
    return [element for element in root.iter() if name in element.get("class", "").split()]


def text_of(element: Element) -> str:
    return "".join(element.itertext())


def line(root: Element, name: str = "line") -> str:
    """The path of that class, and of no other."""
    [found] = [e for e in root.iter("path") if e.get("class") == name]
    return found.get("d", "")


def coordinates(root: Element) -> list[float]:
    """All that stands in paths of the plane, and all percentages."""
    found: list[float] = []
    for plane in by_class(root, "plane"):
        for path in plane.iter("path"):
            d = path.get("d", "")
            assert re.fullmatch(r"[MLHVZhe0-9. -]*", d), d
            found += map(float, NUMBER.findall(d))
    for element in root.iter():
        found += [float(value[:-1]) for value in element.attrib.values() if re.fullmatch(r"-?[0-9.e+]+%", value)]
    return found
