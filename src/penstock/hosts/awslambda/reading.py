"""A line of bronze → what a counter needs of its event, or why it is none: silver's rules, as far as they go.

Not here: crawlers are not told apart, an event that comes again in another file is not known, prices, quantities and
properties are not looked at, nor are columns and aliases of the settings. Silver does all of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from ...clock import iso
from ...collect.dialects import all_dialects
from ...collect.dialects.segment import TYPES as SEGMENT_TYPES
from ...collect.stamp import MARK
from .moments import client_time, happened, read

_decode = msgspec.json.Decoder().decode
_PLACEHOLDERS = ("null", "undefined", "00000000-0000-0000-0000-000000000000")
_TRACKED = frozenset(
    ("page_view", "cta_click", "scroll_depth", "time_on_page", "form_start", "form_submit", "exit_intent")
)
_NAME_BYTES, _ID_BYTES = 200, 1000
LINE_BYTES = 2 << 20
PAGE_VIEW = "page_view"


class Event(NamedTuple):
    """`event_id` is empty if others wrote the line without one. `visitor`: by the best id there is, as in gold."""

    event_type: str
    at: datetime
    event_id: str
    source: str
    session_id: str | None
    visitor: str | None
    page_path: str | None


class Refused(NamedTuple):
    """No event, for a `reason` of silver's; it came `at` this time."""

    reason: str
    at: datetime


class _Faulty(Exception):
    """The reason is its text."""


def event(line: bytes, arrived: datetime, source: str) -> Event | Refused:
    """`arrived` and `source` are for a line that does not say them itself."""
    at = arrived
    try:
        value = _read(line)
        stamped = line.startswith(MARK)
        if stamped:
            at = read(str(value.get("received_at"))) or arrived
            source = value.get("source") or source
            if value.get("reason"):
                raise _Faulty(value["reason"])
        return _event(value, at, source, stamped)
    except _Faulty as faulty:
        return Refused(str(faulty), at)


def _read(line: bytes) -> dict[str, Any]:
    if len(line) > LINE_BYTES:
        raise _Faulty("line_too_long")
    try:
        value = _decode(line)
    except (ValueError, RecursionError) as error:
        raise _Faulty("bad_encoding" if not _is_text(line) else "malformed_json") from error
    if type(value) is not dict:
        raise _Faulty("not_an_object")
    return value


def _event(value: Mapping[str, Any], received: datetime, source: str, stamped: bool) -> Event:
    body = value.get("event") if stamped else value
    body = body if isinstance(body, dict) else {}
    name = str(value.get("dialect")) if stamped else _dialect(body)
    dialect = all_dialects().get(name) or all_dialects()["events"]

    def first(column: str) -> Any:
        found = (_at(body, path) for path in dialect.paths.get(column, ()))
        return next((each for each in found if each not in (None, "")), None)

    kind = _kind(first("event_type"), dialect.event_types)
    event_id = _id(first("event_id")) or value.get("event_id") if stamped else _id(first("event_id"))
    user, anonymous, session = (_who(first(column)) for column in ("user_id", "anonymous_id", "session_id"))
    if name == "events" and stamped and session is None and kind in _TRACKED:
        raise _Faulty("missing_session_id")
    client = _client(first("event_ts"))
    sent = read(_text(first("sent_ts") or value.get("sent_ts"))) if stamped else None
    path = first("page_path")
    return Event(
        kind,
        happened(client, sent, received),
        event_id or "",
        source,
        session,
        user or anonymous or session,
        None if path is None else _text(path),
    )


def _dialect(body: Mapping[str, Any]) -> str:
    """Of a line that others wrote."""
    kind = body.get("type")
    return "segment" if "messageId" in body and isinstance(kind, str) and kind in SEGMENT_TYPES else "events"


def _kind(sent: Any, names: Mapping[str, str]) -> str:
    if sent is None or not isinstance(sent, str | bool):
        raise _Faulty("bad_event_name")
    text = _text(sent)
    name = names.get(text, text).lower()
    if " " in name or "-" in name:
        name = name.strip(" ").replace(" ", "_").replace("-", "_")
    if not name or len(name.encode()) > _NAME_BYTES:
        raise _Faulty("bad_event_name")
    return name


def _id(sent: Any) -> str:
    if isinstance(sent, dict | list) or len(_text(sent).encode()) > _NAME_BYTES:
        raise _Faulty("bad_event_id")
    return _text(sent)


def _who(sent: Any) -> str | None:
    text = _text(sent)
    if len(text.encode()) > _ID_BYTES:
        raise _Faulty("id_too_long")
    return text if text and text not in _PLACEHOLDERS else None


def _client(sent: Any) -> datetime | None:
    if sent is None:
        return None
    found = client_time(_text(sent))
    if found is None:
        raise _Faulty("bad_timestamp")
    return found


def _at(body: Any, path: str) -> Any:
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _text(value: Any) -> str:
    """A JSON value as silver reads it into a text column; none is the empty text."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    return "" if value is None else msgspec.json.encode(value).decode()


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def sort_key(found: Event) -> str:
    """Where an event stands among those of its page: by time; the same event always at the same place."""
    return f"{iso(found.at)}#{found.event_id}"
