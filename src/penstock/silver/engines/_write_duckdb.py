"""Rows of a query in DuckDB → Parquet files with statistics, as Delta's log tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import uuid_utils

from ..actions import DataFile
from ..columns import Column

ROW_GROUP = 122_880
# Ids repeat too little for a dictionary; giving up on one early, and zstd's first level, halve the time of writing.
_ENCODING = f"compression zstd, compression_level 1, dictionary_size_limit 10000, row_group_size {ROW_GROUP}"


def column_list(columns: Iterable[Column]) -> str:
    return ", ".join(f'"{column.name}"' for column in columns)


def write(
    db: duckdb.DuckDBPyConnection,
    sql: str,
    folder: Path,
    columns: Sequence[Column],
    partitions: Sequence[Column] = (),
) -> list[DataFile]:
    """The rows of `sql` as Parquet in `folder`; file names are new each time, so nothing is ever overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    by = f"partition_by ({column_list(partitions)})" if partitions else "per_thread_output"
    rows = _copy(db, sql, folder, f", {by}, filename_pattern 'part-{{uuidv7}}', overwrite_or_ignore")
    return [_data_file(folder, row, columns) for row in rows if row["count"]]


def write_partition(
    db: duckdb.DuckDBPyConnection,
    sql: str,
    folder: Path,
    columns: Sequence[Column],
    partition: Mapping[str, str | None],
) -> list[DataFile]:
    """The rows of `sql`, in their order, as one file of one partition of the table in `folder`."""
    inner = "/".join(f"{name}={'__HIVE_DEFAULT_PARTITION__' if v is None else v}" for name, v in partition.items())
    path = Path(inner) / f"part-{uuid_utils.uuid7()}.parquet"
    (folder / inner).mkdir(parents=True, exist_ok=True)
    db.execute("set preserve_insertion_order = true")
    (row,) = _copy(db, sql, folder / path, "")
    return [replace(_data_file(folder, row, columns), partition=partition)] if row["count"] else []


def _copy(db: duckdb.DuckDBPyConnection, sql: str, target: Path, options: str) -> list[dict[str, Any]]:
    """Write Parquet; gives one row of statistics per file."""
    rows = db.execute(f"copy ({sql}) to '{_quoted(target)}' (format parquet, {_ENCODING}, return_stats{options})")
    found = [field[0] for field in rows.description or ()]
    return [dict(zip(found, row, strict=True)) for row in rows.fetchall()]


def _quoted(folder: Path) -> str:
    return str(folder).replace("'", "''")


def _data_file(folder: Path, row: Mapping[str, Any], columns: Sequence[Column]) -> DataFile:
    """What `return_stats` says of one file, in Delta's words."""
    types = {column.name: column.type for column in columns}
    low, high, nulls = {}, {}, {}
    for quoted, stats in row["column_statistics"].items():
        name = quoted.strip('"')
        nulls[name] = int(stats["null_count"])
        if _has_bounds(name, types[name], stats):
            low[name], high[name] = (_delta_value(stats[side], types[name]) for side in ("min", "max"))
    partition = {
        name: None if value in (None, "__HIVE_DEFAULT_PARTITION__") else str(value)
        for name, value in (row["partition_keys"] or {}).items()
    }
    return DataFile(
        path=str(Path(row["filename"]).relative_to(folder)),
        size_bytes=row["file_size_bytes"],
        partition=partition,
        stats={"numRecords": row["count"], "minValues": low, "maxValues": high, "nullCount": nulls},
    )


def _has_bounds(name: str, type_: str, stats: Mapping[str, str]) -> bool:
    """Times and numbers, and the one text that is looked up by range; never a bound that was cut short."""
    if "min" not in stats or "false" in (stats["min_is_exact"], stats["max_is_exact"]):
        return False
    return type_ in ("TIMESTAMPTZ", "BIGINT", "INTEGER") or name == "bronze_file"


def _delta_value(text: str, type_: str) -> str | int:
    if type_ == "TIMESTAMPTZ":
        return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return text if type_ == "VARCHAR" else int(text)
