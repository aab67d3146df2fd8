"""The rollups: name, key columns and grain; the SQL of each is `sql/<name>.sql`. Adding one is a line and a file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Rollup:
    """`sql` gives rows (bucket, *keys, *values) from a table `events` that holds whole buckets."""

    name: str
    keys: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def sql(self) -> str:
        return (files("penstock.gold") / "sql" / f"{self.name}.sql").read_text()


ROLLUPS = (Rollup("event_counts", keys=("event_type",), values=("events", "bot_events")),)
