"""What a report's SQL reads, by name → the SQL of it, from silver or from gold. Pure.

    events    rows of the period, without crawlers, those that the filters let through; `local_ts` is the time on the
              clock of the zone, `session` stands for session_id, `known_as` for user_id, else anonymous_id
    sessions  a row for each session that began in the period; with filters, those with an event that fits
    goals     events of these sessions
    history   events, and those of as many weeks before the period as the parameter `weeks` says
    past      all events before the end of the period

Events are gold's steps, where these are there and have all columns that are asked for, else silver's rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..gold.catalog import sql as rollup_sql
from ..gold.steps import PROPERTIES, STEPS
from ..silver.columns import EVENTS
from .period import Period, offsets
from .question import Question

Gold = Callable[[str], bool]
"""Whether a rollup or table of gold is there, and shows what silver shows."""

_OF_SESSIONS = (
    "event_id, source, event_type, user_id, anonymous_id, session_id, event_ts, page_path, channel, referrer_host,"
    " utm_source,\n    utm_medium, utm_campaign, utm_term, utm_content, device, browser, os, country, language,"
    " first_day, prev_day,\n    properties, variants, revenue, seq, is_bot"
)
"""What gold's SQL of sessions reads."""
_IN_STEPS = {column.name for column in STEPS}
_ONLY_IN_SILVER = {column.name for column in EVENTS} - _IN_STEPS
_NAME = re.compile(r"(?<![$.'\w])(\"?)(\w+)\1(?!\w)")
_PROPERTY = re.compile(rf"""json_extract_string\(properties, '\$\."?({"|".join(PROPERTIES)})"?'\)""")
_MOST_OFFSETS = 6


def tables(asked: Question, body: str, gold: Gold) -> tuple[dict[str, str], str]:
    """Those that `body` reads, the later made from the earlier; and `body`, as it has to be for them."""
    in_steps = not asked.bots and gold("steps") and _is_in_steps(asked, body)
    read = _Read(asked, body, gold, in_steps)
    found = {**read.events(), **(read.sessions() if _reads(body, "sessions") else {})}
    if not in_steps:
        return found, body
    return {name: _in_steps(sql) for name, sql in found.items()}, _in_steps(body)


def _is_in_steps(asked: Question, body: str) -> bool:
    """Whether steps have all columns that are named; the user's own, which they lack, stand in quotes.

    Of reports of sessions only the filters count: the columns in their SQL are those of sessions.
    """
    names = _NAME.findall(_in_steps(asked.where.sql if asked.report.source == "sessions" else body + asked.where.sql))
    return not any(name in _ONLY_IN_SILVER or (quote and name not in _IN_STEPS) for quote, name in names)


def _in_steps(sql: str) -> str:
    """There, some properties are columns."""
    return _PROPERTY.sub(r"property_\1", sql)


@dataclass(frozen=True)
class _Read:
    asked: Question
    body: str
    gold: Gold
    in_steps: bool

    @property
    def _people(self) -> str:
        return "" if self.asked.bots else " and not is_bot"

    @property
    def _fits(self) -> str:
        return "" if self.asked.where.sql == "true" else f" and {self.asked.where.sql}"

    def _rows(self, columns: str, where: str) -> str:
        if self.in_steps:
            return f"select {columns}\nfrom gold.steps\nwhere {where}"
        keys = "*, session_id as session, coalesce(user_id, anonymous_id) as known_as"
        return f"select {columns.replace('*', keys)}\nfrom silver.events\nwhere {where}{self._people}"

    def events(self) -> dict[str, str]:
        local_ts = f"{_local('event_ts', self.asked.period)} as local_ts"
        until = "event_ts < $until"
        wanted = {
            "events": (f"*, {local_ts}", f"event_ts >= $since and {until}{self._fits}"),
            "history": ("*", f"event_ts >= $since - to_days(cast(7 * $weeks as integer)) and {until}{self._fits}"),
            "past": ("*", until),
        }
        return {name: self._rows(*how) for name, how in wanted.items() if _reads(self.body, name)}

    def sessions(self) -> dict[str, str]:
        key = "session" if self.in_steps else "session_id"
        days = f"event_ts >= $days_since and event_ts < $days_until and {key} is not null"
        found = {}
        if not (from_gold := self.gold("sessions")):
            found |= self._made_from_silver(days)
        if _reads(self.body, "goals"):
            found["goals"] = self._rows(f"source, {key} as session, event_type", days)
        if self._fits:
            found["fitting"] = self._rows(f"source, {key} as session", days + self._fits)
        of_silver = "" if from_gold else ", coalesce(user_id, anonymous_id) as known_as"
        columns = "*" if self.in_steps else f"* replace (session_id as session{of_silver})"
        found["sessions"] = (
            f"select {columns}, start_ts as event_ts, {_local('start_ts', self.asked.period)} as local_ts\n"
            f"from {'gold.sessions' if from_gold else 'all_sessions'}\n"
            "where day >= cast($days_since as date) and day < cast($days_until as date)\n"
            f"    and start_ts >= $since and start_ts < $until{self._people}"
            + (f"\n    and (source, {key}) in (select source, session from fitting)" if self._fits else "")
        )
        return found

    def _made_from_silver(self, days: str) -> dict[str, str]:
        days = days.replace(" session is", " session_id is")
        where = f"where {days}{self._people}"
        return {
            "session_events": f"select\n    {_OF_SESSIONS},\n    cast(event_ts as date) as day\nfrom silver.events\n{where}",
            "ids": (
                "select source, session_id, is_bot, cast(event_ts as date) as day, min(event_ts) as first_ts\n"
                f"from silver.events\n{where.replace('$days_since', '$days_before')}\ngroup by 1, 2, 3, 4"
            ),
            "all_sessions": rollup_sql("sessions"),
        }


def _local(moment: str, period: Period) -> str:
    """The time on the clock of the zone; by its few offsets in the period where we can, which is several times faster."""
    pieces = offsets(period, most=_MOST_OFFSETS)
    if not pieces:
        return f"cast({moment} at time zone $zone as timestamp)"
    *earlier, (_, last) = pieces
    when = "".join(f" when {moment} < timestamptz '{end.isoformat(sep=' ')}' then {micros}" for end, micros in earlier)
    return f"make_timestamp(epoch_us({moment}) + {f'case{when} else {last} end' if when else last})"


def _reads(sql: str, table: str) -> bool:
    return re.search(rf"\b(?:from|join)\s+{table}\b", sql) is not None
