"""Which event types there are in the period: what menus offer, and whether it is a shop rather than a site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .answers import Ask
from .page import Shown
from .state import State

CARD = "types"
OF_SHOP = "shop_"
_MOST = 200


def ask(state: State) -> Ask:
    """For card `types`: all of the period; of the filters only which site or shop it is counts."""
    where = tuple(str(one) for one in state.filters if one.column == "source")
    return Ask("events", {"whole": True, "by": "event_type", "where": where})


def types(shown: Shown) -> tuple[str, ...]:
    """The most frequent first."""
    rows = sorted(shown.rows(CARD), key=lambda row: -row["events"])
    return tuple(row["event_type"] for row in rows[:_MOST] if row["event_type"])


def whose(choices: Mapping[str, Any], types: tuple[str, ...]) -> str:
    """Where cards of a site and of a shop were asked, what the names of those begin with that are to be shown."""
    return OF_SHOP if OF_SHOP in choices and sells(types) else ""


def sells(types: tuple[str, ...]) -> bool:
    """A shop, without the buttons and forms of a site."""
    return "cta_click" not in types and ("purchase" in types or "add_to_cart" in types)


def offered(types: tuple[str, ...], chosen: str) -> tuple[str, ...]:
    """What a menu of event types shows: also the one that was asked for, when it did not happen."""
    return types if not chosen or chosen in types else (chosen, *types)
