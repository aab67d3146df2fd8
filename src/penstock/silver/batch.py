"""A plan → the files of its batch, by the engine that is asked; and how engines read an object of bronze."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from .. import adapters
from ..bronze.layout import arrival
from ..bronze.lines import Lines, read_lines
from ..bronze.store import Bronze
from ..errors import BadFile
from . import engines
from .bookmark import Plan
from .engines import Made
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
