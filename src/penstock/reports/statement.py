"""A Question → the one SQL statement that answers it. Pure.

What the report reads is defined before it, as `tables.py` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2

from .catalog import ANY, source
from .catalog import Gold as Summed
from .period import Grain, Period, buckets
from .question import Question
from .tables import WEEKS, Gold, tables
from .text import NAME

_DAY = timedelta(days=1)
_BUCKETS = {
    Grain.hour: "make_timestamptz(epoch_us(event_ts) - epoch_us(local_ts) % 3600000000)",
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


def statement(asked: Question, gold: Gold = lambda rollup: False, *, inlines: bool = False) -> Statement:
    """The one statement that answers the question.

    `inlines`: for an engine that runs a subquery again wherever it is named.
    """
    summed = next((one for one in asked.report.gold if _fits(asked, one, gold)), None)
    body = _template(summed.sql if summed else asked.report.sql).render(_context(asked, inlines))
    read, body = tables(asked, body, gold, rest=summed is not None and summed.grain == ANY)
    read = {**(_rollups(asked, summed) if summed else {}), **read}
    head = ",\n\n".join(f"{name} as (\n{_indented(sql)}\n)" for name, sql in read.items())
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
    return Statement(sql, told, None if "past" in read else _earliest(told))


def _earliest(told: Mapping[str, Any]) -> datetime | None:
    moments = [told[name] for name in ("since", "days_since", "days_before") if name in told]
    return min(moments) - timedelta(weeks=told.get("weeks", 0)) if moments else None


def _fits(asked: Question, summed: Summed, gold: Gold) -> bool:
    """Whether the rollups can say it exactly."""
    given = asked.given.bound
    others = [p for name, p in asked.report.parameters.items() if name not in (*summed.parameters, "limit")]
    return (
        not asked.bots
        and (asked.grain in summed.grains if asked.grain else summed.whole or not asked.report.grains)
        and (asked.by is None or asked.by in summed.breakdowns)
        and all(one.column in summed.filters for one in asked.filters)
        and all(given.get(p.name, p.default) in summed.choices.get(p.name, (p.default,)) for p in others)
        and (asked.additive or summed.grain != "day" or not asked.report.additive)
        and (summed.parts or summed.grain == ANY or all(_is_whole(moment, summed.grain) for moment in _edges(asked)))
        and all(map(gold, (*summed.rollups, *(("steps", "overnight") if summed.grain == ANY else ()))))
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
    moment, limits, inside = "bucket", ("$since", "$until"), "bucket >= {} and bucket < {}"
    if summed.grain == ANY and not asked.period.is_of_whole_days:
        inside = "bucket > {} and bucket < {}"
    if "weeks" in asked.report.parameters:
        limits = (f"$since - {WEEKS}", "$until")
    if summed.grain != "hour":
        moment, limits = "cast(bucket as timestamptz)", ("cast($since as date)", "cast($until as date)")
    found = {
        name: f"select *, {moment} as event_ts, cast({moment} at time zone $zone as timestamp) as local_ts\n"
        f"from gold.{name}\nwhere {inside.format(*limits)}{fits}"
        for name in summed.rollups
        if name not in ("sessions", "walks")
    }
    if "walks" in summed.rollups:
        days = inside.replace("bucket", "day").format(*limits)
        found["walks"] = f"select * from gold.walks where {days}"
    return found


def _context(asked: Question, inlines: bool) -> dict[str, Any]:
    grain = asked.grain
    return {
        "grain": grain.value if grain else None,
        "bucket": _BUCKETS[grain] if grain else "null",
        "by": asked.by_sql,
        "broken_down": asked.by is not None,
        "additive": asked.additive,
        "inlines": inlines,
        "has": {name for name, value in asked.given.bound.items() if value not in ("", [])},
        **asked.given.rendered,
    }


def _whole_days(period: Period) -> dict[str, datetime]:
    """Days of UTC that hold all of the sessions that begin in the period, for each lasts 24 hours at most."""
    first = datetime.combine(period.since.astimezone(UTC).date(), time(), UTC)
    last = datetime.combine((period.until - timedelta(microseconds=1)).astimezone(UTC).date(), time(), UTC)
    return {"days_before": first - 2 * _DAY, "days_since": first, "days_until": last + 2 * _DAY}


def _indented(sql: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in sql.strip().splitlines())


@cache
def _template(sql: str) -> jinja2.Template:
    return _environment().from_string(sql)


@cache
def _environment() -> jinja2.Environment:
    """Templates know the macros, and a report's SQL by the name of its file."""
    found = jinja2.Environment(
        loader=jinja2.FunctionLoader(source),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    macros = found.from_string((files(__package__) / "macros.jinja").read_text(encoding="utf-8")).module
    found.globals |= {name: value for name, value in vars(macros).items() if not name.startswith("_")}
    return found
