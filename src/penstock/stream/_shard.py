"""One file of the SQLite stream, a shard: its one writer, and what readers ask of it.

One row is one append: its records' lines, joined, and compressed if there are many: the disk, not the processor, is
what a busy collector waits for. A commit is WAL + synchronous=FULL, so an append costs one fsync however many records
share it. Beside the file lies a lock that its writer holds for as long as it lives.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from isal import isal_zlib

from ..clock import Clock
from ..objects import sync_folder
from . import Batch, Record

ROW_BYTES = 4 << 20
SUFFIX = ".shard"
_PAGE_BYTES = 16 << 10
_CHECKPOINT_PAGES = (64 << 20) // _PAGE_BYTES
_COMPRESS_FROM_BYTES = 4 << 10
_FASTEST = 0
_BUSY_SECONDS = 30
_EMPTY_WAL = "pragma wal_checkpoint(truncate)"
_SCHEMA = """
create table log (first integer primary key, last integer, at integer, bytes integer, end_bytes integer, data blob)
"""


class End(NamedTuple):
    """How far a shard is written: the offset after its last record, that one's time (milliseconds), bytes in all."""

    next: int
    at: int
    bytes: int


class Row(NamedTuple):
    """Where one append begins: its time (milliseconds) and the bytes before it."""

    at: int
    bytes_before: int


class Writer:
    """Makes a new shard and is the only one that ever writes to it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.created = clock()
        self.bytes = 0
        self._next = 0
        self._clock = clock
        self._path = folder / f"{self.created:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}{SUFFIX}"
        self._lock = os.open(_lock_of(self._path), os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._connection = _created(self._path)
            sync_folder(folder)
        except BaseException:
            _unlink(self._path)
            os.close(self._lock)
            raise

    def append(self, records: Sequence[Record]) -> None:
        """Durable when it returns. After an error the writer is not to be used again."""
        at = millis(self._clock())
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
        """Let go of the file. One that holds nothing acknowledged is removed, or a full disk would fill with them."""
        for statement in ("rollback", "pragma busy_timeout = 0", _EMPTY_WAL):
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute(statement)
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        if not self._next:
            _unlink(self._path)
        os.close(self._lock)


class Shard:
    """A shard to read. Raises sqlite3.OperationalError if that cannot be done now, DatabaseError if it is damaged."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        # Never makes a file that was removed just now; needs no pragma, for the file itself says that it has a WAL.
        self._db = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=_BUSY_SECONDS,
        )

    def begun(self) -> bool:
        """False if its writer was stopped, or is, before it made the table."""
        return self._one("select 1 from sqlite_master where name = 'log'") is not None

    def end(self) -> End:
        row = self._one("select last + 1, at, end_bytes from log order by first desc limit 1")
        return End(*row) if row else End(0, 0, 0)

    def row(self, first: int) -> Row | None:
        row = self._one("select at, end_bytes - bytes from log where first = ?", first)
        return Row(*row) if row else None

    def first_since(self, at: int) -> int | None:
        """The offset of the first record at or after a time."""
        row = self._one("select min(first) from log where at >= ?", at)
        return None if row is None else row[0]

    def cut(self, first: int, limit_bytes: int) -> int:
        """The last offset of the batch that starts at `first`: whole rows of one arrival minute within the limit."""
        last = first
        start: Row | None = None
        rows = self._db.execute("select last, at, end_bytes, bytes from log where first >= ? order by first", (first,))
        for row_last, at, end_bytes, size in rows:
            if start is None:
                start = Row(at, end_bytes - size)
            elif at // 60_000 != start.at // 60_000 or end_bytes - start.bytes_before > limit_bytes:
                break
            last = row_last
        rows.close()
        return last

    def read(self, first: int, last: int) -> Batch:
        rows = self._db.execute(
            "select at, data, bytes from log where first between ? and ? order by first", (first, last)
        ).fetchall()
        return Batch(self.name, first, last, moment(rows[0][0]), b"".join(_unpacked(*row[1:]) for row in rows))

    def lines(self, first: int, limit_bytes: int | None = None) -> tuple[list[bytes], int]:
        """The records from `first` on, and the offset after the last of them; whole rows until the limit is reached."""
        found: list[bytes] = []
        read = 0
        rows = self._db.execute("select last, data, bytes from log where first >= ? order by first", (first,))
        for last, data, size in rows:
            found += _unpacked(data, size).split(b"\n")[:-1]
            first = last + 1
            read += size
            if limit_bytes is not None and read >= limit_bytes:
                break
        rows.close()
        return found, first

    def settle(self) -> None:
        """Empty the write-ahead log that a killed writer left; it may be as large as the file."""
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.execute(_EMPTY_WAL)

    def close(self) -> None:
        self._db.close()

    def _one(self, sql: str, *parameters: int) -> tuple[int, ...] | None:
        # Read to its end, or the open statement would keep the WAL from ever being emptied.
        rows: list[tuple[int, ...]] = self._db.execute(sql, parameters).fetchall()
        return rows[0] if rows else None


def is_written(path: Path) -> bool:
    """Whether the shard's writer still lives."""
    try:
        descriptor = os.open(_lock_of(path), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def remove(path: Path) -> bool:
    """Unlink a shard, durably. False, and nothing done, while its writer lives."""
    if is_written(path):
        return False
    _unlink(path)
    sync_folder(path.parent)
    return True


def set_aside(path: Path) -> None:
    """Rename a damaged shard, so that it is neither read nor removed until a person has looked at it."""
    for file in _files(path):
        with contextlib.suppress(FileNotFoundError):
            file.rename(file.with_name(file.name.replace(SUFFIX, ".damaged")))


def _created(path: Path) -> sqlite3.Connection:
    # The server's commit thread is not the one that opened it; never do two use it at the same time.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS)
    try:
        connection.execute(f"pragma page_size = {_PAGE_BYTES}")
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute(f"pragma wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        connection.execute(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")


def _files(path: Path) -> Iterator[Path]:
    yield path
    yield path.with_name(path.name + "-wal")
    yield path.with_name(path.name + "-shm")


def _unlink(path: Path) -> None:
    for file in (*_files(path), _lock_of(path)):
        file.unlink(missing_ok=True)


def _chunks(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Split so that no row is much over `ROW_BYTES`; nearly always one chunk."""
    start = size = 0
    for index, record in enumerate(records):
        size += len(record.data)
        if size > ROW_BYTES and index > start:
            yield records[start:index]
            start, size = index, len(record.data)
    yield records[start:]


def _packed(data: bytes) -> bytes:
    """Compressed if that makes it smaller, so its size tells which it is."""
    if len(data) < _COMPRESS_FROM_BYTES:
        return data
    packed: bytes = isal_zlib.compress(data, _FASTEST)
    return packed if len(packed) < len(data) else data


def _unpacked(data: bytes, size: int) -> bytes:
    plain: bytes = data if len(data) == size else isal_zlib.decompress(data)
    return plain


def millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def moment(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)
