"""A line of the stream → the little of it that is shown now. Pure.

It finds a column where silver finds it, but judges only what costs nothing: the line is an event, has a name, and a
session where it needs one. What else is wrong with it is found when it gets into the lake.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from ...collect.dialects import Dialect
from ...silver import lookups
from ...silver.schema import Schema, parts

_SHOWN = (
    "event_id", "event_type", "session_id", "page_path", "referrer", "utm_source", "utm_medium", "user_agent",
    "device", "country",
)  # fmt: skip
_NEEDS_SESSION = frozenset(
    ("page_view", "cta_click", "scroll_depth", "time_on_page", "form_start", "form_submit", "exit_intent")
)
_NOBODY = ("null", "undefined", "00000000-0000-0000-0000-000000000000")
_LONGEST_CHARS = 200
_LONGEST_ID_BYTES = 1000
_AGENTS = 10_000

Paths = tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
"""Column → the paths to it, each taken apart."""


class Fact(NamedTuple):
    """`at`: when the collector took it, seconds since 1970. `came_from` is empty where the event does not say."""

    at: float
    event_id: str
    event_type: str
    source: str
    session_id: str
    page_path: str
    came_from: str
    device: str
    country: str
    is_bot: bool = False


class _Line(msgspec.Struct):
    dialect: str
    source: str
    received_at: datetime
    event: Any
    user_agent: str | None = None
    event_id: str | None = None
    reason: str | None = None


_decode = msgspec.json.Decoder(_Line).decode


class Facts:
    """Reads lines by the rules of `schema`: its aliases and its bots count here too."""

    def __init__(self, schema: Schema) -> None:
        self._dialects = {name: (dialect, _paths(dialect)) for name, dialect in schema.dialects.items()}
        self._agent = lru_cache(_AGENTS)(lambda text: _judged(text, schema))

    def read(self, line: bytes) -> Fact | None:
        """None for what is no event."""
        try:
            told = _decode(line)
        except (msgspec.DecodeError, RecursionError):
            return None
        if told.reason is not None or type(told.event) is not dict or told.dialect not in self._dialects:
            return None
        dialect, paths = self._dialects[told.dialect]
        found = {column: _first(told.event, places) for column, places in paths}
        name = _name(found["event_type"], dialect)
        session = _text(found["session_id"])
        session = "" if session in _NOBODY or len(session.encode(errors="replace")) > _LONGEST_ID_BYTES else session
        if name is None or (not session and told.dialect == "events" and name in _NEEDS_SESSION):
            return None
        agent = self._agent(_text(found["user_agent"]) or told.user_agent or "")
        return Fact(
            told.received_at.timestamp(),
            _text(found["event_id"]) or told.event_id or "",
            name,
            told.source,
            session,
            _short(found["page_path"]),
            _came_from(*(_short(found[column]) for column in ("referrer", "utm_source", "utm_medium"))),
            _short(found["device"]).lower() or agent.device or "",
            _short(found["country"]),
            agent.is_bot,
        )


def _paths(dialect: Dialect) -> Paths:
    return tuple((column, tuple(map(parts, dialect.paths.get(column, ())))) for column in _SHOWN)


def _first(event: dict[str, Any], places: Iterable[tuple[str, ...]]) -> Any:
    """The first value that is there, as silver finds it."""
    for place in places:
        value: Any = event
        for name in place:
            value = value.get(name) if type(value) is dict else None
        if value is not None:
            return value
    return None


def _text(value: Any) -> str:
    """Of a text or number; of anything else nothing."""
    return value if type(value) is str else str(value) if type(value) in (int, float) else ""


def _short(value: Any) -> str:
    return _text(value)[:_LONGEST_CHARS]


def _name(value: Any, dialect: Dialect) -> str | None:
    if type(value) is not str:
        return None
    value = dialect.event_types.get(value, value).lower()
    if " " in value or "-" in value:
        value = value.strip().replace(" ", "_").replace("-", "_")
    return value if value and len(value.encode(errors="replace")) <= _LONGEST_CHARS else None


def _judged(text: str, schema: Schema) -> lookups.Agent:
    known = lookups.agent(text[:_LONGEST_CHARS])
    return known._replace(is_bot=known.is_bot or schema.is_bot(text))


@lru_cache(_AGENTS)
def _came_from(referrer: str, utm_source: str, utm_medium: str) -> str:
    """Campaign source, else the host that led here."""
    return utm_source or lookups.referrer(referrer or None, None, utm_medium or None).referrer_host or ""
