"""Elements: escaped, and nothing in them that XML cannot hold."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from dashboard.charts.drawn import HOSTILE, parse, text_of
from penstock.dashboard.charts.svg import clean, num, pct, safe, tag


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:20])
def test_text_and_attributes_come_back_as_they_were(value: str) -> None:
    [found] = parse(tag("b", {"title": value}, value))
    assert not list(found)
    # XML reads an end of line as one character, and in an attribute as a space.
    assert text_of(found) == clean(value).replace("\r\n", "\n")
    assert found.get("title", "").split() == clean(value, 10**6).split()


def test_what_no_document_may_hold_is_replaced() -> None:
    assert clean("a\x00b\ud800c\uffff") == "a�b�c�"


def test_long_text_is_cut_at_its_end() -> None:
    assert clean("a" * 10_000) == "a" * 199 + "…"


def test_markup_is_kept() -> None:
    assert tag("p", {}, Markup("<b>x</b>"), "<") == "<p><b>x</b>&lt;</p>"


def test_attributes_without_a_value_are_left_out() -> None:
    assert tag("a", {"href": None, "x": 0, "y": 1.5}) == '<a x="0" y="1.5"></a>'


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (-0.001, "0"), (33.3333, "33.33"), (100.0, "100")])
def test_numbers_are_short(value: float, text: str) -> None:
    assert (num(value), pct(value)) == (text, text + "%")


@pytest.mark.parametrize(
    ("href", "kept"),
    [
        ("?a=1", True),
        ("#top", True),
        ("/events", True),
        ("/", True),
        ("https://example.com/", True),
        ("HTTP://example.com/", True),
        ("javascript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//other.example/", False),
        ("/\\other.example/", False),
        ("", False),
        (None, False),
    ],
)
def test_links_lead_into_the_site_or_to_the_web(href: str | None, kept: bool) -> None:
    assert safe(href) == (href if kept else None)
