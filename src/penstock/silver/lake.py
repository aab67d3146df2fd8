"""The lake: bronze objects, and silver in generations of three Delta tables, under one URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from ..bronze.layout import day_folder
from ..bronze.store import Bronze
from ..objects import Objects
from . import snapshot
from .columns import EVENTS, LEDGER, LEDGER_PARTITIONS, PARTITIONS, QUARANTINE
from .commit import APP, Table
from .quarantine import waiting
from .schema import NOTHING_ADDED, Schema

_CURRENT = "current"


@dataclass(frozen=True)
class Silver:
    """One generation: its tables, and the plans of the batches that fill them. The first has no name."""

    url: str
    generation: str = ""
    schema: Schema = NOTHING_ADDED

    @cached_property
    def plans(self) -> Objects:
        return Objects(self.url)

    @cached_property
    def events(self) -> Table:
        return Table(f"{self.url}/events", EVENTS, PARTITIONS, own=self.schema.columns, rules=self.schema.fingerprint)

    @cached_property
    def quarantine(self) -> Table:
        return Table(f"{self.url}/quarantine", QUARANTINE)

    @cached_property
    def ledger(self) -> Table:
        return Table(f"{self.url}/ledger", LEDGER, LEDGER_PARTITIONS)

    @property
    def tables(self) -> tuple[tuple[Table, str], ...]:
        """Each table, with the order in which its rows lie best."""
        return (
            (self.events, "event_ts, source, event_id"),
            (self.quarantine, "bronze_file, bronze_line"),
            (self.ledger, "bronze_file, source, outcome, reason"),
        )

    def views(self) -> dict[str, str]:
        """Table name → SQL over the files of one moment.

        The events' commit is the point of truth: of quarantine and ledger, which are written just before, only rows
        up to its batch are shown. So the three always belong together.
        """
        events = self.events.open()
        batch = events.transaction_version(APP) or 0
        ledger, quarantine = self.ledger.open(), self.quarantine.open()
        since = self.kept_since()
        kept = f"bronze_file >= '{day_folder(since)}'" if since else "true"
        return {
            "events": snapshot.rows_sql(self.events, self.events.shown(), PARTITIONS),
            "quarantine": "select * from ("
            + waiting(snapshot.read_sql(snapshot.files(quarantine), QUARANTINE), batch)
            + f") where {kept}",
            "ledger": "select * from ("
            + snapshot.read_sql(snapshot.files(ledger), LEDGER, LEDGER_PARTITIONS)
            + f") where batch <= {batch} and {kept}",
        }

    def events_sql(self, *, since: datetime | None = None) -> str:
        """SQL over the files of events that may hold one from `since` on."""
        only = None if since is None else snapshot.since(self.events.open(), since)
        return snapshot.rows_sql(self.events, self.events.shown(), PARTITIONS, only=only)

    def kept_since(self) -> date | None:
        """The day of arrival before which everything has expired."""
        return self.events.kept_since()


@dataclass(frozen=True)
class Lake:
    """`url` is a folder (`file:///…`) or a bucket with a prefix (`s3://…`); `schema` is what the settings add."""

    url: str
    schema: Schema = NOTHING_ADDED
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
            self._generations[name] = Silver(f"{self.url}/silver/{name}".rstrip("/"), name, self.schema)
        return self._generations[name]

    def show(self, name: str) -> None:
        """From now on this generation is `silver`, for every reader and writer that asks."""
        self._pointer.put(_CURRENT, name.encode())
