"""Stage 5, the port: where rollups are kept, and which silver each of them shows.

An adapter is a module in this folder, named by its URL scheme, with `open(url) -> Store`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from ..catalog import Rollup

Bucket = datetime | date
"""An hour, by its start in UTC, or a day."""
Row = tuple[Any, ...]
"""Of a rollup's `columns`: datetime, date, str, int or Decimal; a key may be None."""


class Shown(NamedTuple):
    """Which silver is shown: `table` is the id that Delta gave it, new when silver was made anew."""

    table: str
    version: int


class Store(Protocol):
    """Rows by bucket and keys. Not promised: that rollups show the same silver, or that a change survives a power cut
    before it is `finish`ed; it is then made again from silver.
    """

    def shown(self) -> Mapping[str, Shown]:
        """By name, what `finish` was told last; without what was never finished."""

    def finish(self, names: Collection[str], shown: Shown) -> None:
        """All of `names` show this now; what was replaced before is as durable as this is."""

    def replace(self, rollup: Rollup, buckets: Sequence[Bucket], rows: Sequence[Row]) -> None:
        """Put `rows` in place of everything in `buckets`; whoever reads a bucket sees it as before or as after."""

    def buckets(self, rollup: Rollup) -> set[Any]:
        """Every bucket that has a row."""

    def read(self, rollup: Rollup, since: Bucket | None = None, until: Bucket | None = None) -> list[Row]:
        """Rows with `since` <= bucket < `until`, by bucket."""

    def read_key(self, rollup: Rollup, key: str, since: Bucket, until: Bucket) -> list[Row]:
        """Of a rollup with one key, the rows of that key with `since` <= bucket <= `until`, by bucket; quick."""

    def close(self) -> None:
        """Let go of files and connections. May never be called: a crash must cost nothing."""
