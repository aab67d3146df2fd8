"""Rollups in one SQLite file, a table for each; which silver they show is in the same file."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from ...objects import local_path, make_folder
from ..catalog import ROLLUPS, Rollup, definitions
from ..layout import plain, typed
from . import Bucket, Row, Shown

_TYPES = {"BIGINT": "integer"}
"""Others are text: SQLite has no exact decimals, and times and days sort as text."""
_SHOWN = "create table shown (rollup text primary key, silver text, version integer)"


def open(url: str) -> SQLite:
    """`url` is `sqlite:///folder/file.db`."""
    path = local_path("file" + url.removeprefix("sqlite"))
    assert path is not None
    return SQLite(path)


class SQLite:
    """Opens or makes the file. One that was made by other definitions of the rollups is emptied, to be made again."""

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._prepare()

    def _prepare(self) -> None:
        wanted = [_SHOWN, *map(_table, ROLLUPS)]
        if self._version() == (mark := _mark(wanted)):
            return
        self._db.execute("begin immediate")
        if self._version() != mark:  # nobody else was faster
            for (name,) in self._db.execute("select name from sqlite_master where type = 'table'").fetchall():
                self._db.execute(f'drop table "{name}"')
            for statement in wanted:
                self._db.execute(statement)
            self._db.execute(f"pragma user_version = {mark}")
        self._db.execute("commit")

    def _version(self) -> int:
        [(version,)] = self._db.execute("pragma user_version").fetchall()
        return int(version)

    def shown(self) -> dict[str, Shown]:
        return {name: Shown(*told) for name, *told in self._db.execute("select rollup, silver, version from shown")}

    def finish(self, names: Collection[str], shown: Shown) -> None:
        self._change("insert or replace into shown values (?, ?, ?)", [(name, *shown) for name in names])

    def replace(self, rollup: Rollup, buckets: Sequence[Bucket], rows: Sequence[Row]) -> None:
        marks = ", ".join("?" * len(rollup.columns))
        self._change(
            f"delete from {rollup.name} where bucket = ?",
            [(plain(bucket),) for bucket in buckets],
            f"insert into {rollup.name} values ({marks})",
            [tuple(map(_stored, row)) for row in rows],
        )

    def _change(self, *statements: Any) -> None:
        """Pairs of a statement and its rows, all of them or none."""
        self._db.execute("begin immediate")
        try:
            for statement, rows in zip(statements[::2], statements[1::2], strict=True):
                self._db.executemany(statement, rows)
            self._db.execute("commit")
        except BaseException:
            self._db.execute("rollback")
            raise

    def buckets(self, rollup: Rollup) -> set[Any]:
        rows = self._db.execute(f"select distinct bucket from {rollup.name}")
        return {typed(rollup.bucket.type, text) for (text,) in rows}

    def read(self, rollup: Rollup, since: Bucket | None = None, until: Bucket | None = None) -> list[Row]:
        bounds = {">=": since, "<": until}
        where = " and ".join(["true", *(f"bucket {sign} ?" for sign, bound in bounds.items() if bound is not None)])
        rows = self.query(
            f"select * from {rollup.name} where {where} order by bucket",
            [plain(bound) for bound in bounds.values() if bound is not None],
        )
        return _rows(rollup, rows)

    def read_key(self, rollup: Rollup, key: str, since: Bucket, until: Bucket) -> list[Row]:
        rows = self.query(
            f"select * from {rollup.name} where {rollup.keys[0].name} = ? and bucket between ? and ? order by bucket",
            [key, plain(since), plain(until)],
        )
        return _rows(rollup, rows)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """SQLite's SQL over the tables of the rollups."""
        return self._db.execute(sql, parameters).fetchall()

    def close(self) -> None:
        self._db.close()


def _rows(rollup: Rollup, rows: Sequence[tuple[Any, ...]]) -> list[Row]:
    kinds = [column.type for column in rollup.columns]
    odd = [place for place, kind in enumerate(kinds) if kind not in ("BIGINT", "VARCHAR")]
    return [_typed(row, kinds, odd) for row in rows]


def _typed(row: tuple[Any, ...], kinds: Sequence[str], odd: Sequence[int]) -> Row:
    found = list(row)
    for place in odd:
        found[place] = typed(kinds[place], row[place])
    return tuple(found)


def _stored(value: Any) -> Any:
    found = plain(value)
    return found if found is None or isinstance(found, int | str) else f"{found:f}"


def _table(rollup: Rollup) -> str:
    columns = ", ".join(f"{column.name} {_TYPES.get(column.type, 'text')}" for column in rollup.columns)
    keys = ", ".join(column.name for column in (rollup.bucket, *rollup.keys))
    return f"create table {rollup.name} ({columns}, primary key ({keys}))"


def _mark(statements: Sequence[str]) -> int:
    """Another number for other tables, or for other rows in them."""
    texts = [*statements, *definitions()]
    return zlib.crc32("\n".join(texts).encode()) >> 1 or 1
