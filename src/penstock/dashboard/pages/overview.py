"""The page of every morning: how many came, how it went on, from where, to what, with what, and which post drove it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from markupsafe import Markup

from ...reports.run import Answer
from ...reports.stats import Arm, wilson
from ..answers import Ask
from ..charts.area import area, legend
from ..charts.formats import Delta, Unit, delta, percent, short, show
from ..charts.interval import domain, interval
from ..charts.plot import Anomaly, Note, Plot, Series, rows
from ..charts.spark import spark
from ..listing import Listing, Measure, listing, unsaid
from ..page import Page, Shown
from ..state import State
from ..times import BEFORE

SESSIONS = Measure("sessions", "Sessions")
RATE = Measure("conversion_rate", "Conv.", Unit.share)
VIEWS = Measure("views", "Views")
FEW = 30
"""Of fewer sessions a rate says nothing."""


class Metric(NamedTuple):
    """A tile: its column of report `traffic`."""

    column: str
    name: str
    unit: str = Unit.whole
    up_is_good: bool | None = True


METRICS = (
    Metric("visitors", "Visitors"),
    Metric("sessions", "Sessions"),
    Metric("views", "Page views"),
    Metric("bounce_rate", "Bounce", Unit.share, False),
    Metric("engaged_seconds", "Engaged", Unit.seconds),
    Metric("scroll_rate", "Scrolled 75 %", Unit.share),
    Metric("conversion_rate", "Conversion", Unit.share),
    Metric("revenue", "Revenue", Unit.money),
)
PAGES = (("top", "Top"), ("entry", "Entry"), ("exit", "Exit"))
SOURCES = (
    ("channel", "Channel"),
    ("referrer_host", "Referrer"),
    ("utm_source", "Source"),
    ("utm_medium", "Medium"),
    ("utm_campaign", "Campaign"),
    ("utm_content", "Content"),
)
DEVICES = (("device", "Type"), ("browser", "Browser"), ("os", "System"), ("screen", "Screen"))
PLACES = (("language", "Language"), ("country", "Country"))
_LIMIT = 8


def asks(state: State) -> Mapping[str, Ask]:
    goal = {"goal": state.one("goal")} if state.one("goal") else {}
    page = state.chosen("pages", PAGES)
    device = state.chosen("devices", DEVICES)
    return {
        "totals": Ask("traffic", {"whole": True, **goal, **state.compared}),
        "over_time": Ask("traffic", {"grain": state.buckets, **goal, **state.compared}),
        "pages": Ask("top_pages" if page == "top" else f"{page}_pages", {"limit": _LIMIT}),
        "sources": Ask("sources", {"of": state.chosen("sources", SOURCES), "limit": _LIMIT, **goal}),
        "devices": Ask("screens", {"limit": _LIMIT})
        if device == "screen"
        else Ask("devices", {"of": device, "limit": _LIMIT}),
        "events": Ask("events", {"whole": True, "by": "event_type"}),
        "places": Ask("devices", {"of": state.chosen("places", PLACES), "limit": _LIMIT}),
        "posts": Ask("read_through", {"limit": _LIMIT}),
        "anomalies": Ask("anomalies", {"limit": 20}),
    }


class Tile(NamedTuple):
    name: str
    value: str
    change: Delta | None
    spark: Markup
    link: str
    is_chosen: bool
    title: str


def tiles(shown: Shown) -> list[Tile]:
    """Those that say something: without a shop there is no revenue."""
    totals = next(iter(shown.rows("totals")), {})
    over_time = shown.rows("over_time")
    chosen_one = metric(shown)
    running = bool(over_time and over_time[-1].get("running"))
    return [
        Tile(
            each.name,
            _short(totals.get(each.column), each.unit),
            change(totals, each) if shown.state.compare else None,
            spark([row[each.column] for row in over_time], running=running),
            shown.state.link(metric=each.column),
            each == chosen_one,
            _before(totals, each) if shown.state.compare else "",
        )
        for each in metrics(totals)
    ]


def _short(value: Any, unit: str) -> str:
    """A tile is narrow; the exact sum is in the chart's data."""
    long = show(value, unit)
    return long if len(long) < 9 else short(value, unit)


def metrics(totals: Mapping[str, Any]) -> list[Metric]:
    return [each for each in METRICS if each.column != "revenue" or totals.get("revenue")]


def metric(shown: Shown) -> Metric:
    """The one that is drawn; visitors, unless they cannot be counted, as by the hour."""
    totals, over_time = next(iter(shown.rows("totals")), {}), shown.rows("over_time")
    there = {each.column: each for each in metrics(totals)}
    uncounted = any(row.get("visitors") is None for row in (*([totals] if totals else []), *over_time))
    return there.get(shown.state.one("metric"), there["sessions" if uncounted else "visitors"])


def change(totals: Mapping[str, Any], each: Metric) -> Delta:
    return delta(totals.get(each.column), totals.get(f"{each.column}_before"), up_is_good=each.up_is_good)


def _before(totals: Mapping[str, Any], each: Metric) -> str:
    return f"before: {show(totals.get(f'{each.column}_before'), each.unit)}"


def plot(shown: Shown) -> Plot | None:
    """The main chart: the chosen metric, what it was before, what is unusual."""
    over_time, totals = shown.rows("over_time"), next(iter(shown.rows("totals")), {})
    if not over_time:
        return None
    state, one = shown.state, metric(shown)
    before = None
    if state.compare and f"{one.column}_before" in over_time[0]:
        was = [(row["bucket"], row[f"{one.column}_before"]) for row in over_time]
        before = Series(BEFORE[state.compare], was, one.unit)
    return Plot(
        [Series(one.name, [(row["bucket"], row[one.column]) for row in over_time], one.unit)],
        before=before,
        grain=state.buckets,
        zone=state.site.zone,
        running=next((row["bucket"] for row in over_time if row.get("running")), None),
        anomalies=[_anomaly(state, row) for row in shown.rows("anomalies") if row["what"] == "events"],
        notes=[Note(_moment(at), text) for at, text in state.site.notes],
        up_is_good=one.up_is_good,
        change=change(totals, one) if state.compare else None,
        name="traffic",
    )


def _moment(text: str) -> date | datetime:
    return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)


def _anomaly(state: State, row: Mapping[str, Any]) -> Anomaly:
    at: date | datetime = row["hour"]
    return Anomaly(at, f"{row['says']}")


def cards(shown: Shown) -> dict[str, Listing]:
    state = shown.state
    page, source = state.chosen("pages", PAGES), state.chosen("sources", SOURCES)
    device, place = state.chosen("devices", DEVICES), state.chosen("places", PLACES)
    by_page = [VIEWS, SESSIONS] if page == "top" else [SESSIONS, Measure("bounce_rate", "Bounce", Unit.share)]
    screens = device == "screen"
    return {
        "pages": listing(shown, "pages", "Page", {"page_path": "page_path"}, by_page, page="overview"),
        "sources": listing(shown, "sources", "Source", {"name": source}, [SESSIONS, RATE], page="overview"),
        "devices": listing(
            shown,
            "devices",
            dict(DEVICES)[device],
            {"screen": ""} if screens else {"name": device},
            [SESSIONS] if screens else [SESSIONS, RATE],
            page="overview",
        ),
        "places": listing(shown, "places", dict(PLACES)[place], {"name": place}, [SESSIONS, RATE], page="overview"),
        "events": listing(
            shown,
            "events",
            "Event",
            {"event_type": "event_type"},
            [Measure("events", "Events")],
            page="overview",
            most=_LIMIT,
        ),
    }


class Post(NamedTuple):
    """A row of “which post drove it”."""

    source: str
    campaign: str
    link: str
    sessions: str
    read: str
    stayed: str
    clicked: str
    interval: Markup
    is_enough: bool


def posts(shown: Shown) -> list[Post]:
    found = []
    rows = shown.rows("posts")
    ranges = [wilson(Arm(row["sessions"], row["clicks"])) or (None, None) for row in rows]
    likely = [(low, row["click_rate"], high) for (low, high), row in zip(ranges, rows, strict=True)]
    on = domain(likely)
    for row, rates in zip(rows, likely, strict=True):
        said = {"utm_source": row["utm_source"], "utm_campaign": row["utm_campaign"]}
        found.append(
            Post(
                said["utm_source"] or unsaid("utm_source"),
                said["utm_campaign"] or "",
                shown.state.filtered("utm_campaign", said["utm_campaign"] or "")
                if said["utm_campaign"]
                else shown.state.filtered("utm_source", said["utm_source"] or ""),
                show(row["sessions"]),
                percent(row["read_rate"]),
                percent(row["stay_rate"]),
                percent(row["click_rate"]),
                interval(*rates, on=on),
                row["sessions"] >= FEW,
            )
        )
    return found


def context(shown: Shown) -> Mapping[str, Any]:
    drawn = plot(shown)
    answers = [shown.found.get(card) for card in ("totals", "over_time")]
    notes = [note for answer in answers if isinstance(answer, Answer) for note in answer.notes]
    return {
        "notes": [f"{note[:1].upper()}{note[1:]}" for note in dict.fromkeys(notes)],
        "tiles": tiles(shown),
        "chart": area(drawn) if drawn else None,
        "legend": legend(drawn) if drawn else None,
        "data": rows(drawn) if drawn else None,
        "cards": cards(shown),
        "posts": posts(shown),
        "tabs_of": {
            "pages": (PAGES, shown.state.chosen("pages", PAGES)),
            "sources": (SOURCES, shown.state.chosen("sources", SOURCES)),
            "devices": (DEVICES, shown.state.chosen("devices", DEVICES)),
            "places": (PLACES, shown.state.chosen("places", PLACES)),
        },
    }


async def pinned(dashboard: Any, state: State) -> Mapping[str, Any]:
    """Saved queries that the owner put here; shared pages show none of them."""
    cards = [] if state.share else await dashboard.pinned.cards()
    return {"pinned": cards, "is_late": any(card.grid is None and card.failed is None for card in cards)}


PAGE = Page(
    "overview",
    "Overview",
    asks,
    context,
    own={
        "metric": "the tile that is drawn: " + ", ".join(each.column for each in METRICS),
        "goal": "event type that counts as a conversion",
        "pages": "top, entry or exit",
        "sources": "which column tells sources apart",
        "devices": "device, browser, os or screen",
        "places": "language or country",
    },
    extra=pinned,
    late=("anomalies", "pages", "sources", "devices", "places", "events", "posts"),
    path="/",
    key="o",
)
