"""The events of one body → records for the stream and the fate of each, in the order sent.

The hot path of the collector: a loop of a few operations per event, everything that can be is done once per request.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from ..errors import Refused
from ..event import DEPTH, SMALL_EVENT_BYTES, TOO_DEEP, TOO_MANY_KEYS, judge
from ..stream import Record
from .dialects import Dialect, Fates, Split, all_dialects
from .dialects.segment import TYPES as SEGMENT_TYPES
from .stamp import line, one_line, prefix


def split(dialect: Dialect, body: bytes, query: str) -> Split:
    """The events of a body, strictly read. Raises Refused if it is not JSON, or not of the dialect's shape."""
    try:
        found = dialect.split(body, query)
    except msgspec.ValidationError as error:
        raise Refused(
            400, "malformed_json", "the body is not of the expected shape, or holds an impossible number"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(400, "malformed_json", "the body is not JSON in UTF-8") from error
    except RecursionError as error:
        raise Refused(400, TOO_DEEP, "the body is nested too deep") from error
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
    """Judge and stamp each event. Raises Refused only for a bad event that came alone."""
    if found.dialect is not None:
        dialect = all_dialects()[found.dialect]
    start = prefix(dialect.name, source, received_at, user_agent, found.sent_ts)
    plain = start + b',"event":'
    flat = body.count(b"{") + body.count(b"[") - len(found.raws) <= DEPTH
    broken = b"\n" in body or b"\r" in body
    sniff = dialect.name == "events"
    first_id, *other_ids = dialect.id_fields
    records: list[Record] = []
    ids: list[str] = []
    reasons: dict[int, str] = {}
    for raw, value in zip(found.raws, found.values, strict=True):
        text = bytes(raw)
        if broken:
            text = one_line(text)
        if type(value) is not dict or not flat or len(text) > SMALL_EVENT_BYTES:
            reason = judge(value, text)
            if reason is not None:
                if found.alone:
                    _refuse(reason)
                reasons[len(ids)] = reason
                ids.append(new_id())
                records.append(Record(line(start, text, ids[-1], reason)))
                continue
        assert type(value) is dict
        key = value.get("session_id") or value.get("anonymousId") or value.get("user_id")
        key = key if type(key) is str else ""
        if sniff and "messageId" in value and _is_segment(value):
            segment = found._replace(raws=[text], values=[value], dialect="segment")
            more, fates = admit(
                dialect, segment, body, source=source, received_at=received_at, user_agent=user_agent, new_id=new_id
            )
            records += more
            ids += fates.ids
            continue
        event_id = value.get(first_id)
        for name in other_ids if event_id is None else ():
            event_id = event_id or value.get(name)
        if event_id is None:
            ids.append(new_id())
            records.append(Record(line(start, text, ids[-1], None), key))
        else:
            ids.append(event_id if type(event_id) is str else "")
            records.append(Record(plain + text + b"}", key))
    return records, Fates(ids, reasons)


def _is_segment(value: dict[str, object]) -> bool:
    """A Segment message that was posted as an event is still a Segment message."""
    kind = value.get("type")
    return type(kind) is str and kind in SEGMENT_TYPES


_STATUS = {"event_too_large": 413}
_DETAIL = {
    "not_an_object": "an event is a JSON object",
    "event_too_large": "an event may have 65536 bytes",
    TOO_DEEP: "an event may be nested 32 deep",
    TOO_MANY_KEYS: "an event may have 256 keys",
}


def _refuse(reason: str) -> None:
    raise Refused(_STATUS.get(reason, 400), reason, _DETAIL[reason])


def by_route() -> dict[str, Dialect]:
    """Path → dialect, for every dialect there is."""
    return {route: dialect for dialect in all_dialects().values() for route in dialect.routes}
