"""Steps as forms, addresses and reports write them, and as people read them."""

from __future__ import annotations

import pytest

from penstock.dashboard import steps


@pytest.mark.parametrize(
    ("event", "filters", "step"),
    [
        ("page_view", "", "page_view"),
        (" page_view ", " page_path=/a & device=x ", "page_view & page_path=/a & device=x"),
        ("a", "& b=1", "a & b=1"),
        ("a", "b=c&d", "a & b=c&d"),
    ],
)
def test_steps_in_two_fields(event: str, filters: str, step: str) -> None:
    assert steps.step(event, filters) == step
    assert steps.step(*steps.parts(step)) == step


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ("page_view", "page_view"),
        (steps.SCROLLED, "scroll_depth ≥ 50 %"),
        ("page_view & page_path=/pricing", "page_view /pricing"),
        ("page_view & device!=mobile & page_path*=x", "page_view device is not mobile page_path contains x"),
        ("page_view & utm_source=", "page_view utm_source is nothing"),
        ("page_view & nonsense", "page_view nonsense"),
    ],
)
def test_steps_have_names(step: str, name: str) -> None:
    assert steps.named(step) == name
