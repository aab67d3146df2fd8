"""A rollup → one SQL query for all of it over `silver.events`, for engines that have no gold of ours."""

from __future__ import annotations

from ..silver.columns import EVENTS
from .catalog import Of, Rollup, sql
from .steps import short

_HOUR_US = 3_600_000_000
_EVENTS = (
    f"select {', '.join(column.name for column in EVENTS)},\n"
    f"make_timestamptz(epoch_us(event_ts) - epoch_us(event_ts) % {_HOUR_US}) as hour,"
    " cast(event_ts as date) as day\nfrom silver.events"
)
_OF_SESSIONS = {
    "session_events": "select * from events where session_id is not null",
    "ids": (
        "select source, session_id, is_bot, day, min(event_ts) as first_ts\n"
        "from events\nwhere session_id is not null\ngroup by 1, 2, 3, 4"
    ),
    "all_sessions": sql("sessions"),
    "sessions": (
        f"select *, {short('session_id')} as session, {short('coalesce(user_id, anonymous_id)')} as known_as\n"
        "from all_sessions"
    ),
}
_OF_STEPS = {"steps": sql("steps")}
_OVERNIGHT = {
    **_OF_STEPS,
    "overnight_sessions": (
        "select session from steps where session is not null group by session having min(day) <> max(day)"
    ),
}
_TABLES = {
    Of.events: {},
    Of.steps: _OF_STEPS,
    Of.one_day: {
        **_OVERNIGHT,
        "one_day": (
            "select s.*\nfrom steps as s\nleft join overnight_sessions as o on o.session = s.session\n"
            "where o.session is null"
        ),
    },
    Of.overnight: {
        **_OVERNIGHT,
        "overnight": "select * from steps where session in (select session from overnight_sessions)",
    },
    Of.sessions: _OF_SESSIONS,
}


def over_silver(rollup: Rollup) -> str:
    """DuckDB's SQL, in a session whose time zone is UTC. Its rows are those of `gold`."""
    tables = {"events": _EVENTS, **_TABLES[rollup.of]}
    head = ",\n\n".join(f"{name} as (\n{said.strip()}\n)" for name, said in tables.items())
    comments, body = _parted(rollup.sql.strip())
    return f"{comments}with {head}{f',{body[4:]}' if body.startswith('with ') else f'{chr(10) * 2}{body}'}"


def _parted(text: str) -> tuple[str, str]:
    """The comments before a query, and the query."""
    lines = text.splitlines(keepends=True)
    first = next(n for n, line in enumerate(lines) if not line.startswith("--"))
    return "".join(lines[:first]), "".join(lines[first:])
