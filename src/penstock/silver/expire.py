"""Days that are over → gone from events, quarantine and ledger alike, by the day on which their objects arrived.

One commit of the events says from which day on things are kept; from then on no reader sees what is older, so that the
other two tables, which are cut behind it, always agree with the first.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from ..bronze.layout import day_folder
from . import snapshot
from .actions import DataFile
from .commit import Table
from .engines.duckdb import DuckDB
from .lake import Silver


class Expired(NamedTuple):
    """Files of events that were dropped whole, and that were written again without their old rows."""

    dropped: int = 0
    rewritten: int = 0


def expire(silver: Silver, before: date) -> Expired:
    """Drop all that arrived before that day (UTC); repeatable. A day that was dropped once stays dropped."""
    first = max(before, silver.kept_since() or before)
    bound = day_folder(first)
    old, new, done = _cut(silver.events, bound)
    if old or silver.kept_since() != first:
        silver.events.cut(old, new, first)
    for table in (silver.quarantine, silver.ledger):
        old, new, _ = _cut(table, bound)
        if old:
            table.cut(old, new)
    return done


def _cut(table: Table, bound: str) -> tuple[list[str], list[DataFile], Expired]:
    """Files with rows of objects before `bound`, and durable files with the other rows of these."""
    found = table.files()
    over = [file.path for file in found if file.objects and file.objects[1] < bound]
    mixed = [file for file in found if not file.objects or file.objects[0] < bound <= file.objects[1]]
    new: list[DataFile] = []
    engine = DuckDB()
    try:
        with TemporaryDirectory(prefix="penstock-") as temporary:
            stage = Path(temporary)
            for file in mixed:
                rows = snapshot.rows_sql(table, table.stored(), only=[file.path])
                kept = f"select * from ({rows}) where bronze_file >= '{bound}'"
                new += engine.write_partition(kept, table.folder(stage), table.stored(), file.partition)
            table.make_durable(new, stage)
    finally:
        engine.close()
    return [*over, *(file.path for file in mixed)], new, Expired(len(over), len(mixed))
