"""What a report's SQL reads, by name → the SQL of it, from silver or from gold. Pure.

    events    rows of the period, without crawlers, those that the filters let through; `local_ts` is the time on the
              clock of the zone, `session` stands for session_id, `known_as` for user_id, else anonymous_id
              of reports from rollups of `one_day`, those alone that these lack
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
_KEYS = "*, session_id as session, coalesce(user_id, anonymous_id) as known_as"
_IN_STEPS = {column.name for column in STEPS}
_ONLY_IN_SILVER = {column.name for column in EVENTS} - _IN_STEPS
_NAME = re.compile(r"(?<![$.'\w])(\"?)(\w+)\1(?!\w)")
_PROPERTY = re.compile(rf"""json_extract_string\(properties, '\$\."?({"|".join(PROPERTIES)})"?'\)""")
_MOST_OFFSETS = 6
WEEKS = "to_days(cast(7 * $weeks as integer))"


def tables(asked: Question, body: str, gold: Gold, *, rest: bool = False) -> tuple[dict[str, str], str]:
    """Those that `body` reads, the later made from the earlier; and `body`, as it has to be for them."""
    in_steps = rest or (not asked.bots and gold("steps") and _is_in_steps(asked, body))
    read = _Read(asked, body, gold, in_steps, rest)
    found = {**read.events(), **(read.sessions() if _reads(body, "sessions") else {})}
    if not in_steps:
        return found, body
    return {name: _in_steps(sql) for name, sql in found.items()}, _in_steps(body)


def _is_in_steps(asked: Question, body: str) -> bool:
    """Whether steps have all columns that are named; the user's own, which they lack, stand in quotes.

    Of a report that reads sessions the filters alone count: of events it needs nothing that is not there.
    """
    of_events = not _reads(body, "sessions")
    names = _NAME.findall(_in_steps(asked.where.sql + (body if of_events else "")))
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
    rest: bool

    @property
    def _people(self) -> str:
        return "" if self.asked.bots else " and not is_bot"

    @property
    def _fits(self) -> str:
        return "" if self.asked.where.sql == "true" else f" and {self.asked.where.sql}"

    def _rows(self, columns: str, since: str, until: str, fits: str = "", *, whole_days: bool = False) -> str:
        """Events from `since` to before `until`. Of steps, times are read only on days of which not all is wanted."""
        inside = f"event_ts >= {since} and event_ts < {until}{fits}"
        if not self.in_steps:
            return f"select {columns.replace('*', _KEYS)}\nfrom silver.events\nwhere {inside}{self._people}"
        first, last = f"cast({since} as date)", f"cast({until} as date)"
        steps = f"select {columns}\nfrom gold.steps\nwhere"
        days = steps.replace("gold.steps", "gold.overnight") if self.rest else steps
        if whole_days or self.asked.period.is_of_whole_days:
            return f"{days} day >= {first} and day < {last}{fits}"
        return f"{days} day > {first} and day < {last}{fits}\nunion all\n{steps} day in ({first}, {last}) and {inside}"

    def events(self) -> dict[str, str]:
        weeks = f"$since - {WEEKS}"
        wanted = {
            "events": (f"*, {_local('event_ts', self.asked.period)} as local_ts", "$since", "$until", self._fits),
            "history": ("*", weeks, "$until", self._fits),
            "past": ("*", "timestamptz '0001-01-01 00:00:00+00:00'", "$until"),
        }
        return {name: self._rows(*how) for name, how in wanted.items() if _reads(self.body, name)}

    def sessions(self) -> dict[str, str]:
        key = "session" if self.in_steps else "session_id"
        said = f" and {key} is not null"
        days = ("$days_since", "$days_until")
        found: dict[str, str] = {}
        if not (from_gold := self.gold("sessions")):
            found |= self._made_from_silver()
        if _reads(self.body, "goals"):
            found["goals"] = self._rows(f"source, {key} as session, event_type", *days, said, whole_days=True)
        if self._fits:
            found["fitting"] = self._rows(f"source, {key} as session", *days, said + self._fits, whole_days=True)
        columns = "*"
        if not from_gold:
            columns = _KEYS
        elif not self.in_steps:
            columns = "* replace (session_id as session)"
        found["sessions"] = (
            f"select {columns}, start_ts as event_ts, {_local('start_ts', self.asked.period)} as local_ts\n"
            f"from {'gold.sessions' if from_gold else 'all_sessions'}\nwhere {self._began}{self._people}"
            + (f"\n    and (source, {key}) in (select source, session from fitting)" if self._fits else "")
        )
        return found

    @property
    def _began(self) -> str:
        """Of a session: that it began in the period."""
        if self.asked.period.is_of_whole_days:
            return "day >= cast($since as date) and day < cast($until as date)"
        return (
            "day >= cast($days_since as date) and day < cast($days_until as date)\n"
            "    and start_ts >= $since and start_ts < $until"
        )

    def _made_from_silver(self) -> dict[str, str]:
        inside = "event_ts >= $days_since and event_ts < $days_until and session_id is not null"
        where = f"where {inside}{self._people}"
        columns = f"{_OF_SESSIONS},\n    cast(event_ts as date) as day"
        return {
            "session_events": f"select\n    {columns}\nfrom silver.events\n{where}",
            "ids": (
                "select source, session_id, is_bot, cast(event_ts as date) as day, min(event_ts) as first_ts\n"
                f"from silver.events\n{where.replace('$days_since', '$days_before')}\ngroup by 1, 2, 3, 4"
            ),
            "all_sessions": rollup_sql("sessions"),
        }


def _local(moment: str, period: Period) -> str:
    """The time on the clock of the zone; by its few offsets in the period, which is several times faster, if we can."""
    pieces = offsets(period, most=_MOST_OFFSETS)
    if not pieces:
        return f"cast({moment} at time zone $zone as timestamp)"
    *earlier, (_, last) = pieces
    when = "".join(f" when {moment} < timestamptz '{end.isoformat(sep=' ')}' then {micros}" for end, micros in earlier)
    return f"make_timestamp(epoch_us({moment}) + {f'case{when} else {last} end' if when else last})"


def _reads(sql: str, table: str) -> bool:
    return re.search(rf"\b(?:from|join)\s+{table}\b", sql) is not None
