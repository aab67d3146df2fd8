"""Event types: whose they are, and which of them menus offer."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from penstock.dashboard import kinds, state
from penstock.dashboard.state import Site

SITE = Site({"source": "VARCHAR", "device": "VARCHAR"}, "UTC", date(2026, 1, 1), datetime(2026, 11, 20, tzinfo=UTC))


@pytest.mark.parametrize(
    ("types", "sells"),
    [
        ((), False),
        (("page_view",), False),
        (("page_view", "purchase"), True),
        (("add_to_cart",), True),
        (("cta_click", "purchase"), False),
    ],
)
def test_a_shop_sells_and_has_no_buttons(types: tuple[str, ...], sells: bool) -> None:
    assert kinds.sells(types) is sells


def test_a_menu_has_what_was_asked_for() -> None:
    assert kinds.offered(("a", "b"), "b") == ("a", "b")
    assert kinds.offered(("a", "b"), "c") == ("c", "a", "b")
    assert kinds.offered(("a",), "") == ("a",)


def test_types_are_those_of_the_source() -> None:
    asked = state.read("/funnels", [("source", "shop"), ("device", "mobile")], SITE)
    assert kinds.ask(asked).asked["where"] == ("source=shop",)
