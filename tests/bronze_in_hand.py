"""A bronze in hand, for tests: stream objects of any minute, as deliver writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from penstock.bronze.deliver import compress
from penstock.bronze.layout import NOT_DATA, batch_key
from penstock.bronze.merge import Merged, merge
from penstock.bronze.store import Bronze
from penstock.objects import Objects

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=5)
HOUR = "year=2026/month=02/day=01/hour=12/"


def bronze_at(folder: Path) -> Bronze:
    return Bronze(Objects((folder / "bronze").as_uri()))


def body(number: int) -> bytes:
    return compress(b'{"n":%d}\n{"n":%d}\n' % (number, number + 1))


def key_of(number: int, at: datetime = NOON) -> str:
    return batch_key("test", 2 * number, 2 * number + 1, at + timedelta(minutes=number % 60))


def fill(bronze: Objects, count: int, at: datetime = NOON, first: int = 0) -> dict[str, bytes]:
    """`count` objects in the hour of `at`; key → bytes."""
    made = {key_of(number, at): body(number) for number in range(first, first + count)}
    for key, data in made.items():
        bronze.put(key, data)
    return made


def content(bronze: Objects) -> dict[str, bytes]:
    """Every object by the listing; each is to be in it once."""
    keys = [entry.key for entry in bronze.list() if not entry.key.startswith(NOT_DATA)]
    assert len(keys) == len(set(keys))
    return {key: bronze.get(key) for key in keys}


def raw(bronze: Bronze) -> list[str]:
    """What really lies there."""
    return sorted(entry.key for entry in bronze.objects.list() if not entry.key.startswith(NOT_DATA))


def merge_all(bronze: Bronze, many: int = 2) -> Merged:
    return merge(bronze, LATER, many=many)
