"""A chart as a file: one document that needs nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from datetime import date

import pytest

from dashboard.charts.drawn import HOSTILE
from penstock.dashboard.charts import Plot, Series, area, svg_file

CHART = area(Plot([Series("Views", [(date(2026, 11, 1), 1), (date(2026, 11, 2), 2)])]))


def test_it_is_svg_with_its_styles_and_colours() -> None:
    made = svg_file(CHART, "Traffic", width=800, height=300)
    root = ElementTree.fromstring(made)
    assert (root.tag, root.get("width"), root.get("height")) == ("{http://www.w3.org/2000/svg}svg", "800", "300")
    assert "var(" not in made and "#4f46e5" in made


@pytest.mark.parametrize("text", HOSTILE, ids=lambda value: repr(value)[:20])
def test_hostile_titles_are_text(text: str) -> None:
    root = ElementTree.fromstring(svg_file(CHART, text))
    assert not [element for element in root.iter() if element.tag.endswith(("script", "img"))]
