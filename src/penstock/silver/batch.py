"""A plan → the files of its batch, by the engine that is asked; and what engines share of reading bronze and silver."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Protocol

from .. import adapters
from ..bronze.layout import arrival
from ..bronze.lines import Lines, read_lines
from ..bronze.store import Bronze
from ..errors import BadFile
from . import engines, snapshot
from .bookmark import Plan
from .engines import Count, Made
from .lake import Lake, Silver

_RAW_SAMPLE = 64 << 10
_NOWHEN = datetime(1970, 1, 1, tzinfo=UTC)
Read = Lines | tuple[BadFile, bytes]
"""An object's lines, or why it has none with the start of its bytes."""


@dataclass(frozen=True)
class Engine:
    """`name` is a module of `engines/`. `memory_limit` is DuckDB's, in each process; `options` are Spark's own."""

    name: str = "duckdb"
    memory_limit: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def make(self, lake: Lake, silver: Silver, plan: Plan) -> Made:
        """Raises SettingsError if the engine is not installed."""
        made: Made = adapters.load(engines, self.name).make(lake, silver, plan, self)
        return made


ONE_MACHINE = Engine()


def came(key: str) -> datetime:
    """When an object came, as far as its place says."""
    return arrival(key) or _NOWHEN


def day(key: str) -> date:
    """The ledger's partition of an object."""
    return came(key).date()


def read_object(bronze: Bronze, key: str) -> Read:
    data = bronze.get(key)
    try:
        return read_lines(data)
    except BadFile as bad:
        return bad, data[:_RAW_SAMPLE]


class Takes(Protocol):
    """What lines are handed to."""

    def add(self, key: str, received_at: datetime, lines: Lines) -> None: ...

    def reject(self, key: str, line: int, received_at: datetime, reason: str, detail: str, raw: bytes) -> None: ...


def hand_over(engine: Takes, key: str, read: Read) -> bool:
    """False if the object could not be read, and so counts as one bad line."""
    when = came(key)
    if isinstance(read, Lines):
        engine.add(key, when, read)
        return True
    bad, raw = read
    engine.reject(key, 0, when, bad.reason, str(bad), raw)
    return False


def may_be_known(silver: Silver, hours: Collection[datetime], *, any_without_clock: bool) -> list[str]:
    """Paths, within the table, of files that may hold a copy of an event of one of these hours."""
    return snapshot.may_hold(silver.events, hours, also_unplaced=any_without_clock)


def with_days(counts: Iterable[Count]) -> list[tuple[object, ...]]:
    """The ledger's rows, with the partition that they belong to."""
    return [(*row, day(row[1])) for row in counts]
