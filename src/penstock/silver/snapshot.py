"""A Delta table at one version → the Parquet files that a question needs, chosen by partition and statistics."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from .columns import Column
from .commit import Table

_COMMITS = 200


def files(table: Table) -> list[str]:
    """Where DuckDB reads every file of this version."""
    return table.here(sorted(table.sizes()))


def rows_sql(
    table: Table, columns: Sequence[Column], partitions: Sequence[Column] = (), *, only: Collection[str] | None = None
) -> str:
    """SQL for the rows of the table's files, or of `only` those paths; a column that a file lacks is null there.

    The statistics say what a file holds. Only a file of another writer, who gives none, is looked into.
    """
    late = [column for column in columns if column not in table.always]
    if not late:
        return read_sql(files(table) if only is None else table.here(only), columns, partitions)
    parts = [
        read_sql(table.here(paths), columns, partitions, lacking=lacking)
        for lacking, paths in _by_what_they_lack(table.open(), table.always[-1], late, only).items()
    ]
    return " union all ".join(parts) or read_sql([], columns, partitions)


def _by_what_they_lack(
    handle: DeltaTable, always: Column, late: Sequence[Column], only: Collection[str] | None
) -> dict[tuple[str, ...] | None, list[str]]:
    """Columns → the files that lack just these; None → files that do not say."""
    actions = pa.table(handle.get_add_actions(flatten=True))
    nothing: list[int | None] = [None] * actions.num_rows

    def nulls(column: Column) -> list[int | None]:
        name = f"null_count.{column.name}"
        return list(actions[name].to_pylist()) if name in actions.column_names else nothing

    each = zip(*(nulls(column) for column in late), strict=True)
    found: dict[tuple[str, ...] | None, list[str]] = {}
    for path, known, counts in sorted(zip(actions["path"].to_pylist(), nulls(always), each, strict=True)):
        if only is None or path in only:
            lacking = tuple(c.name for c, count in zip(late, counts, strict=True) if count is None)
            found.setdefault(lacking if known is not None else None, []).append(path)
    return found


def read_sql(
    paths: Iterable[str],
    columns: Iterable[Column],
    partitions: Iterable[Column] = (),
    *,
    lacking: Collection[str] | None = (),
) -> str:
    """SQL for the rows of `paths`; an empty list gives no rows of the right types.

    `lacking` names columns that are in none of the files; None says that it is not known which are.
    """
    listed = _listed(paths)
    names = [*columns, *partitions]
    nothing = "select " + ", ".join(f'null::{c.type} as "{c.name}"' for c in names) + " where false"
    if not listed:
        return nothing
    hive = ", ".join(f"{c.name}: {c.type}" for c in partitions)
    options = f", hive_partitioning = true, hive_types = {{{hive}}}" if hive else ", hive_partitioning = false"
    if lacking is None:
        whatever = f"select * from read_parquet([{listed}]{options}, union_by_name = true)"
        values = ", ".join(f'"{c.name}"::{c.type} as "{c.name}"' for c in names)
        return f"select {values} from ({nothing} union all by name {whatever})"
    values = ", ".join(f'null::{c.type} as "{c.name}"' if c.name in lacking else f'"{c.name}"' for c in names)
    return f"select {values} from read_parquet([{listed}]{options})"


def _listed(paths: Iterable[str]) -> str:
    return ", ".join("'" + path.replace("'", "''") + "'" for path in paths)


def may_hold(table: Table, hours: Collection[datetime], *, also_unplaced: bool) -> list[str]:
    """Paths, within the table, of files that may hold an event that happened, by either clock, in one of `hours`.

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


def since(table: DeltaTable, moment: datetime) -> list[str]:
    """Paths, within the table, of files that may hold an event from `moment` on."""
    actions = pa.table(table.get_add_actions(flatten=True))
    latest = actions["max.event_ts"].to_pylist() if "max.event_ts" in actions.column_names else [None] * len(actions)
    each = zip(actions["path"].to_pylist(), latest, strict=True)
    return [path for path, last in each if last is None or last >= moment]


def committed(table: DeltaTable, version: int) -> datetime:
    """When that version was committed; reads the log from there on."""
    entries = table.history(max(1, table.version() - version + 1))
    return datetime.fromtimestamp(entries[-1]["timestamp"] / 1000, UTC)


class Span(NamedTuple):
    """When the first event happened, and when the last one came; None without events."""

    first: datetime | None
    newest: datetime | None


def span(table: DeltaTable) -> Span:
    """By the statistics, so it reads no data; a file of another writer may have none and is not seen."""
    actions = pa.table(table.get_add_actions(flatten=True))
    names = set(actions.column_names)
    first = pc.min(actions["min.event_ts"]).as_py() if "min.event_ts" in names else None
    newest = pc.max(actions["max.received_at"]).as_py() if "max.received_at" in names else None
    return Span(first, newest)


def count(table: Table) -> int:
    """How many rows it has, by the statistics; only files of another writer, who gives none, are looked into."""
    actions = pa.table(table.open().get_add_actions(flatten=True))
    told = dict(zip(actions["path"].to_pylist(), actions["num_records"].to_pylist(), strict=True))
    untold = table.here(path for path, rows in told.items() if rows is None)
    known = int(sum(rows for rows in told.values() if rows is not None))
    if not untold:
        return known
    with duckdb.connect() as connection:
        [(rows,)] = connection.execute(f"select count(*) from read_parquet([{_listed(untold)}])").fetchall()
    return known + int(rows)


def maintained(table: DeltaTable) -> datetime | None:
    """When its files were last merged, cut or vacuumed, by the newest commits: those that bring no batch."""
    for commit in table.history(_COMMITS):
        told = commit.get("operation", "")
        if told.startswith("VACUUM") or (told == "WRITE" and "penstock.batch" not in commit):
            return datetime.fromtimestamp(commit["timestamp"] / 1000, UTC)
    return None


def holding(table: Table, hours: Collection[datetime]) -> list[str]:
    """Where files lie that may hold an event of one of `hours`, by our clock."""
    paths = _matching(
        table,
        hours,
        """exists (select 1 from wanted as w
                   where coalesce("min.event_ts" < w.hour + interval 1 hour and "max.event_ts" >= w.hour, true))""",
        {},
    )
    return table.here(paths)


def _matching(table: Table, hours: Collection[datetime], condition: str, parameters: dict[str, bool]) -> list[str]:
    """Paths of files whose statistics meet `condition`, which sees one file's statistics and the table `wanted` (hour).

    A file of another writer may come without statistics; it may hold anything.
    """
    actions = pa.table(table.open().get_add_actions(flatten=True)) if hours else None
    if actions is None or not actions.num_rows:
        return []
    wanted = pa.table({"hour": pa.array(sorted(hours), pa.timestamp("us", tz="UTC"))})
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("actions", actions)
        connection.register("wanted", wanted)
        rows = connection.execute(f"select path from actions where {condition} order by path", parameters).fetchall()
    return [row[0] for row in rows]
