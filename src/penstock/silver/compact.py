"""The job that takes a table's many small files → few large ones, partition by partition, sorted; rows stay the same.

A reader sees the files of before or of after, never a mix: one commit removes the old and adds the new, and says that
no data changed. The old files stay on disk for a while, for readers that began before; then `vacuum` removes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pyarrow as pa

from .actions import DataFile
from .commit import Table
from .engines.duckdb import DuckDB
from .snapshot import rows_sql

SMALL_BYTES = 32 << 20
MANY = 24
"""So many small files in one partition are worth a large one; a partition then never has many more."""


class Compacted(NamedTuple):
    """`files_before` became `files_after`; both 0 if there was nothing to do."""

    files_before: int = 0
    files_after: int = 0

    def __add__(self, other: object) -> Compacted:
        assert isinstance(other, Compacted)
        return Compacted(self.files_before + other.files_before, self.files_after + other.files_after)


def compact(table: Table, order_by: str, *, many: int = MANY) -> Compacted:
    """Merge the small files of every partition that has at least `many` of them."""
    done = Compacted()
    for partition, paths in _worth_it(table, many):
        new = _merged(table, partition, paths, order_by)
        table.replace(paths, new)
        done += Compacted(len(paths), len(new))
    return done


def _worth_it(table: Table, many: int) -> list[tuple[dict[str, str | None], list[str]]]:
    """(partition, its small files), for each that has many."""
    actions = pa.table(table.open().get_add_actions(flatten=True))
    if not actions.num_rows:
        return []
    names = [column.name for column in table.partitions]
    found: dict[tuple[object, ...], list[str]] = {}
    for row in actions.select(["path", "size_bytes", *(f"partition.{name}" for name in names)]).to_pylist():
        if row["size_bytes"] < SMALL_BYTES:
            found.setdefault(tuple(row[f"partition.{name}"] for name in names), []).append(row["path"])
    return [
        ({n: None if v is None else str(v) for n, v in zip(names, values, strict=True)}, sorted(paths))
        for values, paths in sorted(found.items(), key=str)
        if len(paths) >= many
    ]


def _merged(table: Table, partition: dict[str, str | None], paths: Sequence[str], order_by: str) -> list[DataFile]:
    """The rows of `paths` as new, durable files of the same partition."""
    engine = DuckDB()
    try:
        with TemporaryDirectory(prefix="penstock-") as stage:
            columns = table.stored()
            sql = f"select * from ({rows_sql(table, columns, only=paths)}) order by {order_by}"
            folder = table.folder(Path(stage))
            new = engine.write_partition(sql, folder, columns, partition)
            table.make_durable(new, Path(stage))
            return new
    finally:
        engine.close()
