"""Segment's HTTP API: what analytics.js, the Segment libraries and everything that speaks like them post."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ..elements import elements, members
from . import Dialect, Fates, Split

TYPES = frozenset({"track", "page", "screen", "identify", "group", "alias"})

PATHS: dict[str, tuple[str, ...]] = {
    "event_id": ("messageId",),
    "event_type": ("event", "type"),
    "user_id": ("userId",),
    "anonymous_id": ("anonymousId",),
    "session_id": ("context.sessionId", "properties.session_id"),
    # From an SDK `timestamp` is the client's clock; in files that Segment wrote it is corrected already.
    "event_ts": ("timestamp", "originalTimestamp"),
    "sent_ts": ("sentAt",),
    "page_path": ("context.page.path", "properties.path"),
    "page_url": ("context.page.url", "properties.url"),
    "page_title": ("context.page.title", "properties.title"),
    "referrer": ("context.page.referrer", "properties.referrer"),
    "utm_source": ("context.campaign.source",),
    "utm_medium": ("context.campaign.medium",),
    "utm_campaign": ("context.campaign.name",),
    "utm_term": ("context.campaign.term",),
    "utm_content": ("context.campaign.content",),
    "user_agent": ("context.userAgent",),
    "device": ("context.device.type",),
    "screen_width": ("context.screen.width",),
    "screen_height": ("context.screen.height",),
    "language": ("context.locale",),
    "timezone": ("context.timezone",),
    "country": ("context.location.country",),
    "product_id": ("properties.product_id",),
    "category": ("properties.category",),
    "price": ("properties.price",),
    "quantity": ("properties.quantity",),
    "revenue": ("properties.revenue", "properties.total"),
    "search_query": ("properties.query",),
    "variants": ("properties.variants",),
    "properties": ("properties", "traits"),
}


class _Envelope(msgspec.Struct, rename="camel"):
    batch: list[msgspec.Raw] | None = None
    sent_at: Any = None
    write_key: Any = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_VALUE = msgspec.json.Decoder()


def split(body: bytes, query: str) -> Split:
    """`{"batch": [...], "sentAt"}` is its elements; any other object is one message."""
    raws: Sequence[msgspec.Raw | bytes] | None
    try:
        envelope = _ENVELOPE.decode(body)
        raws, sent_at, write_key = envelope.batch, envelope.sent_at, envelope.write_key
    except (msgspec.DecodeError, RecursionError):
        parts = members(body) or {}
        if "batch" not in parts:
            raise
        raws, sent_at, write_key = elements(parts["batch"]), _read(parts, "sentAt"), _read(parts, "writeKey")
    write_key = write_key if isinstance(write_key, str) else None
    if raws is None:
        return Split([body], alone=True, write_key=write_key)
    return Split(raws, sent_ts=sent_at if isinstance(sent_at, str) else None, write_key=write_key)


def _read(parts: Mapping[str, bytes], name: str) -> object:
    return _VALUE.decode(parts[name]) if name in parts else None


def reply(fates: Fates) -> bytes:
    return b'{"success":true}'


DIALECT = Dialect(
    name="segment",
    paths=PATHS,
    routes=(
        *(f"/v1/{kind}" for kind in sorted(TYPES)),
        *(f"/v1/{kind[0]}" for kind in sorted(TYPES)),
        "/v1/batch",
        "/v1/b",
    ),
    split=split,
    reply=reply,
    event_types={"page": "page_view", "screen": "screen_view"},
    max_events=2500,
)
