"""One session, event after event; of whom it says nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from ..answers import Ask
from ..charts.formats import NOTHING, duration, money
from ..page import Page, Shown
from ..state import SAFE, State

_DAYS_AROUND = timedelta(days=2)
"""A session lasts a day at most; and days of a zone begin up to 14 hours from those of UTC."""
_LONGEST_ID = 1000
_SHORT = 12
_MOST = 1000


def session_link(session: str, at: date | datetime | None = None) -> str:
    """`at`: when it was, so that it is looked for only there."""
    day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
    said = {"id": session, **({"day": day.isoformat()} if day else {})}
    return f"/session?{urlencode(said, quote_via=quote, safe=SAFE)}"


class Event(NamedTuple):
    """`after`: since the first event. `gap`: a long pause before it, for people."""

    at: datetime
    after: str
    type: str
    page: str
    gap: str
    revenue: str
    properties: tuple[tuple[str, str], ...]


def _id(state: State) -> str:
    return state.one("id").replace("\0", "")[:_LONGEST_ID]


def _day(state: State) -> date | None:
    try:
        return date.fromisoformat(state.one("day"))
    except ValueError:
        return None


def _when(state: State) -> dict[str, Any]:
    day = _day(state)
    today = state.site.now.date()
    first = state.site.first - _DAYS_AROUND
    if not _id(state):
        return {"since": today, "until": today, "zone": "UTC"}
    if day is None or not first <= day <= today + _DAYS_AROUND:
        return {"since": min(first, today), "until": today, "zone": "UTC"}
    return {"since": day - _DAYS_AROUND, "until": min(day + _DAYS_AROUND, max(today, day)), "zone": "UTC"}


def asks(state: State) -> Mapping[str, Ask]:
    when = _when(state)
    return {
        "events": Ask("session", {**when, "where": (), "id": _id(state)}),
        "visits": Ask("sessions", {**when, "where": (f"session_id={_id(state)}",), "limit": 10}),
    }


def show(shown: Shown) -> Mapping[str, Any]:
    rows = shown.rows("events")
    visits = shown.rows("visits")
    known = _id(shown.state)
    return {
        "id": known,
        "short": known if len(known) <= _SHORT else f"{known[:_SHORT]}…",
        "events": events(rows[:_MOST]),
        "more": max(0, len(rows) - _MOST),
        "lasted": duration(rows[-1]["seconds"]) if rows else NOTHING,
        "pages": len({row["page_path"] for row in rows if row["page_path"]}),
        "count": len(rows),
        "visit": visits[-1] if visits else None,
        "everywhere": session_link(known) if _day(shown.state) else None,
        "failure": shown.failure("events"),
    }


def events(rows: list[dict[str, Any]]) -> list[Event]:
    """A pause of over five minutes is said."""
    found, last = [], 0.0
    for row in rows:
        seconds = row["seconds"]
        found.append(
            Event(
                row["at"],
                f"+{duration(seconds)}" if seconds else "start",
                row["event_type"],
                row["page_path"] or "",
                f"{duration(seconds - last)} later" if seconds - last > 300 else "",
                money(row["revenue"]) if row["revenue"] is not None else "",
                tuple(_properties(row)),
            )
        )
        last = seconds
    return found


def _properties(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    product = [("product", str(row["product_id"]))] if row["product_id"] else []
    text = row["properties"]
    try:
        told = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        told = text
    if not isinstance(told, dict):
        return [*product, ("properties", str(text)[:500])]
    return product + [(name, _said(value)[:500]) for name, value in told.items()]


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


PAGE = Page(
    "session",
    "Session",
    asks,
    show,
    own={"id": "the session's id", "day": "about when it was, YYYY-MM-DD; without it all time is searched"},
    takes_filters=False,
)
