"""Where an object lies: position and time → key, and back. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

INBOX = "inbox/"
_MINUTE = "year=%Y/month=%m/day=%d/hour=%H/minute=%M"
_PARTS = re.compile(r"year=(\d{4})/month=(\d\d)/day=(\d\d)/hour=(\d\d)/minute=(\d\d)/")
_BATCH = re.compile(r"([^/]+)-(\d{12})-(\d{12})\.jsonl\.gz$")


class Span(NamedTuple):
    """Which records of a stream's shard an object holds; offsets are inclusive."""

    shard: str
    first: int
    last: int


def batch_key(shard: str, first: int, last: int, at: datetime) -> str:
    """`year=2026/month=02/day=01/hour=12/minute=00/<shard>-<first>-<last>.jsonl.gz`"""
    return f"{minute_folder(at)}{shard}-{first:012}-{last:012}.jsonl.gz"


def load_key(content_hash: str, name: str, at: datetime) -> str:
    """Key of a file that a person loads: its content's hash makes it known again under any name."""
    return f"{minute_folder(at)}load-{content_hash[:16]}-{name}"


def minute_folder(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_MINUTE) + "/"


def arrival(key: str) -> datetime | None:
    """The minute that a key's folders say, or None if it lies elsewhere."""
    found = _PARTS.search(key)
    if found is None:
        return None
    year, month, day, hour, minute = (int(part) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None


def span(key: str) -> Span | None:
    """The stream's records in this object, or None if the stream did not write it."""
    found = _BATCH.search(key)
    return Span(found[1], int(found[2]), int(found[3])) if found and not found[1].startswith("load-") else None


def inbox_key(key: str) -> str:
    """The marker for an object. A key may hold any character but the one that replaces `/`."""
    return INBOX + key.replace("/", "!")


def from_inbox(marker: str) -> str:
    return marker.removeprefix(INBOX).replace("!", "/")
