"""A Delta table at one version → the Parquet files that a question needs, chosen by partition and statistics."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from urllib.parse import unquote

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from .columns import Column


def files(table: DeltaTable) -> list[str]:
    """Paths (or URLs) of every file of this version."""
    return sorted(table.file_uris())


def read_sql(paths: Iterable[str], columns: Iterable[Column], partitions: Iterable[Column] = ()) -> str:
    """SQL for the rows of `paths`; an empty list gives no rows of the right types."""
    listed = ", ".join("'" + _as_duckdb_reads(path).replace("'", "''") + "'" for path in paths)
    names = [*columns, *partitions]
    if not listed:
        return "select " + ", ".join(f"null::{c.type} as {c.name}" for c in names) + " where false"
    hive = ", ".join(f"{c.name}: {c.type}" for c in partitions)
    options = f", hive_partitioning = true, hive_types = {{{hive}}}" if hive else ", hive_partitioning = false"
    return f"select {', '.join(c.name for c in names)} from read_parquet([{listed}]{options})"


def _as_duckdb_reads(path: str) -> str:
    """delta-rs writes local paths as in a URL, `my%20data`; DuckDB takes them as they are."""
    local = path.startswith(("/", "file://"))
    return unquote(path.removeprefix("file://")) if local else path


def may_hold(table: DeltaTable, hours: Collection[datetime], *, also_unplaced: bool) -> list[str]:
    """Files that may hold an event that happened, by our clock or by the sender's, in one of `hours`.

    A copy that is sent again is corrected by another delay, or clamped to another time of receipt, and so may lie in
    another hour than the first; but both carry the same time by the sender's clock.
    """
    return _matching(
        table,
        hours,
        """
        exists (select 1 from wanted as w
                where coalesce("min.event_ts" < w.hour + interval 1 hour and "max.event_ts" >= w.hour, true)
                   or ("min.client_ts" < w.hour + interval 1 hour and "max.client_ts" >= w.hour))
        or ($unplaced and coalesce("null_count.client_ts", 0) > 0
            and "max.event_ts" >= (select max(hour) - interval 7 days from wanted))
        """,
        {"unplaced": also_unplaced},
    )


def holding(table: DeltaTable, hours: Collection[datetime]) -> list[str]:
    """Files that may hold an event of one of `hours`, by our clock."""
    return _matching(
        table,
        hours,
        """exists (select 1 from wanted as w
                   where coalesce("min.event_ts" < w.hour + interval 1 hour and "max.event_ts" >= w.hour, true))""",
        {},
    )


def _matching(table: DeltaTable, hours: Collection[datetime], condition: str, parameters: dict[str, bool]) -> list[str]:
    """Files whose statistics meet `condition`, which sees one file's statistics and the table `wanted` (hour).

    A file of another writer may come without statistics; it may hold anything.
    """
    actions = pa.table(table.get_add_actions(flatten=True)) if hours else None
    if actions is None or not actions.num_rows:
        return []
    wanted = pa.table({"hour": pa.array(sorted(hours), pa.timestamp("us", tz="UTC"))})
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("actions", actions)
        connection.register("wanted", wanted)
        rows = connection.execute(f"select path from actions where {condition} order by path", parameters).fetchall()
    root = table.table_uri.rstrip("/")
    return [f"{root}/{row[0]}" for row in rows]
