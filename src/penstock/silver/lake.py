"""The lake: bronze objects and the three Delta tables of silver, under one URL."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..objects import Objects
from . import snapshot
from .columns import EVENTS, LEDGER, LEDGER_PARTITIONS, PARTITIONS, QUARANTINE
from .commit import APP, Table


@dataclass(frozen=True)
class Lake:
    """`url` is a folder (`file:///…`) or a bucket with a prefix (`s3://…`)."""

    url: str

    @cached_property
    def bronze(self) -> Objects:
        return Objects(f"{self.url}/bronze")

    @cached_property
    def silver(self) -> Objects:
        return Objects(f"{self.url}/silver")

    @cached_property
    def events(self) -> Table:
        return Table(f"{self.url}/silver/events", EVENTS, PARTITIONS)

    @cached_property
    def quarantine(self) -> Table:
        return Table(f"{self.url}/silver/quarantine", QUARANTINE)

    @cached_property
    def ledger(self) -> Table:
        return Table(f"{self.url}/silver/ledger", LEDGER, LEDGER_PARTITIONS)

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
        return {
            "events": snapshot.read_sql(snapshot.files(events), EVENTS, PARTITIONS),
            "quarantine": "select * from ("
            + snapshot.read_sql(snapshot.files(quarantine), QUARANTINE)
            + f") where batch <= {batch}",
            "ledger": "select * from ("
            + snapshot.read_sql(snapshot.files(ledger), LEDGER, LEDGER_PARTITIONS)
            + f") where batch <= {batch}",
        }
