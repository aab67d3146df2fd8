"""A Delta table of gold, partitioned by day: made, read, and its days replaced by others, all of a refresh at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from ..cache import Cache
from ..objects import Objects
from ..silver import snapshot
from ..silver.actions import DataFile
from ..silver.columns import Column, arrow
from ..silver.commit import Table
from ..silver.engines.duckdb import DuckDB

DAY = timedelta(days=1)
DAYS = (Column("day", "DATE", "on which it happened, or began, UTC"),)


def table(lake_url: str, name: str, columns: Sequence[Column], cache: Cache | None = None) -> Table:
    """The lake's table; one that was made with other columns is deleted, to be made again."""
    found = Table(f"{lake_url}/gold/{name}", columns, DAYS, cache=cache)
    if pa.schema(found.open().schema().to_arrow()) == arrow([*columns, *DAYS]):
        return found
    Objects(f"{lake_url}/gold").delete_folder(name)
    return Table(found.url, columns, DAYS, cache=cache)


def bookmark(table: Table) -> str:
    """The name under which a store says which silver the table shows; another when the table was made anew."""
    return f"{table.url.rsplit('/', 1)[1]} {table.open().metadata().id}"


def days(table: Table) -> set[date]:
    """Those that have a row."""
    return {_day(file) for file in table.files()}


def sql(table: Table) -> str:
    """SQL for all rows."""
    return snapshot.read_sql(snapshot.files(table), table.columns, DAYS)


class Replacement:
    """Days that were worked out, written but not yet part of the table; then `commit` puts all of them in at once."""

    def __init__(self, table: Table, engine: DuckDB) -> None:
        self._table = table
        self._engine = engine
        self._old: list[str] = []
        self._new: list[DataFile] = []
        self._there: dict[date, list[str]] = {}
        self._made_at = table.version()
        for file in table.files():
            self._there.setdefault(_day(file), []).append(file.path)

    def add(self, sql: str, some: Collection[date], order: str) -> None:
        """These days are now as `sql` has them, which has a column `day`; one that is as it was stays as it lies."""
        for day in sorted(some):
            old = self._there.get(day, [])
            rows = f"select {self._names} from ({sql}) where day = date '{day}'"
            lay = snapshot.rows_sql(self._table, self._table.columns, DAYS, only=old)
            before = f"select {self._names} from ({lay})"
            # of a new day nothing was before
            changes = f"({rows} except {before}) union all ({before} except {rows})" if old else rows
            if self._engine.ask(f"select 1 from ({changes}) limit 1"):
                self._write(day, f"{rows} order by {order}")
                self._old += old

    def put(self, sql: str, day: date) -> str:
        """This day is now as `sql` has it, in no certain order; returns SQL for what was written."""
        with TemporaryDirectory(prefix="penstock-") as temporary:
            folder = self._table.folder(Path(temporary))
            inner = f"day={day.isoformat()}"
            rows = self._engine.write(f"select {self._names} from ({sql})", folder / inner, self._table.columns)
            found = [replace(file, path=f"{inner}/{file.path}", partition={"day": day.isoformat()}) for file in rows]
            self._table.make_durable(found, Path(temporary))
        self._old += self._there.get(day, [])
        self._new += found
        return snapshot.read_sql(self._table.here((file.path for file in found), found), self._table.columns, DAYS)

    @property
    def _names(self) -> str:
        return ", ".join(column.name for column in self._table.columns)

    def _write(self, day: date, ordered: str) -> None:
        with TemporaryDirectory(prefix="penstock-") as temporary:
            stage = Path(temporary)
            folder = self._table.folder(stage)
            found = self._engine.write_partition(ordered, folder, self._table.columns, {"day": day.isoformat()})
            self._table.make_durable(found, stage)
        self._new += found

    def commit(self) -> None:
        if self._old or self._new:
            self._table.cut(self._old, self._new, made_at=self._made_at)


def _day(file: DataFile) -> date:
    return date.fromisoformat(str(file.partition["day"]))
