"""A Question → the one SQL statement that answers it. Pure.

It defines what a report's SQL reads, before it:

    events    silver's rows of the period, without crawlers, those that the filters let through; `local_ts` is the
              time on the clock of the zone
    sessions  a row for each session that began in the period; with filters, those with an event that fits
    history   events, and those of as many weeks before the period as the parameter `weeks` says
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2

from ..gold.catalog import sql as rollup_sql
from .catalog import Gold as Summed
from .period import Grain, Period, buckets
from .question import Question
from .text import NAME

Gold = Callable[[str], bool]
"""Whether a rollup is there, and shows what silver shows."""

_DAY = timedelta(days=1)
_OF_SESSIONS = (
    "event_id, source, event_type, user_id, anonymous_id, session_id, event_ts, page_path, channel, referrer_host,"
    " utm_source,\n    utm_medium, utm_campaign, utm_term, utm_content, device, browser, os, country, language,"
    " first_day, prev_day,\n    properties, variants, revenue, seq, is_bot"
)
"""What gold's SQL of sessions reads."""

_BUCKETS = {
    Grain.hour: "event_ts - (local_ts - date_trunc('hour', local_ts))",
    Grain.day: "cast(local_ts as date)",
    Grain.week: "cast(date_trunc('week', local_ts) as date)",
    Grain.month: "cast(date_trunc('month', local_ts) as date)",
}


@dataclass(frozen=True)
class Statement:
    """`since`: it reads no event of silver from before then; None if it may read all."""

    sql: str
    values: Mapping[str, Any]
    since: datetime | None

    @property
    def served_from(self) -> str:
        """`silver`, `gold`, or both."""
        return " and ".join(stage for stage in ("gold", "silver") if f"from {stage}." in self.sql)


def statement(asked: Question, gold: Gold = lambda rollup: False) -> Statement:
    """The one statement that answers the question."""
    summed = asked.report.gold if asked.report.gold and _fits(asked, asked.report.gold, gold) else None
    body = _template(summed.sql if summed else asked.report.sql).render(_context(asked))
    tables = {**(_rollups(asked, summed) if summed else {}), **_tables(asked, body, gold)}
    head = ",\n\n".join(f"{name} as (\n{_indented(sql)}\n)" for name, sql in tables.items())
    sql = f"with {head}\n\n{body}" if not body.startswith("with ") else f"with {head},\n\n{body[5:]}"
    first_day, _ = asked.period.days
    values = {
        "since": asked.period.since,
        "until": asked.period.until,
        "now": asked.period.now,
        **_whole_days(asked.period),
        "first_day_asked": first_day,
        "zone": asked.period.zone,
        **asked.where.values,
        **asked.given.bound,
    }
    used = set(NAME.findall(sql))
    told = {name: value for name, value in values.items() if name in used}
    return Statement(sql, told, None if "silver.events" in body else _earliest(told))


def _earliest(told: Mapping[str, Any]) -> datetime | None:
    moments = [told[name] for name in ("since", "days_since", "days_before") if name in told]
    return min(moments) - timedelta(weeks=told.get("weeks", 0)) if moments else None


def _fits(asked: Question, summed: Summed, gold: Gold) -> bool:
    """Whether the rollups can say it exactly."""
    given = asked.given.bound
    others = [p for name, p in asked.report.parameters.items() if name not in (*summed.parameters, "limit")]
    return (
        not asked.bots
        and (asked.grain is None or asked.grain in summed.grains)
        and (asked.by is None or asked.by in summed.breakdowns)
        and all(one.column in summed.filters for one in asked.filters)
        and all(given.get(p.name, p.default) == p.default for p in others)
        and all(_is_whole(moment, summed.grain) for moment in _edges(asked))
        and all(map(gold, summed.rollups))
    )


def _edges(asked: Question) -> Iterator[datetime]:
    """Where the period and its buckets begin and end."""
    period = asked.period
    yield from (period.since, period.until)
    if asked.grain is not None:
        for bucket in buckets(period, asked.grain):
            yield max(bucket.since, period.since)
            yield min(bucket.until, period.until)


def _is_whole(moment: datetime, grain: str) -> bool:
    utc = moment.astimezone(UTC)
    return not (utc.minute or utc.second or utc.microsecond or (utc.hour and grain == "day"))


def _rollups(asked: Question, summed: Summed) -> dict[str, str]:
    """Those that it reads, with the time as events have it."""
    fits = "" if asked.where.sql == "true" else f" and {asked.where.sql}"
    moment, limits = "bucket", ("$since", "$until")
    if summed.grain == "day":
        moment, limits = "cast(bucket as timestamptz)", ("cast($since as date)", "cast($until as date)")
    return {
        name: f"select *, {moment} as event_ts, cast({moment} at time zone $zone as timestamp) as local_ts\n"
        f"from gold.{name}\nwhere bucket >= {limits[0]} and bucket < {limits[1]}{fits}"
        for name in summed.rollups
        if name != "sessions"
    }


def _context(asked: Question) -> dict[str, Any]:
    grain = asked.grain
    return {
        "grain": grain.value if grain else None,
        "bucket": _BUCKETS[grain] if grain else "null",
        "by": asked.by_sql,
        "broken_down": asked.by is not None,
        "additive": asked.additive,
        "has": {name for name, value in asked.given.bound.items() if value not in ("", [])},
        **asked.given.rendered,
    }


def _tables(asked: Question, body: str, gold: Gold) -> dict[str, str]:
    """Those of `events` and `sessions` that the report reads."""
    people = "" if asked.bots else " and not is_bot"
    fits = "" if asked.where.sql == "true" else f" and {asked.where.sql}"
    found = {}
    if _reads(body, "events"):
        found["events"] = (
            "select *, cast(event_ts at time zone $zone as timestamp) as local_ts\nfrom silver.events\n"
            f"where event_ts >= $since and event_ts < $until{people}{fits}"
        )
    if _reads(body, "history"):
        found["history"] = (
            "select * from silver.events\n"
            f"where event_ts >= $since - to_days(cast(7 * $weeks as integer)) and event_ts < $until{people}{fits}"
        )
    if not _reads(body, "sessions"):
        return found
    whole_days = f"where event_ts >= $days_since and event_ts < $days_until and session_id is not null{people}"
    from_gold = gold("sessions")
    if not from_gold or _reads(body, "session_events"):
        found["session_events"] = (
            f"select\n    {_OF_SESSIONS},\n    cast(event_ts as date) as day\nfrom silver.events\n{whole_days}"
        )
    if not from_gold:
        found["ids"] = (
            "select source, session_id, is_bot, cast(event_ts as date) as day, min(event_ts) as first_ts\n"
            f"from silver.events\n{whole_days.replace('$days_since', '$days_before')}\ngroup by 1, 2, 3, 4"
        )
        found["all_sessions"] = rollup_sql("sessions")
    if fits:
        found["fitting"] = f"select source, session_id from silver.events\n{whole_days}{fits}"
    found["sessions"] = (
        "select *, start_ts as event_ts, cast(start_ts at time zone $zone as timestamp) as local_ts\n"
        f"from {'gold.sessions' if from_gold else 'all_sessions'}\n"
        "where day >= cast($days_since as date) and day < cast($days_until as date)\n"
        f"    and start_ts >= $since and start_ts < $until{people}"
        + ("\n    and (source, session_id) in (select source, session_id from fitting)" if fits else "")
    )
    return found


def _whole_days(period: Period) -> dict[str, datetime]:
    """Days of UTC that hold all of the sessions that begin in the period, for each lasts 24 hours at most."""
    first = datetime.combine(period.since.astimezone(UTC).date(), time(), UTC)
    last = datetime.combine((period.until - timedelta(microseconds=1)).astimezone(UTC).date(), time(), UTC)
    return {"days_before": first - 2 * _DAY, "days_since": first, "days_until": last + 2 * _DAY}


def _reads(sql: str, table: str) -> bool:
    return re.search(rf"\b(?:from|join)\s+{table}\b", sql) is not None


def _indented(sql: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in sql.strip().splitlines())


@cache
def _macros() -> dict[str, Any]:
    text = (files(__package__) / "macros.jinja").read_text(encoding="utf-8")
    module = _environment().from_string(text).module
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


@cache
def _template(sql: str) -> jinja2.Template:
    return _environment().from_string(sql, globals=_macros())


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
