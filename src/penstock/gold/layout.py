"""A row of a rollup ↔ a key-value item: partition key, sort key, attributes; what a store without columns keeps.

A partition is a rollup with a value of its first key, sorted by bucket: one query reads a page's days, or a range of
them. Keys of a table like DynamoDB's have few bytes, so long texts are cut there; the attributes say all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from .catalog import Rollup

Value = str | int | Decimal | None
_HOUR = "%Y-%m-%dT%H:%MZ"
_MOST_BYTES = 200
"""Of one key's value; a bucket and four of them fit into the 1,024 bytes of DynamoDB's sort key."""


class Item(NamedTuple):
    """`attributes` holds the bucket, keys and values by name; times and days as ISO text."""

    pk: str
    sk: str
    attributes: Mapping[str, Value]


def item(rollup: Rollup, row: tuple[Any, ...]) -> Item:
    """Different rows of a store have different (pk, sk); buckets sort as time does."""
    values = [plain(value) for value in row]
    bucket, *keys = values[: 1 + len(rollup.keys)]
    partition = "#".join([rollup.name, *map(_part, keys[:1])])
    attributes = dict(zip((column.name for column in rollup.columns), values, strict=True))
    return Item(partition, "#".join([str(bucket), *map(_part, keys[1:])]), attributes)


def row(rollup: Rollup, item: Item) -> tuple[Any, ...]:
    """The row that the item was made from."""
    return tuple(typed(column.type, item.attributes.get(column.name)) for column in rollup.columns)


def plain(value: Any) -> Value:
    """Times and days as text that sorts as they do: `2026-02-01T12:00Z`, `2026-02-01`; the rest as it is."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(_HOUR)
    return value.isoformat() if isinstance(value, date) else value


def typed(kind: str, value: Any) -> Any:
    """What `plain` was given, from what a store kept of it; `kind` is the column's type."""
    if value is None:
        return None
    if kind == "TIMESTAMPTZ":
        return datetime.fromisoformat(value)
    if kind == "DATE":
        return date.fromisoformat(value)
    return Decimal(value) if kind.startswith("DECIMAL") else value


def _part(value: Value) -> str:
    """Text that is another for every value, also for none and the empty one; `#` only separates."""
    if value is None:
        return "-"
    text = str(value).replace("%", "%25").replace("#", "%23")
    if len(text.encode()) <= _MOST_BYTES:
        return f"={text}"
    return f"~{text[:40]}~{hashlib.sha256(text.encode()).hexdigest()}"
