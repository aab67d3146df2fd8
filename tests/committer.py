"""A process that commits to a Delta table without end and prints each batch number once it is committed.

Arguments: the table's URL, and `unsynced` to write as delta-rs does by itself. Batch n holds one row, n.
"""

from __future__ import annotations

import itertools
import os
import sys

import pyarrow as pa
import pyarrow.parquet as pq

from penstock.objects import make_folder, sync_file, sync_folder
from penstock.silver.actions import DataFile
from penstock.silver.columns import Column
from penstock.silver.commit import Table

COLUMNS = (Column("id", "BIGINT", "the number of its batch, where a test does not say otherwise"),)
PARTITIONS = (Column("hour", "INTEGER", "a folder"),)


def table_at(url: str) -> Table:
    return Table(url, COLUMNS, PARTITIONS)


def data_file(table: Table, name: str, *ids: int, hour: int = 0) -> DataFile:
    """A durable Parquet file with these rows."""
    assert table.root is not None
    folder = table.root / f"hour={hour}"
    make_folder(folder)
    path = folder / f"{name}.parquet"
    pq.write_table(pa.table({"id": pa.array(ids, pa.int64())}), path)
    sync_file(path)
    sync_folder(folder)
    stats = {
        "numRecords": len(ids),
        "minValues": {"id": min(ids)},
        "maxValues": {"id": max(ids)},
        "nullCount": {"id": 0},
    }
    return DataFile(f"hour={hour}/{path.name}", path.stat().st_size, {"hour": str(hour)}, stats)


def main(url: str, *also: str) -> None:
    table = table_at(url)
    if "unsynced" in also:
        table.open()
        os.fsync = lambda fd: None
    for batch in itertools.count(table.batch() + 1):
        assert table.commit(batch, [data_file(table, f"part-{batch}", batch)])
        sys.stdout.write(f"{batch}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
