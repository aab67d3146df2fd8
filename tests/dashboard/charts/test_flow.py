"""The way as boxes and arrows."""

from __future__ import annotations

import pytest

from dashboard.charts.drawn import HOSTILE, by_class, parse, text_of
from penstock.dashboard.charts import Health, Stage, flow

WAY = [
    Stage("Collector", "1,204 / s", ["0 refused"], "41 events", href="/status"),
    Stage("Stream", "1.2 M", [], "312 · 4 s", Health.warn),
    Stage("Bronze", waiting="never seen", health="on fire"),
]


def test_boxes_in_order_with_what_waits_between_them() -> None:
    root = parse(flow(WAY))
    assert [text_of(box) for box in root.iter("li")] == [
        "Collectorhealthy1,204 / s0 refused41 events",
        "Streamlate1.2 M312 · 4 s",
        "Bronzelate",
    ]
    assert [a.get("href") for a in root.iter("a")] == ["/status"]


def test_health_is_a_class_and_a_word() -> None:
    assert [box.get("class") for box in by_class(parse(flow(WAY)), "stage")] == [
        "stage good", "stage warn", "stage warn",
    ]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda value: repr(value)[:20])
def test_hostile_texts_are_text(text: str) -> None:
    root = parse(flow([Stage(text, text, [text], text, text, text)] * 2, label=text))
    assert {e.tag for e in root.iter()} == {
        "root", "ol", "li", "div", "h3", "svg", "circle", "bdi", "span", "b", "line", "path",
    }  # fmt: skip
