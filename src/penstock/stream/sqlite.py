"""The stream on one machine: a folder of SQLite files, one per writer and hour, each a shard.

A shard's file is `_shard.py`; positions and the frozen cuts of batches live in `positions.db`. A shard is removed whole
when every consumer is past it and it is old, or when room is needed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import structlog
from isal import isal_zlib

from ..clock import Clock, utc_now
from ..errors import StreamFull, Transient
from ..objects import local_path, make_folder
from . import Batch, Lag, Promise, Record, Stream, Tail, _shard
from ._positions import Positions
from ._shard import ROW_BYTES, SUFFIX, End, Shard, Writer, millis, moment

T = TypeVar("T")
P = ParamSpec("P")

_ROOM_SECONDS = 1.0
_MOST_OPEN = 64


def open(
    url: str,
    *,
    clock: Clock = utc_now,
    retention_seconds: int = 24 * 3600,
    max_bytes: int = 10 << 30,
    rotate_seconds: int = 3600,
    rotate_bytes: int = 256 << 20,
    **_: object,
) -> Stream:
    """`file:///folder` or `sqlite:///folder`; the folder is made if it is missing."""
    folder = local_path(url.replace("sqlite:", "file:", 1))
    assert folder is not None
    make_folder(folder)
    return SqliteStream(folder, clock, retention_seconds, max_bytes, rotate_seconds, rotate_bytes)


class _Waiting(NamedTuple):
    """What a consumer has not committed of one shard. The least of several is to be handed out first."""

    fresh: bool
    """False if its first batch was handed out already: that one comes again before anything else."""
    at: int
    shard: str
    first: int
    records: int
    bytes: int


class SqliteStream:
    max_record_bytes = ROW_BYTES
    declines: frozenset[Promise] = frozenset()

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
        # Only whole files can be removed, so one must not hold all that is allowed.
        self._rotate_bytes = min(rotate_bytes, max_bytes // 4)
        self._writer: Writer | None = None
        self._positions: Positions | None = None
        self._shards: dict[str, Shard] = {}
        self._ended: dict[str, End] = {}
        self._full = False
        self._room_checked = float("-inf")
        self._unchecked_bytes = 0

    # writing

    def append(self, records: Sequence[Record]) -> None:
        if not records:
            return
        try:
            self._check_room()
            writer = self._active_writer()
            before = writer.bytes
            writer.append(records)
            self._unchecked_bytes += writer.bytes - before
        except (sqlite3.Error, OSError) as error:
            # An fsync that failed once may "succeed" on the next try without having written. This file is done with.
            self._abandon_writer()
            if _no_space(error):
                with contextlib.suppress(sqlite3.Error, OSError, Transient):
                    self._prune(down_to=0)
            raise Transient(f"the stream could not be written: {error}", hint="check the disk") from error

    def _active_writer(self) -> Writer:
        writer = self._writer
        if writer is not None:
            age = self._clock() - writer.created
            if abs(age.total_seconds()) >= self._rotate_seconds or writer.bytes >= self._rotate_bytes:
                self._abandon_writer()
        if self._writer is None:
            self._writer = Writer(self._folder, self._clock)
        return self._writer

    def _abandon_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _check_room(self) -> None:
        """Raises StreamFull. Measures only now and then, but always while the stream is full."""
        now = time.monotonic()
        recently = now - self._room_checked < _ROOM_SECONDS and self._unchecked_bytes < self._max_bytes // 64
        if recently and not self._full:
            return
        self._room_checked, self._unchecked_bytes = now, 0
        if self._used_bytes() > self._max_bytes:
            self._abandon_writer()  # or its file could never be removed
            self._full = self._prune(down_to=self._max_bytes) > self._max_bytes
        else:
            self._full = False
        if self._full:
            raise StreamFull("the stream is full of undelivered events", hint="start the worker or free disk space")

    # reading

    def poll(self, consumer: str, limit_bytes: int) -> Batch | None:
        for waiting in sorted(self._waiting(consumer)):
            last = self._last(consumer, waiting, limit_bytes)
            batch = None if last is None else self._ask(waiting.shard, Shard.read, waiting.first, last)
            if batch is not None:
                return batch
        return None

    def _last(self, consumer: str, waiting: _Waiting, limit_bytes: int) -> int | None:
        """Where the batch ends: where it once did, or from now on will."""
        _, _, shard, first, records, _ = waiting
        last = self._position.cut(consumer, shard, first)
        if last is not None and last >= first + records:
            # What was appended last, and never acknowledged, was seen by a reader and then lost in a power cut.
            self._position.thaw(consumer, shard, first)
            last = None
        if last is not None:
            return last
        last = self._ask(shard, Shard.cut, first, limit_bytes)
        return None if last is None else self._position.freeze(consumer, shard, first, last)

    def commit(self, consumer: str, batch: Batch) -> None:
        self._position.advance(consumer, batch.shard, batch.first, batch.last + 1)
        self._prune()

    def lag(self, consumer: str) -> Lag:
        waiting = self._waiting(consumer)
        oldest = min((moment(w.at) for w in waiting), default=None)
        return Lag(sum(w.records for w in waiting), sum(w.bytes for w in waiting), oldest)

    def seek(self, consumer: str, at: datetime) -> int:
        again = 0
        positions = self._position.of(consumer)
        since = max(millis(at), self._position.forgotten())
        for name in self._names():
            found = self._ask(name, Shard.first_since, since)
            position = positions.get(name, 0)
            if found is not None and found < position:
                first = self._position.start_of_cut(consumer, name, found)
                self._position.move(consumer, name, first)
                again += position - first
        return again

    def forget(self, until: datetime) -> None:
        self._position.forget_until(millis(until))
        self._prune()

    def tail(self, cursor: Mapping[str, int] | None, limit_bytes: int | None = None) -> Tail:
        ends = dict(self.ends())
        lines: list[bytes] = []
        left = limit_bytes
        for name, end in ends.items() if cursor is not None else ():
            after = cursor.get(name, 0) if cursor is not None else 0
            if after < end and left is not None and left <= 0:
                ends[name] = after
                continue
            found = self._ask(name, Shard.lines, after, left) if after < end else None
            if found is not None:
                lines += found[0]
                ends[name] = found[1]
                left = None if left is None else left - sum(map(len, found[0]))
        return Tail(lines, ends)

    def cursor(self, at: datetime) -> Mapping[str, int]:
        since = max(millis(at), self._position.forgotten())
        found = {}
        for name, end in self.ends().items():
            recent = self._end(name).at >= since
            first = self._ask(name, Shard.first_since, since) if recent else None
            found[name] = end if first is None else first
        return found

    def ends(self) -> Mapping[str, int]:
        return {name: end for name in self._names() if (end := self._end(name).next)}

    def _waiting(self, consumer: str) -> list[_Waiting]:
        positions = self._position.of(consumer)
        found = []
        for name in self._names():
            first, end = positions.get(name, 0), self._end(name)
            if first >= end.next:
                continue
            row = self._ask(name, Shard.row, first)
            if row is not None:
                fresh = self._position.cut(consumer, name, first) is None
                found.append(_Waiting(fresh, row.at, name, first, end.next - first, end.bytes - row.bytes_before))
        return found

    def close(self) -> None:
        self._abandon_writer()
        while self._shards:
            self._shards.popitem()[1].close()
        if self._positions is not None:
            self._positions.close()
            self._positions = None

    # files

    @property
    def _position(self) -> Positions:
        if self._positions is None:
            self._positions = Positions(self._folder / "positions.db")
        return self._positions

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"

    def _names(self) -> list[str]:
        """Every shard there is, oldest first."""
        names = sorted(path.stem for path in self._folder.glob(f"*{SUFFIX}"))
        for gone in (self._shards.keys() | self._ended.keys()).difference(names):
            self._forget(gone)
        return names

    def _forget(self, name: str) -> None:
        self._ended.pop(name, None)
        if name in self._shards:
            self._shards.pop(name).close()

    def _end(self, name: str) -> End:
        """How far a shard is written; remembered of one that nobody writes any more."""
        if name in self._ended:
            return self._ended[name]
        done = not _shard.is_written(self._path(name))
        end = self._ask(name, Shard.end) or End(0, 0, 0)
        if done:
            self._ask(name, Shard.settle)
            self._ended[name] = end
        return end

    def _ask(
        self, name: str, question: Callable[Concatenate[Shard, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """The shard's answer; None if it is gone, not begun, or damaged: one bad file must not hold up the others."""
        try:
            shard = self._open(name)
            return None if shard is None else question(shard, *args, **kwargs)
        except sqlite3.OperationalError as error:
            if not self._path(name).exists():
                return None
            raise Transient(f"the stream could not be read: {error}", hint="check the disk") from error
        except (sqlite3.DatabaseError, isal_zlib.error) as error:  # type: ignore[misc]
            self._set_aside(name, error)
            return None

    def _set_aside(self, name: str, error: Exception) -> None:
        path = self._path(name)
        self._forget(name)
        if _shard.is_written(path):
            raise Transient(f"{path} could not be read: {error}", hint="check the disk") from error
        _shard.set_aside(path)
        structlog.get_logger().error("a damaged stream file was set aside", file=str(path), error=str(error))

    def _open(self, name: str) -> Shard | None:
        """Kept open for the next question; the one that was longest not asked is closed when there are many."""
        shard = self._shards.pop(name, None)
        if shard is None:
            shard = Shard(self._path(name))
            try:
                begun = shard.begun()
            except sqlite3.Error:
                shard.close()
                raise
            if not begun:
                shard.close()
                return None
        self._shards[name] = shard
        if len(self._shards) > _MOST_OPEN:
            self._shards.pop(next(iter(self._shards))).close()
        return shard

    def _used_bytes(self) -> int:
        total = 0
        for entry in os.scandir(self._folder):
            with contextlib.suppress(FileNotFoundError):
                total += entry.stat().st_size
        return total

    def _prune(self, *, down_to: int | None = None) -> int:
        """Remove whole shards that every consumer is past: the old ones, or as many as it takes to get `down_to` bytes.

        Returns the bytes still used.
        """
        used = 0 if down_to is None else self._used_bytes()
        horizon = max(millis(self._clock() - self._retention), self._position.forgotten())
        passed = self._position.passed()
        for name in self._names():
            if down_to is not None and used <= down_to:
                break
            end = self._end(name)
            if passed.get(name, 0) < end.next or (down_to is None and end.at >= horizon):
                continue
            if _shard.remove(self._path(name)):
                self._forget(name)
                self._position.forget(name)
                used = 0 if down_to is None else self._used_bytes()
        return used


def _no_space(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC
