"""Gold, worked out slowly in plain Python from silver's rows: what every rollup and every session has to be."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import md5
from itertools import groupby
from typing import Any

Event = dict[str, Any]
Session = dict[str, Any]
Row = tuple[Any, ...]
DAY = timedelta(days=1)
PURCHASES = ("purchase", "order_completed", "purchase_completed")
STEPS = {
    "page_view": "view",
    "add_to_cart": "add",
    "remove_from_cart": "remove",
    **dict.fromkeys(PURCHASES, "purchase"),
}
FUNNEL = ("page_view", "add_to_cart", "purchase")
MARK = {"page_view": "", "scroll_depth": "percent", "time_on_page": "seconds"}
MARKS = {"30": 30, "60": 30, "180": 120, "300": 120}
OF_STEPS = (
    "source", "event_type", "event_ts", "seq", "page_path", "referrer_host", "channel", "utm_source", "utm_medium",
    "utm_campaign", "utm_term", "utm_content", "device", "browser", "os", "screen_width", "screen_height", "language",
    "country", "product_id", "category", "price", "quantity", "revenue", "variants",
)  # fmt: skip
PROPERTIES = ("percent", "seconds", "form", "file", "experiment", "variant")
FIRST_SAID = (
    "channel", "referrer_host", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "device",
    "browser", "os", "country", "language",
)  # fmt: skip


def rollups(events: Sequence[Event], sessions: Sequence[Session]) -> dict[str, list[Row]]:
    """Every rollup by its name, rows sorted."""
    people = [event for event in events if not event["is_bot"]]
    several = {line(event) for event in overnight(events)}
    settled = [event for event in people if line(event) not in several]
    visits = [session for session in sessions if not session["is_bot"]]
    return {
        "event_counts": rows(events, lambda e: [(hour(e), e["event_type"])], lambda es: (len(es) - bots(es), bots(es))),
        "revenue_hourly": rows(
            [e for e in people if e["event_type"] in PURCHASES], lambda e: [(hour(e),)], lambda es: (len(es), money(es))
        ),
        "page_views_hourly": rows(
            [e for e in people if e["event_type"] == "page_view" and e["page_path"] is not None],
            lambda e: [(hour(e), e["page_path"])],
            lambda es: (len(es),),
        ),
        "origins_hourly": rows(
            [e for e in people if e["event_type"] == "page_view"],
            lambda e: [
                (hour(e), next((e[n] for n in ("utm_source", "referrer_host") if e[n] is not None), "(direct)"))
            ],
            lambda es: (len(es),),
        ),
        "page_views_daily": rows(
            [e for e in people if e["event_type"] == "page_view" and e["page_path"] is not None],
            lambda e: [(day(e), e["page_path"])],
            lambda es: (
                len(es),
                different(es, "session_id"),
                different(es, "user_id", "anonymous_id", "session_id"),
            ),
        ),
        "users_daily": rows(
            people,
            lambda e: [(day(e),)],
            lambda es: (different(es, "user_id", "anonymous_id"), different(es, "session_id"), len(es)),
        ),
        "products_daily": rows(
            [e for e in people if e["product_id"] is not None and e["event_type"] in STEPS],
            lambda e: [(day(e), e["product_id"])],
            product,
        ),
        "categories_daily": rows(
            [e for e in people if e["category"] is not None],
            lambda e: [(day(e), e["category"], e["event_type"])],
            lambda es: (len(es), money(es)),
        ),
        "types_one_day": rows(
            settled,
            lambda e: [(day(e), e["event_type"])],
            lambda es: (
                len(es),
                different(es, "session_id"),
                min(micros(e) for e in es),
                max(micros(e) for e in es),
            ),
        ),
        "pages_one_day": rows(
            [e for e in settled if e["event_type"] == "page_view" and e["page_path"] is not None],
            lambda e: [(day(e), e["page_path"])],
            lambda es: (len(es), len(said(es, "session_id")), different(es, "session_id")),
        ),
        "marks_one_day": rows(
            [e for e in settled if e["event_type"] in MARK and e["page_path"] is not None],
            lambda e: [(day(e), e["event_type"], text(e, MARK[e["event_type"]]))],
            lambda es: (len(es),),
        ),
        "devices_one_day": rows(settled, lambda e: [(day(e), e["device"])], device),
        "screens_one_day": screens(settled),
        "products_one_day": rows(
            [e for e in settled if e["product_id"] is not None and e["event_type"] in FUNNEL],
            lambda e: [(day(e), e["product_id"])],
            lambda es: (
                *(times(es, name) for name in FUNNEL),
                *(different([e for e in es if e["event_type"] == name], "session_id") for name in FUNNEL),
            ),
        ),
        "reads_one_day": reads(settled),
        "overnight_daily": rows(
            overnight(events), lambda e: [(day(e), str(short(e["session_id"])))], lambda es: (len(es),)
        ),
        "sources_daily": rows(
            visits,
            lambda s: [(s["day"], *(s[name] for name in FIRST_SAID[:5]))],
            lambda ss: (len(ss), *come_to(ss)),
        ),
        "sessions_daily": rows(visits, lambda s: [(s["day"],)], of_a_day),
        "lengths_daily": rows(visits, lambda s: [(s["day"], str(length(s) // 1000))], lambda ss: (len(ss),)),
        "visitors_daily": rows(
            visits,
            lambda s: [(s["day"], s["prev_day"])],
            lambda ss: (len(ss), sum(s["first_day"] is not None for s in ss), *come_to(ss)),
        ),
        "variants_daily": rows(visits, variants, lambda ss: (len(ss), *come_to(ss))),
    }


def sessions(events: Iterable[Event]) -> list[Session]:
    """By id, what happened within 24 hours of its first event after a day without one; then the rest, day by day."""
    by_id: dict[Row, list[Event]] = defaultdict(list)
    for event in events:
        if event["session_id"] is not None:
            by_id[event["source"], event["session_id"], event["is_bot"]].append(event)
    return [
        one(key, began, some)
        for key, found in by_id.items()
        for began, some in sorted(parts(sorted(found, key=place)).items())
    ]


def parts(events: Sequence[Event]) -> dict[date, list[Event]]:
    """The day on which a session began → its events; for one id, in order."""
    first: dict[date, datetime] = {}
    for event in events:
        first.setdefault(day(event), event["event_ts"])
    found: dict[date, list[Event]] = defaultdict(list)
    for event in events:
        today = day(event)
        before = today - DAY
        fresh = before in first and before - DAY not in first
        began = before if fresh and event["event_ts"] - first[before] < DAY else today
        found[began].append(event)
    return found


def steps(events: Iterable[Event]) -> list[Event]:
    """What people did, in the columns that reports need."""
    return [
        {
            **{name: event[name] for name in OF_STEPS},
            "session": short(event["session_id"]),
            "known_as": short(event["user_id"] or event["anonymous_id"]),
            **{f"property_{name}": text(event, name) for name in PROPERTIES},
            "day": day(event),
        }
        for event in events
        if not event["is_bot"]
    ]


def overnight(events: Iterable[Event]) -> list[Event]:
    """What people did in sessions that have events on several days."""
    days: dict[str, set[date]] = defaultdict(set)
    people = [event for event in events if not event["is_bot"] and event["session_id"] is not None]
    for event in people:
        days[event["session_id"]].add(day(event))
    return [event for event in people if len(days[event["session_id"]]) > 1]


def line(event: Event) -> Row:
    """Which one it is: an id may be there twice, if its events are too far apart to be copies."""
    return event["bronze_file"], event["bronze_line"]


def walks(events: Sequence[Event]) -> list[Event]:
    """Of sessions of one day, the pages in their order, without those that are seen again at once."""
    several = {line(event) for event in overnight(events)}
    views: dict[tuple[date, str], list[Row]] = defaultdict(list)
    for event in events:
        if event["event_type"] != "page_view" or event["is_bot"] or line(event) in several:
            continue
        if event["session_id"] is not None and event["page_path"] is not None:
            at = (event["event_ts"], (event["seq"] or 0) % 2048, event["page_path"].encode())
            views[day(event), event["session_id"]].append((*at, event["page_path"]))
    walked = Counter(
        (on, tuple(page for page, _ in groupby(row[-1] for row in sorted(some)))) for (on, _), some in views.items()
    )
    return [
        {"day": on, "walk": json.dumps(pages, ensure_ascii=False, separators=(",", ":")), "sessions": many}
        for (on, pages), many in walked.items()
    ]


def short(name: str | None) -> int | None:
    return None if name is None else int.from_bytes(md5(name.encode()).digest()[8:], "little") >> 1


def one(key: Row, began: date, events: Sequence[Event]) -> Session:
    views = [e["page_path"] for e in events if e["event_type"] == "page_view" and e["page_path"] is not None]
    counted = {
        "views": sum(e["event_type"] == "page_view" for e in events),
        "cta_clicks": sum(e["event_type"] == "cta_click" for e in events),
        "form_submits": sum(e["event_type"] == "form_submit" for e in events),
        "purchases": sum(e["event_type"] in PURCHASES for e in events),
    }
    converted = counted["cta_clicks"] + counted["form_submits"] + counted["purchases"] > 0
    scrolled = [number(e, "percent") for e in events if e["event_type"] == "scroll_depth"]
    return {
        **dict(zip(("source", "session_id", "is_bot"), key, strict=True)),
        "day": began,
        "user_id": max(said(events, "user_id"), default=None),
        "anonymous_id": max(said(events, "anonymous_id"), default=None),
        "session": short(key[1]),
        "known_as": short(
            max(said(events, "user_id"), default=None) or max(said(events, "anonymous_id"), default=None)
        ),
        "start_ts": events[0]["event_ts"],
        "end_ts": events[-1]["event_ts"],
        "entry_page": next(iter(views), None),
        "exit_page": next(iter(reversed(views)), None),
        "events": len(events),
        "max_scroll": max((at for at in scrolled if at is not None and 0 <= at <= 100), default=None),
        "engaged_seconds": sum(
            MARKS.get(told(e, "seconds") or "", 0) for e in events if e["event_type"] == "time_on_page"
        ),
        **{name: next(iter(said(events, name)), None) for name in FIRST_SAID},
        "first_day": min(said(events, "first_day"), default=None),
        "prev_day": min(said(events, "prev_day"), default=None),
        **counted,
        "revenue": money(events),
        "converted": converted,
        "bounced": counted["views"] == 1 and not converted,
        "variants": next(iter(reversed(said(events, "variants"))), None),
    }


def rows(of: Iterable[Any], keys: Callable[[Any], Iterable[Row]], values: Callable[[Sequence[Any]], Row]) -> list[Row]:
    groups: dict[Row, list[Any]] = defaultdict(list)
    for each in of:
        for key in keys(each):
            groups[key].append(each)
    return in_order((*key, *values(some)) for key, some in groups.items())


def in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: [(value is not None, str(value)) for value in row])


def hour(event: Event) -> datetime:
    at: datetime = event["event_ts"].astimezone(UTC)
    return at.replace(minute=0, second=0, microsecond=0)


def day(event: Event) -> date:
    return hour(event).date()


def place(event: Event) -> Row:
    return event["event_ts"], event["seq"] or 0, event["event_id"].encode()


def bots(events: Sequence[Event]) -> int:
    return sum(event["is_bot"] for event in events)


def money(events: Sequence[Event]) -> Decimal:
    return sum((event["revenue"] for event in events if event["revenue"] is not None), Decimal("0.00"))


def said(events: Sequence[Event], name: str) -> list[Any]:
    return [event[name] for event in events if event[name] is not None]


def different(events: Sequence[Event], *names: str) -> int:
    """How many values of the first of these columns that an event says."""
    return len({next((e[name] for name in names if e[name] is not None), None) for e in events} - {None})


def told(event: Event, name: str) -> str | None:
    value = json.loads(event["properties"] or "{}").get(name)
    return None if value is None else str(value)


def text(event: Event, name: str) -> str | None:
    """As JSON has it, a text without its quotes."""
    value = json.loads(event["properties"] or "{}").get(name)
    return value if value is None or isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def number(event: Event, name: str) -> int | None:
    try:
        return int(told(event, name) or "")
    except ValueError:
        return None


def product(events: Sequence[Event]) -> Row:
    of = {step: [e for e in events if STEPS[e["event_type"]] == step] for step in ("view", "add", "remove", "purchase")}
    steps = (of["view"], of["add"], of["purchase"])
    return (*map(len, of.values()), *(different(some, "session_id") for some in steps), money(events))


def times(events: Sequence[Event], *names: str) -> int:
    return sum(event["event_type"] in names for event in events)


def device(events: Sequence[Event]) -> Row:
    adds, bought = ([e for e in events if e["event_type"] in names] for names in (("add_to_cart",), PURCHASES))
    return (
        different(events, "session_id"),
        times(events, "page_view"),
        len(adds),
        len(bought),
        different(adds, "session_id"),
        different(bought, "session_id"),
        money(events),
    )


def screens(events: Sequence[Event]) -> list[Row]:
    """One side unknown is another screen than both, but has no name either."""
    sizes = rows(
        events,
        lambda e: [(day(e), e["screen_width"], e["screen_height"])],
        lambda es: (different(es, "session_id"), times(es, "page_view")),
    )
    named = [(on, None if None in (w, h) else f"{w} x {h}", *counted) for on, w, h, *counted in sizes]
    return rows(named, lambda row: [row[:2]], lambda some: (sum(r[2] for r in some), sum(r[3] for r in some)))


def reads(events: Sequence[Event]) -> list[Row]:
    """By what a session came to; those that view nothing are left out."""
    of_session = rows(
        [e for e in events if e["session_id"] is not None and e["page_path"] is not None],
        lambda e: [(day(e), e["utm_source"] or "(direct)", e["utm_campaign"], e["session_id"])],
        lambda es: (
            *(deepest(es, name) for name in ("scroll_depth", "time_on_page")),
            times(es, "page_view"),
            times(es, "cta_click"),
        ),
    )
    return rows(
        [row for row in of_session if row[6]],
        lambda row: [(*row[:3], *row[4:6])],
        lambda some: (len(some), sum(row[6] for row in some), sum(row[7] > 0 for row in some)),
    )


def deepest(events: Sequence[Event], name: str) -> str | None:
    said = (number(event, MARK[name]) for event in events if event["event_type"] == name)
    return max((str(mark) for mark in said if mark is not None), key=int, default=None)


def micros(event: Event) -> int:
    return (event["event_ts"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def come_to(sessions: Sequence[Session]) -> Row:
    return (
        sum(s["bounced"] for s in sessions),
        sum(s["converted"] for s in sessions),
        sum(s["views"] for s in sessions),
        sum(s["engaged_seconds"] for s in sessions),
        money(sessions),
    )


def of_a_day(sessions: Sequence[Session]) -> Row:
    viewing = [s for s in sessions if s["views"]]
    unsaid = [s for s in sessions if s["first_day"] is None]
    return (
        len(sessions),
        different(unsaid, "known_as"),
        sum(s["known_as"] is None for s in unsaid),
        len(viewing),
        sum(s["views"] for s in sessions),
        sum(s["bounced"] for s in sessions),
        sum(s["converted"] for s in sessions),
        sum((s["max_scroll"] or 0) >= 75 for s in viewing),
        sum(s["engaged_seconds"] for s in viewing),
        sum(length(s) for s in sessions),
        money(sessions),
    )


def length(session: Session) -> int:
    """Between the milliseconds of its ends."""
    first, last = (session[end] - datetime(1970, 1, 1, tzinfo=UTC) for end in ("start_ts", "end_ts"))
    return last // timedelta(milliseconds=1) - first // timedelta(milliseconds=1)


def variants(session: Session) -> list[Row]:
    said = json.loads(session["variants"] or "{}")
    return [(session["day"], name, value) for name, value in said.items() if value is not None]
