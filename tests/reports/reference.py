"""The simple reports once more, slowly: loops over rows of silver read as dicts. Knows no SQL, no code of reports."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from math import sqrt
from statistics import mean, median
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
PURCHASE = ("purchase", "order_completed", "purchase_completed")
WANTED = (*PURCHASE, "form_submit", "cta_click")
DAY = timedelta(days=1)
SECONDS = {30: 30, 60: 30, 180: 120, 300: 120}
FIRST_SAID = (
    "channel", "referrer_host", "utm_source", "utm_medium", "utm_campaign", "device", "browser", "os",
    "language", "country",
)  # fmt: skip


@dataclass
class Told:
    """What is asked: `fits` is the filter, `by` the breakdown's column."""

    silver: list[Row]
    since: datetime
    until: datetime
    zone: str = "UTC"
    grain: str = "day"
    fits: Callable[[Row], bool] | None = None
    by: str | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def rows(self) -> list[Row]:
        return [
            row for row in self.silver if self.is_inside(row["event_ts"]) and not row["is_bot"] and self.is_meant(row)
        ]

    @cached_property
    def sessions(self) -> list[Row]:
        """Those that began in the time, and of which an event fits."""
        first, last = (
            _midnight(moment.astimezone(UTC)) for moment in (self.since, self.until - timedelta(microseconds=1))
        )
        near = [row for row in self.silver if first <= row["event_ts"] < last + 2 * DAY and not row["is_bot"]]
        fitting = {(row["source"], row["session_id"]) for row in near if self.is_meant(row)}
        return [
            session
            for session in _sessions_of(self.silver)
            if self.is_inside(session["start_ts"]) and (session["source"], session["session_id"]) in fitting
        ]

    def is_inside(self, moment: datetime) -> bool:
        return self.since <= moment < self.until

    def is_meant(self, row: Row) -> bool:
        return self.fits is None or self.fits(row)

    def bucket(self, moment: datetime) -> date | datetime:
        local = moment.astimezone(ZoneInfo(self.zone))
        if self.grain == "hour":
            return moment - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        day = local.date()
        return {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[self.grain]

    @property
    def buckets(self) -> list[date | datetime]:
        """All of them, by asking every quarter of an hour in which it lies."""
        quarters = range(int((self.until - self.since) / timedelta(minutes=15)))
        moments = [self.since + timedelta(minutes=15) * n for n in quarters]
        return list(dict.fromkeys(map(self.bucket, moments)))

    def of(self, row: Row) -> str | None:
        value = row[self.by] if self.by else None
        return None if value is None else str(value)

    def grouped(self, rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
        found: dict[Any, list[Row]] = defaultdict(list)
        for row in rows:
            found[key(row)].append(row)
        return found

    def over_time(self, rows: Iterable[Row], measure: Callable[[list[Row]], Row]) -> list[Row]:
        """A row for each bucket, and each value of the breakdown that there is."""
        found = self.grouped(rows, lambda row: (self.bucket(row["event_ts"]), self.of(row)))
        breakdowns = {breakdown for _, breakdown in found} if self.by else {None}
        return [
            {
                "bucket": bucket,
                **({self.by: breakdown} if self.by else {}),
                **measure(found.get((bucket, breakdown), [])),
            }
            for bucket in self.buckets
            for breakdown in sorted(breakdowns, key=_nulls_last)
        ]


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _nulls_last(value: Any) -> tuple[bool, Any]:
    return value is None, value


_SESSIONS: dict[int, list[Row]] = {}
"""Of lists of rows that were asked before: they are the same whatever is asked."""


def _sessions_of(silver: list[Row]) -> list[Row]:
    if id(silver) not in _SESSIONS:
        _SESSIONS[id(silver)] = sessions_of(row for row in silver if not row["is_bot"])
    return _SESSIONS[id(silver)]


def sessions_of(silver: Iterable[Row]) -> list[Row]:
    """By the day of their first event; what an id does later than 24 hours after that is a session per day."""
    ids: dict[Any, dict[date, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in silver:
        if row["session_id"] is not None:
            ids[row["source"], row["session_id"], row["is_bot"]][row["event_ts"].astimezone(UTC).date()].append(row)
    found = []
    for days in ids.values():
        placed: dict[date, list[Row]] = defaultdict(list)
        for day, rows in days.items():
            yesterday = days.get(day - DAY)
            goes_on = yesterday is not None and day - 2 * DAY not in days
            ends = min(row["event_ts"] for row in yesterday) + DAY if yesterday and goes_on else None
            for row in rows:
                placed[day - DAY if ends is not None and row["event_ts"] < ends else day].append(row)
        found += [_session(rows) for rows in placed.values()]
    return found


def _session(rows: list[Row]) -> Row:
    rows = sorted(rows, key=lambda row: (row["event_ts"], row["seq"] or 0, row["event_id"]))
    pages = [row["page_path"] for row in rows if row["event_type"] == "page_view" and row["page_path"] is not None]
    views = sum(row["event_type"] == "page_view" for row in rows)
    converted = any(row["event_type"] in WANTED for row in rows)
    percents = [number(row, "percent") for row in rows if row["event_type"] == "scroll_depth"]
    return {
        **{name: next((row[name] for row in rows if row[name] is not None), None) for name in FIRST_SAID},
        "session_id": rows[0]["session_id"],
        "source": rows[0]["source"],
        "start_ts": rows[0]["event_ts"],
        "event_ts": rows[0]["event_ts"],
        "seconds": int((rows[-1]["event_ts"] - rows[0]["event_ts"]) / timedelta(milliseconds=1)) / 1000,
        "entry_page": pages[0] if pages else None,
        "exit_page": pages[-1] if pages else None,
        "views": views,
        "events": len(rows),
        "max_scroll": max((p for p in percents if p is not None), default=None),
        "engaged_seconds": sum(
            SECONDS.get(number(row, "seconds") or 0, 0) for row in rows if row["event_type"] == "time_on_page"
        ),
        "person": max((r["user_id"] for r in rows if r["user_id"]), default=None)
        or max((r["anonymous_id"] for r in rows if r["anonymous_id"]), default=None),
        "first_day": min((row["first_day"] for row in rows if row["first_day"]), default=None),
        "prev_day": min((row["prev_day"] for row in rows if row["prev_day"]), default=None),
        "converted": converted,
        "bounced": views == 1 and not converted,
        "revenue": money(rows),
        "types": {row["event_type"] for row in rows},
    }


def prop(row: Row, name: str) -> Any:
    return json.loads(row["properties"] or "{}").get(name)


def number(row: Row, name: str) -> int | None:
    value = prop(row, name)
    return int(value) if isinstance(value, int | float) else None


def money(rows: Iterable[Row]) -> Decimal:
    return sum((row["revenue"] for row in rows if row["revenue"] is not None), Decimal("0.00"))


def ids(rows: Iterable[Row], *types: str) -> set[str]:
    return {r["session_id"] for r in rows if r["session_id"] is not None and (not types or r["event_type"] in types)}


def times(rows: Iterable[Row], *types: str) -> int:
    return sum(row["event_type"] in types for row in rows)


def rate(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if whole else None


def wilson(part: int, whole: int) -> tuple[float, float]:
    """As in the books."""
    z, p = 1.959963984540054, part / whole
    middle, half = p + z * z / (2 * whole), z * sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    return (middle - half) / (1 + z * z / whole), (middle + half) / (1 + z * z / whole)


def best(rows: list[Row], measures: list[str], names: list[str], limit: int = 20) -> list[Row]:
    """The most first, then by name; nulls last."""
    return sorted(rows, key=lambda r: ([-r[m] for m in measures], [_nulls_last(r[n]) for n in names]))[:limit]


# events


def events(t: Told) -> list[Row]:
    wanted = t.values.get("event", "")
    rows = [row for row in t.rows if not wanted or row["event_type"] == wanted]
    return t.over_time(rows, lambda rows: {"events": len(rows)})


def event_types(t: Told) -> list[Row]:
    found = [
        {
            "event_type": name,
            "events": len(rows),
            "share": rate(len(rows), len(t.rows)),
            "sessions": len(ids(rows)),
            "first_seen": min(row["event_ts"] for row in rows),
            "last_seen": max(row["event_ts"] for row in rows),
        }
        for name, rows in t.grouped(t.rows, lambda row: row["event_type"]).items()
    ]
    return best(found, ["events"], ["event_type"], limit=len(found))


def properties(t: Told) -> list[Row]:
    wanted = t.values.get("event", "")
    said: dict[str, Counter[str | None]] = defaultdict(Counter)
    for row in t.rows:
        if not wanted or row["event_type"] == wanted:
            told = json.loads(row["properties"] or "{}")
            for name, value in told.items() if isinstance(told, dict) else ():
                said[name][_as_text(value)] += 1
    return [
        {
            "property": name,
            "value": value,
            "events": events,
            "share": rate(events, values.total()),
            "property_events": values.total(),
            "property_values": len(values),
        }
        for name, values in sorted(said.items(), key=lambda each: (-each[1].total(), each[0]))
        for value, events in sorted(values.items(), key=lambda each: (-each[1], _nulls_last(each[0])))[
            : t.values.get("limit", 5)
        ]
    ]


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def pages_daily(t: Told) -> list[Row]:
    found = t.grouped(_page_views(t), lambda row: (t.bucket(row["event_ts"]), row["page_path"]))
    return [
        {"bucket": bucket, "page_path": path, "views": len(rows), "sessions": len(ids(rows))}
        for (bucket, path), rows in sorted(found.items())
    ]


def _page_views(t: Told) -> list[Row]:
    return [row for row in t.rows if row["event_type"] == "page_view" and row["page_path"] is not None]


def top_pages(t: Told) -> list[Row]:
    name = t.by or "nobody"
    found = [
        {
            "page_path": path,
            name: of,
            "views": len(rows),
            "sessions": len(ids(rows)),
            "views_per_session": rate(sum(row["session_id"] is not None for row in rows), len(ids(rows))),
        }
        for (path, of), rows in t.grouped(_page_views(t), lambda row: (row["page_path"], t.of(row))).items()
    ]
    return [{k: v for k, v in row.items() if k != "nobody"} for row in best(found, ["views"], ["page_path", name])]


def read_through(t: Told) -> list[Row]:
    types = ("page_view", "scroll_depth", "time_on_page", "cta_click")
    rows = [r for r in t.rows if r["session_id"] and r["page_path"] is not None and r["event_type"] in types]
    percent, seconds = t.values.get("percent", 75), t.values.get("seconds", 60)
    found = []
    for (source, campaign), of in t.grouped(rows, lambda r: (r["utm_source"] or "(direct)", r["utm_campaign"])).items():
        visits = [v for v in t.grouped(of, lambda r: r["session_id"]).values() if times(v, "page_view")]
        reads = sum(
            any(r["event_type"] == "scroll_depth" and (number(r, "percent") or 0) >= percent for r in v) for v in visits
        )
        stays = sum(
            any(r["event_type"] == "time_on_page" and (number(r, "seconds") or 0) >= seconds for r in v) for v in visits
        )
        clicks = sum(times(v, "cta_click") > 0 for v in visits)
        if visits:
            found.append(
                {
                    "utm_source": source,
                    "utm_campaign": campaign,
                    "sessions": len(visits),
                    "views": sum(times(visit, "page_view") for visit in visits),
                    "reads": reads,
                    "stays": stays,
                    "clicks": clicks,
                    "read_rate": rate(reads, len(visits)),
                    "stay_rate": rate(stays, len(visits)),
                    "click_rate": rate(clicks, len(visits)),
                }
            )
    return best(found, ["sessions"], ["utm_source", "utm_campaign"])


def scroll_depth(t: Told) -> list[Row]:
    return _marks(t, "scroll_depth", "percent")


def time_on_page(t: Told) -> list[Row]:
    return _marks(t, "time_on_page", "seconds")


def _marks(t: Told, event: str, name: str) -> list[Row]:
    marks: Counter[Any] = Counter()
    for row in t.rows:
        if row["page_path"] is not None and row["event_type"] in ("page_view", event):
            mark = 0 if row["event_type"] == "page_view" else number(row, name)
            marks[_nulls_last(t.of(row)), mark] += 1
    return [
        {
            name: mark,
            **({t.by: of[1]} if t.by else {}),
            "views": count,
            "share": rate(count, marks[of, 0]),
        }
        for (of, mark), count in sorted(marks.items(), key=lambda item: (item[0][0], item[0][1] or 0))
        if mark is not None
    ]


def screens(t: Told) -> list[Row]:
    def size(row: Row) -> str | None:
        wide, high = row["screen_width"], row["screen_height"]
        return None if wide is None or high is None else f"{wide} x {high}"

    found = [
        {"screen": screen, "sessions": len(ids(rows)), "views": times(rows, "page_view")}
        for screen, rows in t.grouped(t.rows, size).items()
    ]
    return best(found, ["sessions"], ["screen"])


def downloads(t: Told) -> list[Row]:
    rows = [row for row in t.rows if row["event_type"] == "download"]
    found = [
        {"file": file, "page_path": path, "downloads": len(of), "sessions": len(ids(of))}
        for (file, path), of in t.grouped(rows, lambda row: (prop(row, "file"), row["page_path"])).items()
    ]
    return best(found, ["downloads"], ["file", "page_path"])


def session(t: Told) -> list[Row]:
    rows = sorted(
        (row for row in t.rows if row["session_id"] == t.values["id"]),
        key=lambda row: (row["event_ts"], _nulls_last(row["seq"]), row["event_id"]),
    )
    return [
        {
            "at": row["event_ts"],
            "seconds": int((row["event_ts"] - rows[0]["event_ts"]) / timedelta(milliseconds=1)) / 1000,
            **{n: row[n] for n in ("event_type", "page_path", "product_id", "revenue", "properties", "event_id")},
        }
        for row in rows
    ]


# the shop


def cart_categories(t: Told) -> list[Row]:
    rows = [row for row in t.rows if row["event_type"] == "add_to_cart" and row["category"] is not None]
    found = [
        {
            "category": category,
            "adds": len(of),
            "share": rate(len(of), len(rows)),
            "pieces": sum(1 if row["quantity"] is None else row["quantity"] for row in of),
            "sessions": len(ids(of)),
        }
        for category, of in t.grouped(rows, lambda row: row["category"]).items()
    ]
    return best(found, ["adds"], ["category"])


def cart_trends(t: Told) -> list[Row]:
    def measure(rows: list[Row]) -> Row:
        added, bought = ids(rows, "add_to_cart"), ids(rows, *PURCHASE)
        return {
            "adds": times(rows, "add_to_cart"),
            "removes": times(rows, "remove_from_cart"),
            "purchases": times(rows, *PURCHASE),
            "sessions_added": len(added),
            "sessions_purchased": len(added & bought),
            "abandonment": rate(len(added - bought), len(added)),
        }

    wanted = ("add_to_cart", "remove_from_cart", *PURCHASE)
    return t.over_time((row for row in t.rows if row["event_type"] in wanted), measure)


def device_behaviour(t: Told) -> list[Row]:
    found = []
    for device, rows in t.grouped(t.rows, lambda row: row["device"]).items():
        everybody, added, bought = len(ids(rows)), len(ids(rows, "add_to_cart")), len(ids(rows, *PURCHASE))
        found.append(
            {
                "device": device,
                "sessions": everybody,
                "views": times(rows, "page_view"),
                "adds": times(rows, "add_to_cart"),
                "purchases": times(rows, *PURCHASE),
                "sessions_added": added,
                "sessions_purchased": bought,
                "add_rate": rate(added, everybody),
                "purchase_rate": rate(bought, everybody),
                "revenue": money(rows),
            }
        )
    return best(found, ["sessions"], ["device"])


def category_performance(t: Told) -> list[Row]:
    rows = [row for row in t.rows if row["category"] is not None]
    found = t.grouped(rows, lambda row: (t.bucket(row["event_ts"]), row["category"], row["event_type"]))
    return [
        {"bucket": bucket, "category": category, "event_type": kind, "events": len(of), "revenue": money(of)}
        for (bucket, category, kind), of in sorted(found.items())
    ]


def revenue_hourly(t: Told) -> list[Row]:
    rows = (row for row in t.rows if row["event_type"] in PURCHASE)
    return t.over_time(rows, lambda rows: {"purchases": len(rows), "revenue": money(rows)})


def users_daily(t: Told) -> list[Row]:
    def measure(rows: list[Row]) -> Row:
        users = {row["user_id"] or row["anonymous_id"] for row in rows} - {None}
        return {"users": len(users), "sessions": len(ids(rows)), "events": len(rows)}

    return t.over_time(t.rows, measure)


def top_products(t: Told) -> list[Row]:
    rows = [row for row in t.rows if row["event_type"] == "page_view" and row["product_id"] is not None]
    views = Counter(row["product_id"] for row in rows)
    return best([{"product_id": p, "views": n} for p, n in views.items()], ["views"], ["product_id"], 10)


def product_funnel(t: Told) -> list[Row]:
    steps = ("page_view", "add_to_cart", "purchase")
    rows = [row for row in t.rows if row["product_id"] is not None and row["event_type"] in steps]
    found = []
    for product, of in sorted(t.grouped(rows, lambda row: row["product_id"]).items()):
        viewed, added, bought = (len(ids(of, step)) for step in steps)
        found.append(
            {
                "product_id": product,
                "views": times(of, steps[0]),
                "adds": times(of, steps[1]),
                "purchases": times(of, steps[2]),
                "sessions_viewed": viewed,
                "sessions_added": added,
                "sessions_purchased": bought,
                "view_to_cart": rate(added, viewed),
                "cart_to_purchase": rate(bought, added),
                "view_to_purchase": rate(bought, viewed),
            }
        )
    return found


def high_value_products(t: Told) -> list[Row]:
    found = []
    rows = [row for row in t.rows if row["product_id"] is not None]
    for product, of in t.grouped(rows, lambda row: row["product_id"]).items():
        price = max((row["price"] for row in of if row["price"] is not None), default=None)
        if price is not None and price >= t.values.get("price", 100):
            views, bought = times(of, "page_view"), times(of, *PURCHASE)
            found.append(
                {
                    "product_id": product,
                    "category": max((row["category"] for row in of if row["category"] is not None), default=None),
                    "price": price,
                    "views": views,
                    "sessions": len(ids(of, "page_view")),
                    "adds": times(of, "add_to_cart"),
                    "purchases": bought,
                    "revenue": money(of),
                    "view_to_purchase": rate(bought, views),
                }
            )
    return best(found, ["views"], ["product_id"])


def revenue_by(t: Told) -> list[Row]:
    rows = [row for row in t.rows if row["event_type"] in PURCHASE]
    found = []
    for name, of in t.grouped(rows, lambda row: row[t.values.get("of", "category")]).items():
        amounts = [row["revenue"] for row in of if row["revenue"] is not None]
        found.append(
            {
                "name": name,
                "purchases": len(of),
                "sessions": len(ids(of)),
                "revenue": money(of),
                "share": rate(money(of), money(rows)),
                "average": float(mean(amounts)) if amounts else None,
            }
        )
    return best(found, ["revenue", "purchases"], ["name"])


# sessions


def entry_pages(t: Told) -> list[Row]:
    return _ends(t, "entry_page")


def exit_pages(t: Told) -> list[Row]:
    return _ends(t, "exit_page")


def _ends(t: Told, end: str) -> list[Row]:
    sessions = [s for s in t.sessions if s[end] is not None]
    found = []
    for path, of in t.grouped(sessions, lambda s: s[end]).items():
        bounces = sum(s["bounced"] for s in of)
        found.append(
            {
                "page_path": path,
                "sessions": len(of),
                "share": rate(len(of), len(sessions)),
                "bounces": bounces,
                "bounce_rate": rate(bounces, len(of)),
            }
        )
    return best(found, ["sessions"], ["page_path"])


def sources(t: Told) -> list[Row]:
    of = t.values.get("of", "utm_source")
    found = t.grouped(t.sessions, lambda s: s[of] or "(direct)")
    return best([{"name": name, **_converting(t, s)} for name, s in found.items()], ["sessions"], ["name"])


def campaigns(t: Told) -> list[Row]:
    names = ("utm_campaign", "utm_source", "utm_medium")
    sessions = [s for s in t.sessions if s["utm_campaign"] is not None]
    found = t.grouped(sessions, lambda s: tuple(s[name] for name in names))
    rows = [{**dict(zip(names, key, strict=True)), **_converting(t, s)} for key, s in found.items()]
    return best(rows, ["sessions"], list(names))


def _converting(t: Told, sessions: list[Row]) -> Row:
    goal = t.values.get("goal")
    conversions = sum(goal in s["types"] if goal else s["converted"] for s in sessions)
    low, high = wilson(conversions, len(sessions))
    return {
        "sessions": len(sessions),
        "conversions": conversions,
        "conversion_rate": rate(conversions, len(sessions)),
        "rate_low": low,
        "rate_high": high,
        "revenue": money(sessions),
    }


def devices(t: Told) -> list[Row]:
    found = []
    for name, of in t.grouped(t.sessions, lambda s: s[t.values.get("of", "device")]).items():
        conversions = sum(s["converted"] for s in of)
        found.append(
            {
                "name": name,
                "sessions": len(of),
                "share": rate(len(of), len(t.sessions)),
                "views": sum(s["views"] for s in of),
                "conversions": conversions,
                "conversion_rate": rate(conversions, len(of)),
            }
        )
    return best(found, ["sessions"], ["name"])


def sessions(t: Told) -> list[Row]:
    names = (
        "session_id", "start_ts", "seconds", "entry_page", "exit_page", "views", "events", "max_scroll",
        "engaged_seconds", "utm_source", "channel", "device", "converted", "revenue",
    )  # fmt: skip
    found = sorted(t.sessions, key=lambda s: (-s["start_ts"].timestamp(), s["session_id"]))
    return [{name: s[name] for name in names} for s in found[: t.values.get("limit", 20)]]


def _visitors(sessions: list[Row], since: date, adds_up: bool) -> Row:
    told = [s for s in sessions if s["first_day"] is not None]
    new = sum(s["prev_day"] is None for s in told)
    returning = sum(s["prev_day"] is not None and s["prev_day"] < since for s in told)
    users = len({s["person"] for s in sessions if s["first_day"] is None and s["person"]})
    visitors = new + returning + users if adds_up else users if sessions and not told else None
    return {
        "sessions": len(sessions),
        "visitors": visitors,
        "new": new if adds_up else None,
        "returning": returning if adds_up else None,
        "users": users,
        "unidentified": sum(s["first_day"] is None and s["person"] is None for s in sessions),
    }


def _first_day(t: Told) -> date:
    return t.since.astimezone(ZoneInfo(t.zone)).date()


def visitors(t: Told) -> list[Row]:
    return [_visitors(t.sessions, _first_day(t), t.fits is None)]


def visitors_over_time(t: Told) -> list[Row]:
    found = t.grouped(t.sessions, lambda s: t.bucket(s["start_ts"]))
    return [
        {"bucket": bucket, **_visitors(found[bucket], max(bucket, _first_day(t)), t.fits is None)}
        for bucket in t.buckets
        if isinstance(bucket, date)
    ]


def traffic(t: Told) -> list[Row]:
    found = t.grouped(t.sessions, lambda s: (t.bucket(s["start_ts"]), t.of(s)))
    breakdowns = {breakdown for _, breakdown in found} if t.by else {None}
    return [
        {"bucket": bucket, **({t.by: breakdown} if t.by else {}), **_traffic(t, bucket, found[bucket, breakdown])}
        for bucket in t.buckets
        for breakdown in sorted(breakdowns, key=_nulls_last)
    ]


def _traffic(t: Told, bucket: Any, of: list[Row]) -> Row:
    by_hour, goal = isinstance(bucket, datetime), t.values.get("goal")
    since = _first_day(t) if by_hour else max(bucket, _first_day(t))
    seen = [s for s in of if s["views"]]
    converted = sum(goal in s["types"] if goal else s["converted"] for s in of)
    return {
        "visitors": _visitors(of, since, not (t.fits or t.by or by_hour))["visitors"] if of else 0,
        "sessions": len(of),
        "views": sum(s["views"] for s in of),
        "bounce_rate": rate(sum(s["bounced"] for s in of), len(seen)),
        "engaged_seconds": mean(s["engaged_seconds"] for s in seen) if seen else None,
        "scroll_rate": rate(sum((s["max_scroll"] or 0) >= 75 for s in seen), len(seen)),
        "conversions": converted,
        "conversion_rate": rate(converted, len(of)),
        "revenue": money(of),
    }


def overview(t: Told) -> list[Row]:
    lengths = [s["seconds"] for s in t.sessions]
    seen = [s for s in t.sessions if s["views"]]
    conversions = sum(s["converted"] for s in t.sessions)
    return [
        {
            "visitors": _visitors(t.sessions, _first_day(t), t.fits is None)["visitors"],
            "views": times(t.rows, "page_view"),
            "sessions": len(t.sessions),
            "views_per_session": rate(sum(s["views"] for s in t.sessions), len(t.sessions)),
            "bounce_rate": rate(sum(s["bounced"] for s in t.sessions), len(seen)),
            "median_seconds": float(median(map(int, lengths))) if lengths else None,
            "mean_seconds": mean(lengths) if lengths else None,
            "conversions": conversions,
            "conversion_rate": rate(conversions, len(t.sessions)),
            "purchases": times(t.rows, *PURCHASE),
            "revenue": money(t.rows),
        }
    ]


SIMPLE: dict[str, Callable[[Told], list[Row]]] = {
    function.__name__: function
    for function in (
        campaigns, cart_categories, cart_trends, category_performance, device_behaviour, devices, downloads,
        entry_pages, event_types, events, exit_pages, high_value_products, overview, pages_daily, product_funnel,
        properties, read_through, revenue_by,
        revenue_hourly, screens, scroll_depth, session, sessions, sources, time_on_page, top_pages, top_products,
        traffic, users_daily, visitors, visitors_over_time,
    )
}  # fmt: skip
