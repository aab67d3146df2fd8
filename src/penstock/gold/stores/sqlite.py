"""Rollups in one SQLite file: (bucket, keys) → values; the silver version they show is in the same file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...objects import make_folder
from ..catalog import ROLLUPS, Rollup


class Store:
    """Opens or makes the file. Buckets are stored as ISO text in UTC, so SQLite sorts them by time."""

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.execute("create table if not exists silver (version integer)")
        for rollup in ROLLUPS:
            keys = ("bucket", *rollup.keys)
            columns = ", ".join([*(f"{key} text" for key in keys), *rollup.values])
            self._db.execute(
                f"create table if not exists {rollup.name} ({columns}, primary key ({', '.join(keys)})) without rowid"
            )

    def version(self) -> int | None:
        """The silver version that the rollups show, or None if they show nothing yet."""
        row = self._db.execute("select max(version) from silver").fetchone()
        return None if row is None else row[0]

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

    def clear(self) -> None:
        """Forget everything, to be computed again."""
        for rollup in ROLLUPS:
            self._db.execute(f"delete from {rollup.name}")

    def finish(self, version: int) -> None:
        """All rollups show silver's `version` now."""
        self._db.execute("begin immediate")
        self._db.execute("delete from silver")
        self._db.execute("insert into silver values (?)", (version,))
        self._db.execute("commit")

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, parameters).fetchall()

    def close(self) -> None:
        self._db.close()


def bucket_text(moment: datetime) -> str:
    """`2026-02-01T12:00Z`"""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
