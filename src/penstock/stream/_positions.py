"""Where each consumer stands in each shard of the SQLite stream, and where its batches were cut; in one small file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_SCHEMA = """
create table if not exists consumers (consumer text primary key);
create table if not exists positions (consumer text, shard text, next integer, primary key (consumer, shard));
create table if not exists cuts (consumer text, shard text, first integer, last integer,
                                 primary key (consumer, shard, first));
create table if not exists forgotten (until integer);
"""


class Positions:
    """Every change is durable when the call returns."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        try:
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.execute("pragma wal_autocheckpoint = 100")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error:
            self._db.close()
            raise

    def of(self, consumer: str) -> dict[str, int]:
        """Shard → the first offset that the consumer has not committed; a shard that is missing is at 0."""
        return dict(self._db.execute("select shard, next from positions where consumer = ?", (consumer,)).fetchall())

    def move(self, consumer: str, shard: str, next_offset: int) -> None:
        self._register(consumer)
        self._db.execute("insert or replace into positions values (?, ?, ?)", (consumer, shard, next_offset))

    def advance(self, consumer: str, shard: str, first: int, next_offset: int) -> None:
        """Move, but only from `first`: the commit of a batch must not undo what moved the consumer meanwhile."""
        self._register(consumer)
        self._db.execute(
            "insert into positions select ?, ?, ? where ? = 0 or exists"
            " (select 1 from positions where consumer = ? and shard = ?)"
            " on conflict do update set next = excluded.next where next = ?",
            (consumer, shard, next_offset, first, consumer, shard, first),
        )

    def cut(self, consumer: str, shard: str, first: int) -> int | None:
        """The last offset of the batch that was once handed out from `first`."""
        row = self._db.execute(
            "select last from cuts where consumer = ? and shard = ? and first = ?", (consumer, shard, first)
        ).fetchone()
        return row[0] if row else None

    def freeze(self, consumer: str, shard: str, first: int, last: int) -> int:
        """Remember where a batch ends; returns where it does, for another process may have been first."""
        self._register(consumer)
        self._db.execute("insert or ignore into cuts values (?, ?, ?, ?)", (consumer, shard, first, last))
        frozen = self.cut(consumer, shard, first)
        return last if frozen is None else frozen

    def thaw(self, consumer: str, shard: str, first: int) -> None:
        self._db.execute("delete from cuts where consumer = ? and shard = ? and first = ?", (consumer, shard, first))

    def start_of_cut(self, consumer: str, shard: str, offset: int) -> int:
        """The first offset of the batch that holds `offset`, or `offset` itself if it was never handed out."""
        row = self._db.execute(
            "select first from cuts where consumer = ? and shard = ? and first <= ? and last >= ?",
            (consumer, shard, offset, offset),
        ).fetchone()
        return row[0] if row else offset

    def passed(self) -> dict[str, int]:
        """Shard → the offset that every consumer has committed up to; empty if there is no consumer yet."""
        return dict(
            self._db.execute(
                "select shard, min(next) from positions group by shard"
                " having count(*) = (select count(*) from consumers)"
            ).fetchall()
        )

    def _register(self, consumer: str) -> None:
        """Known for good: what a consumer has not taken is kept for it, also after the shards it took are gone."""
        self._db.execute("insert or ignore into consumers values (?)", (consumer,))

    def forget(self, shard: str) -> None:
        self._db.execute("delete from positions where shard = ?", (shard,))
        self._db.execute("delete from cuts where shard = ?", (shard,))

    def forget_until(self, until: int) -> None:
        """In milliseconds; of several moments the last counts."""
        self._db.execute("insert into forgotten values (?)", (until,))

    def forgotten(self) -> int:
        """Records from before this moment, in milliseconds, are not to be kept or replayed; 0 if nobody said so."""
        row = self._db.execute("select coalesce(max(until), 0) from forgotten").fetchone()
        return int(row[0])

    def close(self) -> None:
        self._db.close()
