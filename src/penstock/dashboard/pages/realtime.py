"""What happens now: who is online, events a minute, on which pages, from where, and each event as it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from markupsafe import Markup

from ...reports.filters import Filter, Op
from ..charts.bars import bars, share_bar
from ..charts.formats import count
from ..charts.plot import Series
from ..listing import NOTHING_SAID
from ..live.tail import Live, Seen
from ..live.window import Entry, Now, Ranked
from ..page import Page
from ..state import State
from .session import session_link


class Row(NamedTuple):
    """A name, the bar behind it, and of how many sessions."""

    name: str
    bar: Markup
    sessions: str
    link: str | None = None


class Line(NamedTuple):
    """A row of the feed."""

    at: str
    clock: str
    type: str
    page: str
    about: str
    link: str | None


async def extra(dashboard: Any, state: State) -> Mapping[str, Any]:
    """Of the stream, not of the lake."""
    live: Live = dashboard.live
    return context(state, live.seen, live.feed(), live.name)


def context(state: State, seen: Seen, feed: Sequence[Entry], name: str) -> Mapping[str, Any]:
    fitting = [entry for entry in reversed(feed) if fits(entry, state.one("type"), state.one("text"))]
    without = state.one("feed") == "no"
    newest = max([seen.now.newest, *(entry.n for entry in feed)])
    return {
        "now": seen.now,
        "reading": seen.reading,
        "waiting": seen.lag.records,
        "waiting_since": _moment(seen.lag.oldest) if seen.lag.oldest else None,
        "last_minute": seen.now.per_minute[-2],
        "chart": chart(seen.now, state.site.zone),
        "pages": [row._replace(link=_page_link(state, row.name)) for row in rows(seen.now.pages)],
        "sources": rows(seen.now.sources),
        "feed": [] if without else [line(state, entry) for entry in fitting],
        "stream": f"/live?after={name}-{newest}",
        "types": sorted({entry.type for entry in feed} | ({state.one("type")} - {""})),
    }


def fits(entry: Entry, type_: str, text: str) -> bool:
    said = " ".join((entry.type, entry.page, about(entry), entry.session)).lower()
    return (not type_ or entry.type == type_) and text.lower() in said


def chart(now: Now, zone: str) -> Markup:
    first = now.minute - len(now.per_minute) + 1
    points = [(_moment((first + nth) * 60), value) for nth, value in enumerate(now.per_minute)]
    return bars(Series("Events", points), grain="minute", zone=zone, running=True)


def rows(ranked: Sequence[Ranked]) -> list[Row]:
    most = max((each.sessions for each in ranked), default=1)
    return [Row(each.name or NOTHING_SAID, share_bar(each.sessions / most), count(each.sessions)) for each in ranked]


def line(state: State, entry: Entry) -> Line:
    at = _moment(entry.at)
    linked = entry.session and not state.share
    return Line(
        at.isoformat(timespec="milliseconds"),
        f"{at.astimezone(ZoneInfo(state.site.zone)):%H:%M:%S}",
        entry.type,
        entry.page,
        about(entry),
        session_link(entry.session, at) if linked else None,
    )


def about(entry: Entry) -> str:
    return " · ".join(filter(None, (entry.source, entry.device, entry.country)))


def _page_link(state: State, page: str) -> str:
    return state.link("/", word="today", filters=(Filter("page_path", Op.equal, page),))


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


async def facts(dashboard: Any) -> Any:
    return {"now": dashboard.live.seen.now, "feed": dashboard.live.feed()}


PAGE = Page(
    "realtime",
    "Realtime",
    own={
        "type": "only events of this type in the feed",
        "text": "only events in the feed that say this",
        "feed": "no: without the feed, for a page that has it already",
    },
    extra=extra,
    facts=facts,
    key="r",
    takes_filters=False,
    needs_lake=False,
)
