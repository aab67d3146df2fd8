"""Segment's HTTP API: what analytics.js, the Segment libraries and everything that speaks like them post."""

from __future__ import annotations

from typing import Any

import msgspec

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
    sent_at: str | None = None
    write_key: str | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_VALUE = msgspec.json.Decoder(dict[str, Any])


def split(body: bytes, query: str) -> Split:
    """`{"batch": [...], "sentAt"}` is its elements; anything else is one message."""
    envelope, value = _ENVELOPE.decode(body), _VALUE.decode(body)
    if envelope.batch is None:
        return Split([body], [value], alone=True, write_key=envelope.write_key)
    return Split(envelope.batch, value["batch"], sent_ts=envelope.sent_at, write_key=envelope.write_key)


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
