"""All rows of a bucket ↔ bytes, so that a store of small items can replace them at one stroke. Pure."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from ..catalog import ROLLUPS, Rollup, definitions
from ..layout import item, plain, typed
from . import Row

Place = tuple[str, str]
"""Partition key and sort key of a row's own item."""


class Page(NamedTuple):
    """`places` are of items that may be there though no row of the page is at them; None if the items are in order."""

    rows: list[Row]
    places: frozenset[Place] | None = None


def packed(page: Page) -> bytes:
    rows = [[_text(plain(value)) for value in row] for row in page.rows]
    places = None if page.places is None else sorted(page.places)
    return zlib.compress(json.dumps([rows, places], ensure_ascii=False).encode(), 6)


def unpacked(rollup: Rollup, data: bytes) -> Page:
    rows, places = json.loads(zlib.decompress(data))
    kinds = [column.type for column in rollup.columns]
    found = [tuple(typed(kind, value) for kind, value in zip(kinds, row, strict=True)) for row in rows]
    return Page(found, None if places is None else frozenset((pk, sk) for pk, sk in places))


def places(rollup: Rollup, rows: Iterable[Row]) -> dict[Place, Row]:
    """Where the row's own items are."""
    return {item(rollup, row)[:2]: row for row in rows}


def same(one: Collection[Row], other: Collection[Row]) -> bool:
    return set(one) == set(other)


def mark() -> str:
    """Another one for other definitions of the rollups: what was made by those is to be made again."""
    columns = [(column.name, column.type) for rollup in ROLLUPS for column in rollup.columns]
    texts = [repr(columns), *definitions()]
    return f"{zlib.crc32(chr(10).join(texts).encode()):08x}"


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str) else f"{value:f}"
