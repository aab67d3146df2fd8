"""PORT: who answers a report's statement, where DuckDB on this machine does not.

A module has `open(silver, settings, tell) -> Engine`. It promises: the answer has the rows, in the order, and the
columns that DuckDB gives over the same events; numbers may be of another width, and fractions differ in their last
digits. It reads silver only, so a statement that it is given is made without gold. Raises PenstockError for what has no
answer, and before anything is read for what would read too much.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import pyarrow as pa

from ...adapters import load, names
from ...errors import SettingsError
from ...settings import Settings
from ...silver.lake import Silver
from ..statement import Statement

DUCKDB = "duckdb"
"""Who answers where nobody else is named; it has no module here, and alone knows of gold."""
Tell = Callable[[str], None]
"""Told to people as it happens: what a question will take, what it took."""


class Engine(Protocol):
    def ask(self, told: Statement) -> pa.Table: ...

    def sql(self, told: Statement) -> str:
        """What it runs for it."""

    def close(self) -> None: ...


@contextmanager
def opened(name: str, silver: Silver, settings: Settings, tell: Tell) -> Iterator[Engine]:
    """The engine of that name. Raises SettingsError for one that there is not, or whose package is missing."""
    here = sys.modules[__name__]
    if name not in names(here):
        known = ", ".join((DUCKDB, *names(here)))
        raise SettingsError(f"no engine of reports is called {name!r}", hint=f"known are: {known}")
    engine: Engine = load(here, name).open(silver, settings, tell)
    try:
        yield engine
    finally:
        engine.close()
