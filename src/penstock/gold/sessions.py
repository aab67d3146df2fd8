"""The table `sessions`, a Delta table partitioned by day: a row for each session, put in place of others by the day.

What a session is, `sql/sessions.sql` says. As a day's sessions depend on who was there on the days around it, a change
reaches from one day before to two days after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from ..cache import Cache
from ..silver.columns import Column
from ..silver.commit import Table
from . import by_day
from .by_day import DAY
from .catalog import DECIMAL

NAME = "sessions"
SESSIONS = (
    Column("source", "VARCHAR", "who sent it"),
    Column("session_id", "VARCHAR", "random id of the visit"),
    Column("is_bot", "BOOLEAN", "of a known crawler; its events are a session of their own"),
    Column("user_id", "VARCHAR", "the sender's id of a known person"),
    Column("anonymous_id", "VARCHAR", "the sender's id of an unknown person"),
    Column("session", "BIGINT", "short for `session_id`, as in steps"),
    Column("known_as", "BIGINT", "short for `user_id`, else `anonymous_id`, as in steps"),
    Column("start_ts", "TIMESTAMPTZ", "its first event"),
    Column("end_ts", "TIMESTAMPTZ", "its last event"),
    Column("entry_page", "VARCHAR", "path of the first page view"),
    Column("exit_page", "VARCHAR", "path of the last page view"),
    Column("views", "BIGINT", "page views"),
    Column("events", "BIGINT", "events"),
    Column("max_scroll", "INTEGER", "percent, the deepest mark of scroll_depth"),
    Column("engaged_seconds", "BIGINT", "visible time, by the marks of time_on_page: 30, 60, 180, 300 on each page"),
    Column("channel", "VARCHAR", "direct, search, social, email, paid, referral, campaign"),
    Column("referrer_host", "VARCHAR", "host that led here"),
    Column("utm_source", "VARCHAR", "campaign source"),
    Column("utm_medium", "VARCHAR", "campaign medium"),
    Column("utm_campaign", "VARCHAR", "campaign name"),
    Column("utm_term", "VARCHAR", "campaign term"),
    Column("utm_content", "VARCHAR", "campaign content"),
    Column("device", "VARCHAR", "desktop, mobile, tablet, or what the sender says"),
    Column("browser", "VARCHAR", "family of the browser"),
    Column("os", "VARCHAR", "family of the operating system"),
    Column("country", "VARCHAR", "only if the sender gives it"),
    Column("language", "VARCHAR", "language tag"),
    Column("first_day", "DATE", "day of this visitor's first session"),
    Column("prev_day", "DATE", "day of this visitor's previous session; null in the first"),
    Column("cta_clicks", "BIGINT", "clicks on a call to action"),
    Column("form_submits", "BIGINT", "forms that were sent"),
    Column("purchases", "BIGINT", "purchases"),
    Column("revenue", DECIMAL, "of its purchases"),
    Column("converted", "BOOLEAN", "it has a purchase, a sent form, or a click on a call to action"),
    Column("bounced", "BOOLEAN", "it has one page view and did not convert"),
    Column("variants", "VARCHAR", "experiment to variant, JSON text; as its last event has them"),
)
ORDER = "start_ts, source, session_id, is_bot"


def table(lake_url: str, cache: Cache | None = None) -> Table:
    """The lake's table."""
    return by_day.table(lake_url, NAME, SESSIONS, cache)


def around(changed: Iterable[date]) -> set[date]:
    """Days of which sessions may be others after events of the days `changed` came or went."""
    return {day + DAY * n for day in changed for n in range(-1, 3)}
