"""What a rebuild of a range leaves as it is → batch 1 of the new generation: files linked, or at its ends rewritten.

Every file says, in its statistics, from which objects its rows come; most hold rows of one side only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeVar

from . import snapshot
from .actions import DataFile
from .columns import LEDGER_PARTITIONS, Column
from .commit import Table
from .engines.duckdb import DuckDB
from .lake import Silver

_BATCH = 1
_T = TypeVar("_T")


class Range(NamedTuple):
    """Objects with `since` <= key < `until`, which are not carried over."""

    since: str
    until: str

    def holds(self, key: str) -> bool:
        return self.since <= key < self.until

    @property
    def others_sql(self) -> str:
        """The condition for rows of all other objects."""
        return f"not (bronze_file >= '{self.since}' and bronze_file < '{self.until}')"

    def has_none_of(self, file: DataFile) -> bool:
        return file.objects is not None and (file.objects[1] < self.since or file.objects[0] >= self.until)

    def has_all_of(self, file: DataFile) -> bool:
        return file.objects is not None and all(map(self.holds, file.objects))


def carry(old: Silver, new: Silver, left_out: Range) -> None:
    """Does nothing if it was done. The worker may go on with `old` meanwhile."""
    if new.events.batch() >= _BATCH:
        return
    old.events.check()
    views, linked, mixed = _at_one_moment(
        old, lambda: (old.views(("quarantine", "ledger")), *_others(old.events, new.events, left_out))
    )
    engine = DuckDB()
    try:
        with TemporaryDirectory(prefix="penstock-") as temporary:
            stage = Path(temporary)
            others: list[tuple[Table, str, tuple[Column, ...]]] = [
                (new.quarantine, "quarantine", ()),
                (new.ledger, "ledger", LEDGER_PARTITIONS),
            ]
            for table, name, partitions in others:
                rows = f"select * replace ({_BATCH}::bigint as batch) from ({views[name]}) where {left_out.others_sql}"
                written = engine.write(rows, table.folder(stage), table.columns, partitions)
                table.make_durable(written, stage)
                table.commit_again(_BATCH, written)
            for file in linked:
                new.events.link(old.events, file.path)
            carried = list(linked)
            for partition, rows in mixed:
                kept = f"select * from ({rows}) where {left_out.others_sql}"
                carried += engine.write_partition(kept, new.events.folder(stage), new.events.columns, partition)
            new.events.make_durable(carried, stage)
            new.events.commit(_BATCH, carried)
    finally:
        engine.close()


def _at_one_moment(old: Silver, look: Callable[[], _T]) -> _T:
    """What `look` sees while nothing is committed: its tables and files belong together."""
    while True:
        version = old.events.version()
        seen = look()
        if old.events.version() == version:
            return seen


def _others(
    old: Table, new: Table, left_out: Range
) -> tuple[list[DataFile], list[tuple[Mapping[str, str | None], str]]]:
    """Files with no row of the range, which both generations then share; and (partition, rows) of those with some."""
    files = old.files()
    linked = [file for file in files if left_out.has_none_of(file)]
    mixed = [file for file in files if not left_out.has_none_of(file) and not left_out.has_all_of(file)]
    return linked, [(file.partition, snapshot.rows_sql(old, new.columns, only=[file.path])) for file in mixed]
