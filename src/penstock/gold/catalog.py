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
    """What a rollup is made from: silver's events or steps, by their own time, or sessions, by the day they began."""

    events = "events"
    steps = "steps"
    sessions = "sessions"


@dataclass(frozen=True)
class Rollup:
    """`sql` gives rows (bucket, *keys, *values) from a table `events`, `steps` or `sessions` that holds whole buckets.

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
