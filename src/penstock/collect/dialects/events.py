"""Our own events: one object or an array to `/v1/events`; what the tracker, `penstock send` and plain scripts post.

Field names that other systems use for the same thing load without configuration.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

import msgspec

from ...errors import Refused
from ..elements import elements
from . import Dialect, Fates, Split

PATHS: dict[str, tuple[str, ...]] = {
    "event_id": ("event_id", "messageId"),
    "event_type": ("event_type", "action", "event", "type"),
    "user_id": ("user_id", "userId"),
    "anonymous_id": ("anonymous_id", "anonymousId", "visitor_id"),
    "session_id": ("session_id", "sessionId"),
    "event_ts": ("event_ts", "originalTimestamp", "timestamp", "time", "event_time", "ts"),
    "sent_ts": ("sent_ts", "sentAt", "sent_at"),
    "page_path": ("page_path", "path", "page"),
    "page_url": ("page_url", "url"),
    "page_title": ("page_title", "title"),
    "referrer": ("referrer", "referer"),
    "utm_source": ("utm_source",),
    "utm_medium": ("utm_medium",),
    "utm_campaign": ("utm_campaign",),
    "utm_term": ("utm_term",),
    "utm_content": ("utm_content",),
    "user_agent": ("user_agent", "userAgent"),
    "device": ("device", "device_type"),
    "screen_width": ("screen_width",),
    "screen_height": ("screen_height",),
    "language": ("language", "locale"),
    "timezone": ("timezone",),
    "country": ("country",),
    "product_id": ("product_id", "productId"),
    "category": ("category", "product_category"),
    "price": ("price",),
    "quantity": ("quantity",),
    "revenue": ("revenue",),
    "search_query": ("search_query",),
    "variants": ("variants",),
    "seq": ("seq",),
    "first_day": ("first_day",),
    "prev_day": ("prev_day",),
    "properties": ("properties",),
}

_ENCODER = msgspec.json.Encoder()
_QUERY_FIELDS = 64


def split(body: bytes, query: str) -> Split:
    """An array is its elements, an object is itself, and an empty body is a page view told by the query."""
    start = body[:64].lstrip()[:1] or body.lstrip()[:1]
    if not start:
        return Split([_ENCODER.encode(_from_query(query))], alone=True, dialect="beacon")
    if start == b"[":
        return Split(elements(body))
    return Split([body], alone=True)


def _from_query(query: str) -> dict[str, str]:
    """`?page=/post&time=2021-03-13T12:34:56Z` → the event of a page that has no tracker."""
    try:
        pairs = parse_qsl(query, max_num_fields=_QUERY_FIELDS)
    except ValueError as error:
        raise Refused(400, "too_many_keys", f"a query may have {_QUERY_FIELDS} fields") from error
    fields = {name: value for name, value in pairs if name not in ("writeKey", "write_key")}
    if not fields.keys() & {"page", "page_path", "event_type"}:
        raise Refused(400, "empty_body", "send an event as JSON, or ?page=... in the URL")
    fields.setdefault("event_type", "page_view")
    return fields


class _Result(msgspec.Struct, omit_defaults=True, gc=False):
    event_id: str
    status: str
    reason: str | None = None


class _Reply(msgspec.Struct):
    accepted: int
    quarantined: int
    events: list[_Result]


def reply(fates: Fates) -> bytes:
    """`{"accepted": n, "quarantined": n, "events": [{"event_id", "status", "reason"?}]}`, in the order sent."""
    results = [_Result(event_id, "accepted") for event_id in fates.ids]
    for index, reason in fates.reasons.items():
        results[index] = _Result(fates.ids[index], "quarantined", reason)
    quarantined = len(fates.reasons)
    return _ENCODER.encode(_Reply(len(results) - quarantined, quarantined, results))


DIALECT = Dialect(name="events", paths=PATHS, routes=("/v1/events",), split=split, reply=reply)
