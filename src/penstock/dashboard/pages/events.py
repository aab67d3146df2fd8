"""Every event type, what one of them says, what was rejected, and the sessions of late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from markupsafe import Markup

from ...api import SqlError
from ...errors import PenstockError
from ...reports.filters import Filter, Op, column_sql
from ...silver.quarantine import REASONS, list_sql
from ..answers import Ask, Failed, failed
from ..charts.area import area, legend
from ..charts.bars import share_bar
from ..charts.formats import NOTHING, duration, money, percent, show
from ..charts.plot import Plot, Series
from ..charts.spark import spark
from ..listing import Measure, listing
from ..page import Page, Shown
from ..state import State
from ..times import BEFORE
from .session import session_link

BY = (
    ("page_path", "Page"),
    ("utm_source", "Source"),
    ("device", "Device"),
    ("browser", "Browser"),
    ("country", "Country"),
    ("language", "Language"),
)
_VALUES = 5
_PROPERTIES = 20
_TYPES = 50
_SESSIONS = 12
_BREAKDOWN = 8


def _event(state: State) -> str:
    return state.one("event").replace("\0", "")[:200]


def asks(state: State) -> Mapping[str, Ask]:
    event = _event(state)
    found = {
        "over_time": Ask("events", {"grain": state.buckets, "event": event, **state.compared}),
        "each": Ask("events", {"grain": state.buckets, "by": "event_type"}),
        "types": Ask("event_types"),
    }
    where = state.where
    if event:
        where = (*where, f"event_type={event}")
        found["properties"] = Ask("properties", {"event": event, "limit": _VALUES})
        found["breakdown"] = Ask("events", {"event": event, "by": state.chosen("by", BY), "whole": True})
    if not state.share:  # what one person did is nothing for those with a link
        found["sessions"] = Ask("sessions", {"limit": _SESSIONS, "where": where})
    return found


async def extra(dashboard: Any, state: State) -> Mapping[str, Any]:
    """What was rejected in the period, by reason; nothing of that on a shared page, or beside one event type."""
    if state.share or _event(state):
        return {"rejected": ()}
    return {"rejected": await _rejected(dashboard, state)}


class Reject(NamedTuple):
    reason: str
    meaning: str
    events: str
    example: str
    sample: str
    last: datetime


async def _rejected(dashboard: Any, state: State) -> Sequence[Reject] | Failed:
    since, until = state.period.since, state.period.until

    def asked(lake: Any) -> list[tuple[Any, ...]]:
        answer = lake.sql(list_sql("reason"), {"since": since.isoformat()})
        rows: list[tuple[Any, ...]] = answer.fetchall()
        return rows

    try:
        rows = await dashboard.answers.run(asked)
    except (PenstockError, SqlError, OSError) as error:
        return failed(error)
    return [
        Reject(reason, REASONS[reason].meaning if reason in REASONS else "", show(events), example, sample, last)
        for reason, events, first, last, example, sample in rows
        if first < until
    ]


class Type(NamedTuple):
    """A row of the list. `sessions`, `first` and `last` are None while they are counted."""

    name: str
    bar: Markup
    link: str
    is_chosen: bool
    not_link: str
    spark: Markup
    events: str
    share: str
    sessions: str | None
    first: datetime | None
    last: datetime | None


def types(shown: Shown) -> list[Type]:
    """The most frequent ones, and the one that is chosen."""
    state, chosen = shown.state, _event(shown.state)
    over_time: dict[str, list[int]] = defaultdict(list)
    running = False
    for row in shown.rows("each"):
        over_time[row["event_type"]].append(row["events"])
        running = running or bool(row.get("running"))
    total = sum(map(sum, over_time.values()))
    best = sorted(over_time, key=lambda name: (-sum(over_time[name]), name))
    most = sum(over_time[best[0]]) if best else 0
    more = {row["event_type"]: row for row in shown.rows("types")}
    return [
        Type(
            name,
            share_bar(sum(over_time[name]) / most if most else 0),
            state.link(event=None if name == chosen else name, by=None),
            name == chosen,
            state.filtered("event_type", name, Op.differs),
            spark(over_time[name], running=running),
            show(sum(over_time[name])),
            percent(sum(over_time[name]) / total) if total else NOTHING,
            show(more[name]["sessions"]) if name in more else None,
            more[name]["first_seen"] if name in more else None,
            more[name]["last_seen"] if name in more else None,
        )
        for nth, name in enumerate(best)
        if sum(over_time[name]) and (nth < _TYPES or name == chosen)
    ]


class Value(NamedTuple):
    text: str
    bar: Markup
    events: str
    share: str
    link: str | None


class Property(NamedTuple):
    """`others`: how many values are not shown."""

    name: str
    events: str
    values: tuple[Value, ...]
    others: int


def properties(shown: Shown) -> list[Property]:
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in shown.rows("properties"):
        found[row["property"]].append(row)
    return [
        Property(
            name,
            show(rows[0]["property_events"]),
            tuple(_value(shown.state, name, row) for row in rows[:_VALUES]),
            rows[0]["property_values"] - len(rows[:_VALUES]),
        )
        for name, rows in list(found.items())[:_PROPERTIES]
    ]


def _value(state: State, name: str, row: Mapping[str, Any]) -> Value:
    text = row["value"]
    return Value(
        "(none)" if text in (None, "") else text[:200],
        share_bar(row["share"]),
        show(row["events"]),
        percent(row["share"]),
        _filter_link(state, f"properties.{name}", text or ""),
    )


def _filter_link(state: State, column: str, value: str) -> str | None:
    """None for a name that filters cannot say, and a value that is too long for an address."""
    try:
        column_sql(column, state.site.columns)
    except PenstockError:
        return None
    one = Filter(column, Op.equal, value)
    return state.filtered(*one[::2]) if len(column) + len(value) < 400 else None


class Visit(NamedTuple):
    link: str
    at: str
    moment: datetime
    page: str
    about: str
    events: str
    lasted: str
    outcome: str


def visits(shown: Shown) -> list[Visit]:
    zone = ZoneInfo(shown.state.site.zone)
    return [
        Visit(
            session_link(row["session_id"], row["start_ts"]),
            f"{row['start_ts'].astimezone(zone):%d %b %H:%M}",
            row["start_ts"].astimezone(UTC),
            row["entry_page"] or "no page",
            " · ".join(filter(None, (row["utm_source"] or row["channel"], row["device"]))),
            show(row["events"]),
            duration(row["seconds"]),
            money(row["revenue"]) if row["revenue"] else "converted" if row["converted"] else "",
        )
        for row in shown.rows("sessions")
    ]


def plot(shown: Shown) -> Plot | None:
    state, rows = shown.state, shown.rows("over_time")
    if not rows:
        return None
    before = None
    if state.compare and "events_before" in rows[0]:
        before = Series(BEFORE[state.compare], [(row["bucket"], row["events_before"]) for row in rows])
    return Plot(
        [Series(_event(state) or "Events", [(row["bucket"], row["events"]) for row in rows])],
        before=before,
        grain=state.buckets,
        zone=state.site.zone,
        running=next((row["bucket"] for row in rows if row.get("running")), None),
        name="events",
    )


def context(shown: Shown) -> Mapping[str, Any]:
    state, drawn = shown.state, plot(shown)
    by = state.chosen("by", BY)
    return {
        "event": _event(state),
        "chart": area(drawn) if drawn else None,
        "legend": legend(drawn) if drawn else None,
        "types": types(shown),
        "properties": properties(shown),
        "visits": visits(shown),
        "tabs_of": (BY, by),
        "breakdown": listing(
            shown,
            "breakdown",
            dict(BY)[by],
            {by: by},
            [Measure("events", "Events")],
            page="events",
            most=_BREAKDOWN,
        ),
        "failures": {card: shown.failure(card) for card in asks(state)},
    }


PAGE = Page(
    "events",
    "Events",
    asks,
    context,
    own={"event": "the event type that is looked at", "by": "what its breakdown tells apart"},
    extra=extra,
    late=("types", "properties"),
    key="e",
)
