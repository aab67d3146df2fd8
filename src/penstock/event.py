"""The event: what a sender may put on the wire, how big and how deep, and which fields name it.

Pure. The collector judges with it before storing, the loader after reading, so both give the same reasons.
"""

from __future__ import annotations

BODY_BYTES = 1 << 20
DECOMPRESSED_BYTES = 8 << 20
EVENTS_PER_REQUEST = 500
EVENT_BYTES = 64 << 10
DEPTH = 32
KEYS = 256
USER_AGENT_CHARS = 1024

MALFORMED_JSON = "malformed_json"
NOT_AN_OBJECT = "not_an_object"
EVENT_TOO_LARGE = "event_too_large"
TOO_DEEP = "too_deep"
TOO_MANY_KEYS = "too_many_keys"

SMALL_EVENT_BYTES = 4 * KEYS
"""An event of this size cannot have too many keys: the shortest member is `"":0`."""


def judge(value: object, raw: bytes) -> str | None:
    """The reason why one decoded event cannot be an event, or None.

    `raw` is the event's JSON text; it lets the costly checks be skipped for ordinary events.
    """
    if type(value) is not dict:
        return NOT_AN_OBJECT
    size = len(raw)
    if size > EVENT_BYTES:
        return EVENT_TOO_LARGE
    if size > 2 * DEPTH and raw.count(b"{") + raw.count(b"[") > DEPTH and depth(value) > DEPTH:
        return TOO_DEEP
    if size > SMALL_EVENT_BYTES and keys(value) > KEYS:
        return TOO_MANY_KEYS
    return None


def depth(value: object) -> int:
    """How many objects and lists are nested around the innermost value; without recursion."""
    deepest = 0
    todo: list[tuple[object, int]] = [(value, 1)]
    while todo:
        item, level = todo.pop()
        if isinstance(item, dict | list):
            deepest = max(deepest, level)
            todo.extend((child, level + 1) for child in (item.values() if isinstance(item, dict) else item))
    return deepest


def keys(value: object) -> int:
    """How many object members there are, at every level."""
    total = 0
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            total += len(item)
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return total
