"""The events of one body → records for the stream and the fate of each, in the order sent.

The hot path of the collector: a loop of a few operations per event, everything that can be is done once per request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, NoReturn

import msgspec

from ..errors import Refused
from ..event import DEPTH, MALFORMED_JSON, SMALL_EVENT_BYTES, TOO_DEEP, TOO_MANY_KEYS, judge
from ..stream import Record
from . import REFUSALS
from .dialects import Dialect, Fates, Split, all_dialects
from .dialects.segment import DIALECT as SEGMENT
from .dialects.segment import TYPES as SEGMENT_TYPES
from .stamp import line, one_line, prefix, quoted

_decode = msgspec.json.Decoder().decode


def split(dialect: Dialect, body: bytes, query: str) -> Split:
    """The events of a body. Raises Refused if their borders cannot be found, or there are too many."""
    try:
        found = dialect.split(body, query)
    except msgspec.ValidationError as error:
        raise Refused(400, MALFORMED_JSON, "the body is not of the expected shape") from error
    except (ValueError, RecursionError) as error:
        if not body.strip():
            raise Refused(400, "empty_body", "send an event as JSON") from error
        _refuse(_why_unreadable(error))
    if len(found.raws) > dialect.max_events:
        raise Refused(413, "too_many_events", f"a request may hold {dialect.max_events} events; split it")
    return found


def admit(
    dialect: Dialect,
    found: Split,
    body: bytes,
    *,
    source: str,
    received_at: datetime,
    user_agent: str,
    new_id: Callable[[], str],
) -> tuple[list[Record], Fates]:
    """Read, judge and stamp each event. Raises Refused for a bad event that came alone, or if none can be read."""
    values = _values(found.raws)
    if found.dialect is not None:
        dialect = all_dialects()[found.dialect]

    shared = (source, received_at, user_agent, found.sent_ts)
    start, segment_start = prefix(dialect.name, *shared), b""
    plain = start + b',"event":'
    usual_id = dialect.id_fields[0]
    sniff = dialect.name == "events"
    broken = b"\n" in body or b"\r" in body
    # Of all the brackets, each other event has at least one; so few for one event cannot be nested too deep.
    brackets = body.count(b"{") + body.count(b"[") - len(values) + 1
    flat = brackets <= DEPTH and all(type(value) is dict for value in values)
    records: list[Record] = []
    ids: list[str] = []
    reasons: dict[int, str] = {}
    for raw, value in zip(found.raws, values, strict=True):
        text = bytes(raw)
        if broken:
            text = one_line(text)
        if not flat or len(text) > SMALL_EVENT_BYTES:
            reason = value.reason if type(value) is _Unreadable else judge(value, text)
            if reason is not None:
                if found.alone:
                    _refuse(reason)
                if type(value) is _Unreadable:
                    text = quoted(raw)
                reasons[len(ids)] = reason
                ids.append(new_id())
                records.append(Record(line(start, text, ids[-1], reason)))
                continue
        assert type(value) is dict
        key = value.get("session_id") or value.get("anonymousId") or value.get("user_id")
        key = key if type(key) is str else ""
        event_id = value.get(usual_id)
        if sniff and "messageId" in value and _is_segment(value):
            segment_start = segment_start or prefix(SEGMENT.name, *shared)
            event_id, data = _identified(segment_start, SEGMENT.id_fields, text, value, new_id)
        elif event_id and type(event_id) is str:
            data = plain + text + b"}"
        else:
            event_id, data = _identified(start, dialect.id_fields, text, value, new_id)
        ids.append(event_id)
        records.append(Record(data, key))
    return records, Fates(ids, reasons)


def _identified(
    start: bytes, id_fields: tuple[str, ...], text: bytes, value: Mapping[str, object], new_id: Callable[[], str]
) -> tuple[str, bytes]:
    """(the event's id, its line). An id is made if there is none; one that is no text is silver's to judge."""
    sent = next((found for name in id_fields if (found := value.get(name)) not in (None, "")), None)
    if sent is None:
        made = new_id()
        return made, line(start, text, made, None)
    return sent if type(sent) is str else "", line(start, text, None, None)


class _Unreadable(NamedTuple):
    """Stands for the value of an event that no strict reader takes."""

    reason: str


def _values(raws: Iterable[msgspec.Raw | bytes]) -> list[object]:
    """What each event says. One that cannot be read costs none of the others. Raises Refused if none can be read."""
    try:
        return list(map(_decode, raws))
    except (ValueError, RecursionError):
        values = [_value(raw) for raw in raws]
    reasons = [value.reason for value in values if isinstance(value, _Unreadable)]
    if len(reasons) == len(values):
        _refuse(reasons[0])
    return values


def _value(raw: msgspec.Raw | bytes) -> object:
    try:
        return _decode(raw)
    except (ValueError, RecursionError) as error:
        return _Unreadable(_why_unreadable(error))


def _why_unreadable(error: Exception) -> str:
    return TOO_DEEP if isinstance(error, RecursionError) else MALFORMED_JSON


def _is_segment(value: Mapping[str, object]) -> bool:
    """A Segment message that was posted as an event is still a Segment message."""
    kind = value.get("type")
    return type(kind) is str and kind in SEGMENT_TYPES


_DETAIL = {
    MALFORMED_JSON: "this is not JSON in UTF-8, or holds a number beyond all bounds",
    "not_an_object": "an event is a JSON object",
    "event_too_large": "an event may have 65536 bytes",
    TOO_DEEP: "an event may be nested 32 deep",
    TOO_MANY_KEYS: "an event may have 256 keys",
}


def _refuse(reason: str) -> NoReturn:
    raise Refused(REFUSALS[reason], reason, _DETAIL[reason])


def by_route() -> dict[str, Dialect]:
    """Path → dialect, for every dialect there is."""
    return {route: dialect for dialect in all_dialects().values() for route in dialect.routes}
