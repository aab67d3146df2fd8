"""The rollups: name, grain, key and value columns; the SQL of each is `sql/<name>.sql`.

The tables `sessions` and `steps`, which are no rollups, are in the files of that name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from importlib.resources import files

from ..silver.columns import Column

DECIMAL = "DECIMAL(38,2)"
"""Sums of money; no sum of silver's DECIMAL(18,2) is too large for it."""


class Grain(StrEnum):
    """A bucket is a whole hour or a whole day, UTC."""

    hour = "hour"
    day = "day"


class Of(StrEnum):
    """What a rollup is made from: silver's events or steps, by their own time, or sessions, by the day they began.

    `one_day` are steps without those of sessions that have some on another day too, which are in `overnight`: counts of
    sessions add up over days.
    """

    events = "events"
    steps = "steps"
    one_day = "one_day"
    overnight = "overnight"
    sessions = "sessions"


@dataclass(frozen=True)
class Rollup:
    """`sql` gives rows (bucket, *keys, *values) from a table, named as `of` is, that holds whole buckets.

    A bucket is a TIMESTAMPTZ, of a day a DATE. Keys are VARCHAR or DATE and may be null; values are BIGINT or DECIMAL.
    """

    name: str
    meaning: str
    grain: Grain
    keys: tuple[Column, ...]
    values: tuple[Column, ...]
    of: Of = Of.events

    @property
    def sql(self) -> str:
        return sql(self.name)

    @cached_property
    def bucket(self) -> Column:
        kind = "TIMESTAMPTZ" if self.grain is Grain.hour else "DATE"
        began = " on which the session began" if self.of is Of.sessions else ""
        return Column("bucket", kind, f"{self.grain}{began}, UTC")

    @property
    def columns(self) -> tuple[Column, ...]:
        return (self.bucket, *self.keys, *self.values)


def sql(name: str) -> str:
    return (files("penstock.gold") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def _key(name: str, meaning: str, kind: str = "VARCHAR") -> Column:
    return Column(name, kind, meaning)


def _value(name: str, meaning: str) -> Column:
    return Column(name, "BIGINT", meaning)


def _revenue(meaning: str = "of purchases") -> Column:
    return Column("revenue", DECIMAL, meaning)


_VISIT = (
    _value("bounced", "of the sessions, those of one page view that did not convert"),
    _value("converted", "of the sessions, those with a purchase, a sent form or a click on a call to action"),
    _value("views", "page views in them"),
    _value("engaged_seconds", "visible time in them, by the marks of time_on_page"),
    _revenue("of purchases in them"),
)
"""What sessions add up to."""

EVENT_COUNTS = Rollup(
    "event_counts",
    "How often each event happened.",
    Grain.hour,
    (_key("event_type", "event"),),
    (_value("events", "how often"), _value("bot_events", "of known crawlers; not in `events`")),
)
ROLLUPS = (
    EVENT_COUNTS,
    Rollup(
        "revenue_hourly",
        "What was sold.",
        Grain.hour,
        (),
        (_value("purchases", "events; one whose price could not be read counts, without revenue"), _revenue()),
    ),
    Rollup(
        "page_views_hourly",
        "How often each page was seen.",
        Grain.hour,
        (_key("page_path", "path of the page"),),
        (_value("views", "page views"),),
    ),
    Rollup(
        "origins_hourly",
        "Where page views came from.",
        Grain.hour,
        (_key("origin", "utm_source, else referrer_host, else (direct)"),),
        (_value("views", "page views"),),
    ),
    Rollup(
        "page_views_daily",
        "Who saw each page.",
        Grain.day,
        (_key("page_path", "path of the page"),),
        (
            _value("views", "page views"),
            _value("sessions", "sessions with one"),
            _value("visitors", "told apart by user_id, else anonymous_id, else session_id"),
        ),
        Of.steps,
    ),
    Rollup(
        "users_daily",
        "Who came, exactly.",
        Grain.day,
        (),
        (
            _value("users", "told apart by user_id, else anonymous_id; without either, nobody"),
            _value("sessions", "sessions with an event on the day; one over midnight is in both"),
            _value("events", "events"),
        ),
        Of.steps,
    ),
    Rollup(
        "products_daily",
        "What happened to each product.",
        Grain.day,
        (_key("product_id", "product"),),
        (
            _value("views", "page views"),
            _value("adds", "add_to_cart"),
            _value("removes", "remove_from_cart"),
            _value("purchases", "purchases"),
            _value("sessions_viewed", "sessions with a view on the day"),
            _value("sessions_added", "sessions with an add_to_cart on the day"),
            _value("sessions_purchased", "sessions with a purchase on the day"),
            _revenue(),
        ),
        Of.steps,
    ),
    Rollup(
        "categories_daily",
        "What happened in each category.",
        Grain.day,
        (_key("category", "product category"), _key("event_type", "event")),
        (_value("events", "how often"), _revenue()),
        Of.steps,
    ),
    Rollup(
        "types_one_day",
        "How often each event happened, and in how many sessions.",
        Grain.day,
        (_key("event_type", "event"),),
        (
            _value("events", "how often"),
            _value("sessions", "sessions in which it happened"),
            _value("first_us", "when it happened first, in microseconds since 1970"),
            _value("last_us", "when it happened last"),
        ),
        Of.one_day,
    ),
    Rollup(
        "pages_one_day",
        "Who saw each page, in a form that adds up.",
        Grain.day,
        (_key("page_path", "path of the page"),),
        (
            _value("views", "page views"),
            _value("views_in_sessions", "of them, those that say a session"),
            _value("sessions", "sessions with one"),
        ),
        Of.one_day,
    ),
    Rollup(
        "marks_one_day",
        "How far down pages were scrolled, and how long they were looked at.",
        Grain.day,
        (
            _key("event_type", "page_view, scroll_depth or time_on_page"),
            _key("mark", "percent or seconds, as the event says it"),
        ),
        (_value("views", "how often"),),
        Of.one_day,
    ),
    Rollup(
        "devices_one_day",
        "What was done on each kind of device.",
        Grain.day,
        (_key("device", "device"),),
        (
            _value("sessions", "sessions"),
            _value("views", "page views"),
            _value("adds", "add_to_cart"),
            _value("purchases", "purchases"),
            _value("sessions_added", "sessions with an add_to_cart"),
            _value("sessions_purchased", "sessions with a purchase"),
            _revenue(),
        ),
        Of.one_day,
    ),
    Rollup(
        "screens_one_day",
        "How large screens were.",
        Grain.day,
        (_key("screen", "width and height"),),
        (_value("sessions", "sessions"), _value("views", "page views")),
        Of.one_day,
    ),
    Rollup(
        "products_one_day",
        "Who saw and bought each product, in a form that adds up.",
        Grain.day,
        (_key("product_id", "product"),),
        (
            _value("views", "page views"),
            _value("adds", "add_to_cart"),
            _value("purchases", "events `purchase`"),
            _value("sessions_viewed", "sessions with a view"),
            _value("sessions_added", "sessions with an add_to_cart"),
            _value("sessions_purchased", "sessions with a purchase"),
        ),
        Of.one_day,
    ),
    Rollup(
        "reads_one_day",
        "How far and how long sessions read, by where they came from.",
        Grain.day,
        (
            _key("utm_source", "campaign source, or (direct)"),
            _key("utm_campaign", "campaign name"),
            _key("percent", "the deepest mark of scroll_depth"),
            _key("seconds", "the longest mark of time_on_page"),
        ),
        (
            _value("sessions", "sessions with a page view"),
            _value("views", "page views"),
            _value("clicks", "of the sessions, those with a click on a call to action"),
        ),
        Of.one_day,
    ),
    Rollup(
        "overnight_daily",
        "Sessions with events on more than one day; all of their events are in `overnight`.",
        Grain.day,
        (_key("session", "short for `session_id`, as in steps"),),
        (_value("events", "events on the day"),),
        Of.overnight,
    ),
    Rollup(
        "sources_daily",
        "Where sessions came from, and what came of them.",
        Grain.day,
        (
            _key("channel", "direct, search, social, email, paid, referral, campaign"),
            _key("referrer_host", "host that led here"),
            _key("utm_source", "campaign source"),
            _key("utm_medium", "campaign medium"),
            _key("utm_campaign", "campaign name"),
        ),
        (_value("sessions", "sessions"), *_VISIT),
        Of.sessions,
    ),
    Rollup(
        "sessions_daily",
        "What came of the sessions of each day.",
        Grain.day,
        (),
        (
            _value("sessions", "sessions"),
            _value("users", "told apart by user_id, else anonymous_id, among sessions without `first_day`"),
            _value("unidentified", "sessions with nothing to tell visitors apart"),
            _value("viewing", "sessions with a page view"),
            _value("views", "page views in them"),
            _value("bounced", "of the sessions, those of one page view that did not convert"),
            _value("converted", "of the sessions, those with a purchase, a sent form or a click on a call to action"),
            _value("scrolled", "sessions that scrolled a page down to 75 %"),
            _value("engaged_seconds", "visible time of those that view pages, by the marks of time_on_page"),
            _value("milliseconds", "from their first to their last event, all together"),
            _revenue("of purchases in them"),
        ),
        Of.sessions,
    ),
    Rollup(
        "lengths_daily",
        "How long sessions lasted.",
        Grain.day,
        (_key("seconds", "whole seconds from the first to the last event"),),
        (_value("sessions", "sessions"),),
        Of.sessions,
    ),
    Rollup(
        "visitors_daily",
        "Sessions in a form that adds up to unique visitors of any range of days.",
        Grain.day,
        (_key("prev_day", "day of the visitor's previous session; null in the first", "DATE"),),
        (_value("sessions", "sessions"), _value("identified", "of the sessions, those that say `first_day`"), *_VISIT),
        Of.sessions,
    ),
    Rollup(
        "variants_daily",
        "What came of sessions with each variant of an experiment.",
        Grain.day,
        (_key("experiment", "experiment"), _key("variant", "variant")),
        (_value("sessions", "sessions"), *_VISIT),
        Of.sessions,
    ),
)

FOR_PEOPLE = tuple(rollup for rollup in ROLLUPS if rollup.of not in (Of.one_day, Of.overnight))
"""Those that say something by themselves; the others leave out what reports add to them."""


def definitions() -> list[str]:
    """All SQL that rows of gold are made by; rows that were made by other SQL are to be made again."""
    return [sql("sessions"), sql("steps"), sql("walks"), *(rollup.sql for rollup in ROLLUPS)]
