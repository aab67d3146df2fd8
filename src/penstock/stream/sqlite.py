"""The stream on one machine: a folder of SQLite files, one per writer and hour, each a shard.

One row is one append: its records' lines, joined, and compressed if there are many: the disk, not the processor, is
what a busy collector waits for. A commit is WAL + synchronous=FULL, so `append` costs one fsync
however many records share it. Positions and the frozen cuts of batches live in `positions.db`. A file is removed
whole when every consumer is past it and it is old, or when room is needed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from isal import isal_zlib

from ..clock import Clock, utc_now
from ..errors import StreamFull, Transient
from ..objects import local_path, make_folder, sync_folder
from . import Batch, Lag, Record, Stream, Tail
from ._positions import Positions

_ROW_BYTES = 4 << 20
_PAGE_BYTES = 16 << 10
_CHECKPOINT_PAGES = (64 << 20) // _PAGE_BYTES
_SCHEMA = """
create table log (first integer primary key, last integer, at integer, bytes integer, end_bytes integer, data blob)
"""
_COMPRESS_FROM_BYTES = 4 << 10
_FASTEST = 0
_SIZE_CHECK_SECONDS = 1.0


def open(
    url: str,
    *,
    clock: Clock = utc_now,
    retention_seconds: int = 24 * 3600,
    max_bytes: int = 10 << 30,
    rotate_seconds: int = 3600,
    rotate_bytes: int = 256 << 20,
) -> Stream:
    """`file:///folder` or `sqlite:///folder`; the folder is made if it is missing."""
    folder = local_path(url.replace("sqlite:", "file:", 1))
    assert folder is not None
    make_folder(folder)
    return SqliteStream(folder, clock, retention_seconds, max_bytes, rotate_seconds, rotate_bytes)


class SqliteStream:
    max_record_bytes = _ROW_BYTES

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        retention_seconds: int,
        max_bytes: int,
        rotate_seconds: int,
        rotate_bytes: int,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._retention = timedelta(seconds=retention_seconds)
        self._max_bytes = max_bytes
        self._rotate_seconds = rotate_seconds
        self._rotate_bytes = rotate_bytes
        self._writer: _Writer | None = None
        self._positions: Positions | None = None
        self._readers: dict[str, sqlite3.Connection] = {}
        self._full = False
        self._size_checked = 0.0

    # writing

    def append(self, records: Sequence[Record]) -> None:
        if not records:
            return
        self._check_room()
        try:
            self._active_writer().append(records)
        except (sqlite3.Error, OSError) as error:
            # An fsync that failed once may "succeed" on the next try without having written. This file is done with.
            self._abandon_writer()
            raise Transient(f"the stream could not be written: {error}", hint="check the disk") from error

    def _active_writer(self) -> _Writer:
        now = self._clock()
        writer = self._writer
        if writer is not None and (
            abs((now - writer.created).total_seconds()) >= self._rotate_seconds or writer.bytes >= self._rotate_bytes
        ):
            self._abandon_writer()
            writer = None
        if writer is None:
            writer = self._writer = _Writer(self._folder, self._clock)
        return writer

    def _abandon_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _check_room(self) -> None:
        now = time.monotonic()
        if now - self._size_checked >= _SIZE_CHECK_SECONDS:
            self._size_checked = now
            self._full = self._used_bytes() > self._max_bytes and self._prune(room=True) > self._max_bytes
        if self._full:
            raise StreamFull("the stream is full of undelivered events", hint="start the worker or free disk space")

    # reading

    def poll(self, consumer: str, limit_bytes: int) -> Batch | None:
        for shard, connection in self._shards():
            first = self._position.next(consumer, shard)
            last = self._position.cut(consumer, shard, first)
            if last is None:
                last = _cut(connection, first, limit_bytes)
                if last is None:
                    continue
                self._position.freeze(consumer, shard, first, last)
            return _read(connection, shard, first, last)
        return None

    def commit(self, consumer: str, batch: Batch) -> None:
        self._position.move(consumer, batch.shard, batch.last + 1)
        self._prune()

    def lag(self, consumer: str) -> Lag:
        records = size = 0
        oldest: int | None = None
        for shard, connection in self._shards():
            first = self._position.next(consumer, shard)
            row = connection.execute("select at, end_bytes - bytes from log where first = ?", (first,)).fetchone()
            if row is None:
                continue
            last, end_bytes = connection.execute(
                "select last, end_bytes from log order by first desc limit 1"
            ).fetchone()
            records += last + 1 - first
            size += end_bytes - row[1]
            oldest = row[0] if oldest is None else min(oldest, row[0])
        return Lag(records, size, None if oldest is None else _moment(oldest))

    def seek(self, consumer: str, at: datetime) -> int:
        again = 0
        for shard, connection in self._shards():
            position = self._position.next(consumer, shard)
            row = connection.execute("select min(first) from log where at >= ?", (_millis(at),)).fetchone()
            if row[0] is None:
                continue
            first = min(self._position.start_of_cut(consumer, shard, row[0]), position)
            self._position.move(consumer, shard, first)
            again += position - first
        return again

    def tail(self, cursor: Mapping[str, int] | None) -> Tail:
        lines: list[bytes] = []
        ends = dict(self.ends())
        for shard, connection in self._shards() if cursor is not None else ():
            after = cursor.get(shard, 0) if cursor is not None else 0
            for (data,) in connection.execute("select data from log where first >= ? order by first", (after,)):
                lines.extend(_unpacked(data).splitlines())
            row = connection.execute("select max(last) from log").fetchone()
            ends[shard] = (row[0] if row[0] is not None else -1) + 1
        return Tail(lines, ends)

    def ends(self) -> Mapping[str, int]:
        found = {}
        for shard, connection in self._shards():
            last = connection.execute("select max(last) from log").fetchone()[0]
            if last is not None:
                found[shard] = last + 1
        return found

    def close(self) -> None:
        self._abandon_writer()
        for connection in self._readers.values():
            connection.close()
        self._readers.clear()
        if self._positions is not None:
            self._positions.close()
            self._positions = None

    # files

    @property
    def _position(self) -> Positions:
        if self._positions is None:
            self._positions = Positions(self._folder / "positions.db")
        return self._positions

    def _shards(self) -> Iterator[tuple[str, sqlite3.Connection]]:
        """Every shard file there is, oldest first, with a connection that is kept open."""
        names = sorted(path.stem for path in self._folder.glob("*.shard"))
        for gone in self._readers.keys() - set(names):
            self._readers.pop(gone).close()
        for name in names:
            if name not in self._readers:
                with contextlib.suppress(sqlite3.Error):
                    self._readers[name] = _connect(self._folder / f"{name}.shard")
            connection = self._readers.get(name)
            if connection is not None and _has_log(connection):
                yield name, connection

    def _used_bytes(self) -> int:
        total = 0
        for entry in os.scandir(self._folder):
            with contextlib.suppress(FileNotFoundError):
                total += entry.stat().st_size
        return total

    def _prune(self, *, room: bool = False) -> int:
        """Remove whole shards that every consumer is past: the old ones, or with `room` as many as needed.

        Returns the bytes still used.
        """
        used = self._used_bytes() if room else 0
        horizon = self._clock() - self._retention
        for shard, connection in list(self._shards()):
            if room and used <= self._max_bytes:
                break
            last, at = connection.execute("select max(last), max(at) from log").fetchone()
            if last is not None and not self._position.all_past(shard, last):
                continue
            created = datetime.strptime(shard[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            if not room and (_moment(at) if at is not None else created) >= horizon:
                continue
            if self._remove(shard):
                used = self._used_bytes() if room else 0
        return used

    def _remove(self, shard: str) -> bool:
        """Unlink a shard unless a writer holds it."""
        lock = self._folder / f"{shard}.lock"
        descriptor = os.open(lock, os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        self._readers.pop(shard).close()
        for suffix in ("shard", "shard-wal", "shard-shm", "lock"):
            (self._folder / f"{shard}.{suffix}").unlink(missing_ok=True)
        sync_folder(self._folder)
        self._position.forget(shard)
        return True


class _Writer:
    """The one writer of one shard file; holds a lock on it for as long as it lives."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.created = clock()
        self.bytes = 0
        self._next = 0
        self._clock = clock
        name = f"{self.created:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        self._lock = os.open(folder / f"{name}.lock", os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            self._connection = _connect(folder / f"{name}.shard")
            self._connection.execute(_SCHEMA)
            sync_folder(folder)
        except BaseException:
            os.close(self._lock)
            raise

    def append(self, records: Sequence[Record]) -> None:
        at = _millis(self._clock())
        connection = self._connection
        next_offset, size = self._next, self.bytes
        connection.execute("begin")
        for rows in _chunks(records):
            data = b"\n".join([record.data for record in rows]) + b"\n"
            size += len(data)
            connection.execute(
                "insert into log values (?, ?, ?, ?, ?, ?)",
                (next_offset, next_offset + len(rows) - 1, at, len(data), size, _packed(data)),
            )
            next_offset += len(rows)
        connection.execute("commit")
        self._next, self.bytes = next_offset, size

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        os.close(self._lock)


def _chunks(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Split so that no row is much over `_ROW_BYTES`; nearly always one chunk."""
    start = size = 0
    for index, record in enumerate(records):
        size += len(record.data)
        if size > _ROW_BYTES and index > start:
            yield records[start:index]
            start, size = index, len(record.data)
    yield records[start:]


def _packed(data: bytes) -> bytes:
    return isal_zlib.compress(data, _FASTEST) if len(data) >= _COMPRESS_FROM_BYTES else data


def _unpacked(data: bytes) -> bytes:
    """A line starts with `{`, so what does not is compressed."""
    plain: bytes = data if data.startswith(b"{") else isal_zlib.decompress(data)
    return plain


def _connect(path: Path) -> sqlite3.Connection:
    # One connection is used by one thread at a time; the server's commit thread is not the one that opened it.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute(f"pragma page_size = {_PAGE_BYTES}")
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute(f"pragma wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    return connection


def _has_log(connection: sqlite3.Connection) -> bool:
    return connection.execute("select 1 from sqlite_master where name = 'log'").fetchone() is not None


def _cut(connection: sqlite3.Connection, first: int, limit_bytes: int) -> int | None:
    """The last offset of the batch that starts at `first`: whole rows of one arrival minute within the limit."""
    last: int | None = None
    minute = start_bytes = 0
    rows = connection.execute("select last, at, end_bytes, bytes from log where first >= ? order by first", (first,))
    for row_last, at, end_bytes, size in rows:
        if last is None:
            minute, start_bytes = at // 60_000, end_bytes - size
        elif at // 60_000 != minute or end_bytes - start_bytes > limit_bytes:
            break
        last = row_last
    return last


def _read(connection: sqlite3.Connection, shard: str, first: int, last: int) -> Batch:
    rows = connection.execute(
        "select at, data from log where first between ? and ? order by first", (first, last)
    ).fetchall()
    return Batch(shard, first, last, _moment(rows[0][0]), b"".join(_unpacked(data) for _, data in rows))


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)
