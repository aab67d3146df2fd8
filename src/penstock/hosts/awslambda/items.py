"""Items → a table of DynamoDB, many at a time; what it does not take at once is offered again, with pauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .clients import TROUBLE, client, tries, worth_another_try

_AT_ONCE = 25
Item = Mapping[str, str | int]
Key = tuple[str, str]


def put(table: str, items: Sequence[Item], context: Any) -> set[Key]:
    """Each in place of what was under its pk and sk; two of the same are one. Returns the keys that were not taken."""
    by_key = {_key(item): item for item in items}
    waiting = list(by_key)
    refused: set[Key] = set()
    for start in range(0, len(waiting), _AT_ONCE):
        refused |= _put(table, [by_key[key] for key in waiting[start : start + _AT_ONCE]], context)
    return refused


def _put(table: str, items: Sequence[Item], context: Any) -> set[Key]:
    asked = {table: [{"PutRequest": {"Item": _stored(item)}} for item in items]}
    for _ in tries(context):
        try:
            asked = _client().batch_write_item(RequestItems=asked).get("UnprocessedItems") or {}
        except TROUBLE as error:
            if not worth_another_try(error):
                raise
        if not asked:
            return set()
    left = (put["PutRequest"]["Item"] for put in asked[table])
    return {(item["pk"]["S"], item["sk"]["S"]) for item in left}


def _client() -> Any:
    return client("dynamodb", retries=False)


def _key(item: Item) -> Key:
    return str(item["pk"]), str(item["sk"])


def _stored(item: Item) -> dict[str, dict[str, str]]:
    return {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in item.items()}
