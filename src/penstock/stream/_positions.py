"""Where each consumer stands in each shard of the SQLite stream, and where its batches were cut; in one small file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_SCHEMA = """
create table if not exists positions (consumer text, shard text, next integer, primary key (consumer, shard));
create table if not exists cuts (consumer text, shard text, first integer, last integer,
                                 primary key (consumer, shard, first));
"""


class Positions:
    """Every change is durable when the call returns."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.executescript(_SCHEMA)

    def next(self, consumer: str, shard: str) -> int:
        """The first offset that the consumer has not committed."""
        row = self._db.execute(
            "select next from positions where consumer = ? and shard = ?", (consumer, shard)
        ).fetchone()
        return row[0] if row else 0

    def move(self, consumer: str, shard: str, next_offset: int) -> None:
        self._db.execute("insert or replace into positions values (?, ?, ?)", (consumer, shard, next_offset))

    def cut(self, consumer: str, shard: str, first: int) -> int | None:
        """The last offset of the batch that was once handed out from `first`."""
        row = self._db.execute(
            "select last from cuts where consumer = ? and shard = ? and first = ?", (consumer, shard, first)
        ).fetchone()
        return row[0] if row else None

    def freeze(self, consumer: str, shard: str, first: int, last: int) -> None:
        self._db.execute("insert into cuts values (?, ?, ?, ?)", (consumer, shard, first, last))

    def start_of_cut(self, consumer: str, shard: str, offset: int) -> int:
        """The first offset of the batch that holds `offset`, or `offset` itself if it was never handed out."""
        row = self._db.execute(
            "select first from cuts where consumer = ? and shard = ? and first <= ? and last >= ?",
            (consumer, shard, offset, offset),
        ).fetchone()
        return row[0] if row else offset

    def all_past(self, shard: str, last: int) -> bool:
        """True if there is a consumer at all, and each has committed everything up to `last`."""
        consumers = {row[0] for row in self._db.execute("select distinct consumer from positions")}
        return bool(consumers) and all(self.next(consumer, shard) > last for consumer in consumers)

    def forget(self, shard: str) -> None:
        self._db.execute("delete from positions where shard = ?", (shard,))
        self._db.execute("delete from cuts where shard = ?", (shard,))

    def close(self) -> None:
        self._db.close()
