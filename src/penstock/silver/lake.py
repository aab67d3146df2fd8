"""The lake: bronze objects, and silver in generations of three Delta tables, under one URL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from ..bronze.layout import day_folder
from ..bronze.store import Bronze
from ..cache import Cache
from ..objects import Objects
from . import snapshot
from .columns import EVENTS, LEDGER, LEDGER_PARTITIONS, PARTITIONS, QUARANTINE
from .commit import Table
from .quarantine import waiting
from .schema import NOTHING_ADDED, Schema

NAMES = ("events", "quarantine", "ledger")
_CURRENT = "current"


@dataclass(frozen=True)
class Silver:
    """One generation: its tables, and the plans of the batches that fill them. The first has no name."""

    url: str
    generation: str = ""
    schema: Schema = NOTHING_ADDED
    cache: Cache | None = None
    read_only: bool = False

    @cached_property
    def plans(self) -> Objects:
        return Objects(self.url)

    @cached_property
    def events(self) -> Table:
        own, rules = self.schema.columns, self.schema.fingerprint
        return Table(f"{self.url}/events", EVENTS, PARTITIONS, own=own, rules=rules, **self._reached)

    @cached_property
    def quarantine(self) -> Table:
        return Table(f"{self.url}/quarantine", QUARANTINE, **self._reached)

    @cached_property
    def ledger(self) -> Table:
        return Table(f"{self.url}/ledger", LEDGER, LEDGER_PARTITIONS, **self._reached)

    @property
    def _reached(self) -> dict[str, Any]:
        return {"cache": self.cache, "read_only": self.read_only}

    @property
    def tables(self) -> tuple[tuple[Table, str], ...]:
        """Each table, with the order in which its rows lie best."""
        return (
            (self.events, "event_ts, source, event_id"),
            (self.quarantine, "bronze_file, bronze_line"),
            (self.ledger, "bronze_file, source, outcome, reason"),
        )

    def views(self, only: Collection[str] = NAMES) -> dict[str, str]:
        """Table name → SQL over the files of one moment; of a lake in a bucket these are fetched, so name what is read.

        The events' commit is the point of truth: of quarantine and ledger, which are written just before, only rows
        up to its batch are shown. So the three always belong together.
        """
        since = self.kept_since()
        kept = f"bronze_file >= '{day_folder(since)}'" if since else "true"
        found = {"events": self.events_sql()} if "events" in only else {}
        batch = self.events.batch(again=not found)  # else that of the very files
        if "quarantine" in only:
            rows = waiting(snapshot.read_sql(snapshot.files(self.quarantine), QUARANTINE), batch)
            found["quarantine"] = f"select * from ({rows}) where {kept}"
        if "ledger" in only:
            rows = snapshot.read_sql(snapshot.files(self.ledger), LEDGER, LEDGER_PARTITIONS)
            found["ledger"] = f"select * from ({rows}) where batch <= {batch} and {kept}"
        return found

    def events_sql(self, *, since: datetime | None = None) -> str:
        """SQL over the files of events that may hold one from `since` on."""
        only = None if since is None else snapshot.since(self.events.open(), since)
        return snapshot.rows_sql(self.events, self.events.shown(), PARTITIONS, only=only)

    def kept_since(self) -> date | None:
        """The day of arrival before which everything has expired."""
        return self.events.kept_since()


@dataclass(frozen=True)
class Lake:
    """`url` is a folder (`file:///…`) or a bucket with a prefix (`s3://…`); `schema` is what the settings add.

    `cache` is for a lake in a bucket; `read_only` if its tables are to be there, and stay as they are.
    """

    url: str
    schema: Schema = NOTHING_ADDED
    cache: Cache | None = None
    read_only: bool = False
    _generations: dict[str, Silver] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def bronze(self) -> Bronze:
        return Bronze(Objects(f"{self.url}/bronze"))

    @cached_property
    def _pointer(self) -> Objects:
        return Objects(f"{self.url}/silver")

    @property
    def silver(self) -> Silver:
        """The generation that is shown now; another after a rebuild, so ask again for each piece of work."""
        try:
            name = self._pointer.get(_CURRENT).decode()
        except FileNotFoundError:
            name = ""
        return self.generation(name)

    def generation(self, name: str) -> Silver:
        """That generation, whether it is shown or not; the same name gives the same object."""
        if name not in self._generations:
            url = f"{self.url}/silver/{name}".rstrip("/")
            self._generations[name] = Silver(url, name, self.schema, self.cache, self.read_only)
        return self._generations[name]

    def show(self, name: str) -> None:
        """From now on this generation is `silver`, for every reader and writer that asks."""
        self._pointer.put(_CURRENT, name.encode())
