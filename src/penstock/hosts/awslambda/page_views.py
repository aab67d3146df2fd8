"""A batch of a stream or queue → an item of DynamoDB for each page view in it, by page and time; others are left out.

The key holds the event's own id and time, so the same batch again writes the same items.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ...collect.keys import DEFAULT_SOURCE
from . import items
from .clients import LOG
from .messages import Message, failures, lines, messages
from .reading import PAGE_VIEW, Event, Refused, event, sort_key

_KEPT = timedelta(days=62)
_PATH_BYTES = 1000


def handler(told: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Not taken are messages of which an item could not be written, and of a queue those that hold no event.

    A queue hands these to its dead letter queue; a stream's would hold up all behind them, and are in bronze anyhow.
    """
    wanted: dict[items.Key, items.Item] = {}
    of_message: dict[str, set[items.Key]] = {}
    poison: set[str] = set()
    batch = messages(told)
    for message in batch:
        for found in _events(message):
            if isinstance(found, Refused):
                LOG.warning("%s holds no event: %s", message.id, found.reason)
                poison |= set() if message.shard else {message.id}
            elif found.event_type == PAGE_VIEW and found.page_path:
                item = _item(found)
                key = str(item["pk"]), str(item["sk"])
                wanted[key] = item
                of_message.setdefault(message.id, set()).add(key)
    refused = items.put(os.environ["PENSTOCK_PAGE_VIEWS_TABLE"], list(wanted.values()), context)
    again = poison | {message for message, keys in of_message.items() if keys & refused}
    return failures([message.id for message in batch if message.id in again])


def _events(message: Message) -> Iterator[Event | Refused]:
    found = lines(message)
    if not found:
        yield Refused("malformed_json", message.at)
    for line in found:
        told = event(line, message.at, DEFAULT_SOURCE)
        if isinstance(told, Event) and not told.event_id:
            told = told._replace(event_id=hashlib.sha256(line).hexdigest()[:32])
        yield told


def _item(view: Event) -> items.Item:
    expires = max(view.at, datetime.now(UTC)) + _KEPT
    told = {
        "pk": _short(str(view.page_path)),
        "sk": sort_key(view),
        "day": view.at.date().isoformat(),
        "event_id": view.event_id,
        "source": view.source,
        "session_id": view.session_id,
        "visitor": view.visitor,
        "expires_at": int(expires.timestamp()),
    }
    return {name: value for name, value in told.items() if value is not None}


def _short(path: str) -> str:
    """DynamoDB's keys have an end; a longer path is known by its hash."""
    if len(path.encode()) <= _PATH_BYTES:
        return path
    return f"{path[:200]}~{hashlib.sha256(path.encode()).hexdigest()}"
