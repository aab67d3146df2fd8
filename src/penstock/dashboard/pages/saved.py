"""What was saved on the dashboard: shared pages, tokens, segments, notes, funnels and queries; and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool

from ..page import Page
from ..saved import Annotation, Row, Saved, SavedQuery, Segment, Share, Token
from ..saved import Funnel as SavedFunnel
from ..state import State


class Entry(NamedTuple):
    id: int
    name: str
    told: str
    link: str | None = None


class Kind(NamedTuple):
    """A list of entries; `name` is what addresses call it."""

    name: str
    title: str
    nothing: str
    entries: list[Entry]


_TOLD: dict[type[Row], tuple[str, str]] = {
    Share: ("Shared pages", "A page is shared by the menu “Share” above it."),
    Token: ("Tokens for programs", "None."),
    Segment: ("Segments", "Filters are saved by the menu “Segments”."),
    Annotation: ("Notes", "Notes are made below the overview's chart, or by programs."),
    SavedFunnel: ("Funnels", "A funnel is saved on its page."),
    SavedQuery: ("Queries", "A query is saved on the page SQL."),
}


async def extra(dashboard: Any, state: State) -> Mapping[str, Any]:
    return {"kinds": await run_in_threadpool(lists, dashboard.saved)}


def lists(saved: Saved) -> list[Kind]:
    return [Kind(kind.KIND, *told, [_entry(row) for row in reversed(saved.all(kind))]) for kind, told in _TOLD.items()]


def _entry(row: Row) -> Entry:
    match row:
        case Share():
            guarded = ", with a password" if row.password else ""
            return Entry(row.id, row.name, f"{row.page}?{row.query}, until {row.expires:%Y-%m-%d}{guarded}")
        case Token():
            return Entry(row.id, row.name, f"may {row.may}, made {row.made:%Y-%m-%d}")
        case Segment():
            return Entry(row.id, row.name, " and ".join(row.filters))
        case Annotation():
            return Entry(row.id, row.at, row.text)
        case SavedFunnel():
            return Entry(row.id, row.name, "", f"/funnels?{row.query}")
        case SavedQuery():
            pinned = "on the overview" if row.pinned else ""
            return Entry(row.id, row.name, " · ".join(filter(None, [row.description, pinned])), f"/sql?saved={row.id}")
        case _:
            raise TypeError(f"there is no list of {type(row).__name__}")


PAGE = Page("saved", "Saved", extra=extra, takes_filters=False, key="v")
