"""Rollups in one SQLite file: (bucket, keys) → values; the silver version they show is in the same file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ...objects import make_folder
from ..catalog import ROLLUPS, Rollup

_BUCKET = "%Y-%m-%dT%H:%MZ"


class Shown(NamedTuple):
    """Which silver the rollups show: `table` is the id that Delta gave it, new when silver was made anew."""

    table: str
    version: int


class Store:
    """Opens or makes the file. Buckets are stored as ISO text in UTC, so SQLite sorts them by time."""

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.execute("create table if not exists shown (silver text, version integer)")
        for rollup in ROLLUPS:
            keys = ("bucket", *rollup.keys)
            columns = ", ".join([*(f"{key} text" for key in keys), *rollup.values])
            self._db.execute(
                f"create table if not exists {rollup.name} ({columns}, primary key ({', '.join(keys)})) without rowid"
            )

    def shown(self) -> Shown | None:
        """What the rollups show, or None if they show nothing yet."""
        row = self._db.execute("select silver, version from shown").fetchone()
        return None if row is None else Shown(*row)

    def version(self) -> int | None:
        """The silver version that the rollups show, or None if they show nothing yet."""
        shown = self.shown()
        return None if shown is None else shown.version

    def buckets(self) -> set[datetime]:
        """Every bucket that any rollup has a row for."""
        sql = " union ".join(f"select bucket from {rollup.name}" for rollup in ROLLUPS)
        return {bucket_moment(text) for (text,) in self._db.execute(sql)}

    def replace(self, rollup: Rollup, buckets: Sequence[datetime], rows: Sequence[Sequence[Any]]) -> None:
        """Put `rows` in place of everything in `buckets`, in one transaction."""
        marks = ", ".join("?" * (1 + len(rollup.keys) + len(rollup.values)))
        self._db.execute("begin immediate")
        try:
            self._db.executemany(
                f"delete from {rollup.name} where bucket = ?", [(bucket_text(bucket),) for bucket in buckets]
            )
            self._db.executemany(
                f"insert into {rollup.name} values ({marks})", [(bucket_text(row[0]), *row[1:]) for row in rows]
            )
            self._db.execute("commit")
        except BaseException:
            self._db.execute("rollback")
            raise

    def finish(self, shown: Shown) -> None:
        """All rollups show this now."""
        self._db.execute("begin immediate")
        self._db.execute("delete from shown")
        self._db.execute("insert into shown values (?, ?)", shown)
        self._db.execute("commit")

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, parameters).fetchall()

    def close(self) -> None:
        self._db.close()


def bucket_text(moment: datetime) -> str:
    """`2026-02-01T12:00Z`"""
    return moment.astimezone(UTC).strftime(_BUCKET)


def bucket_moment(text: str) -> datetime:
    return datetime.strptime(text, _BUCKET).replace(tzinfo=UTC)
