"""A stream in this process's memory: for tests and for looking at the contract. Nothing survives the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ..clock import Clock, utc_now
from ..errors import StreamFull
from . import Batch, Lag, Promise, Record, Stream, Tail

_SHARD = "memory"


def open(url: str, *, clock: Clock = utc_now, max_bytes: int = 1 << 30, **_: object) -> Stream:
    return MemoryStream(clock, max_bytes)


class MemoryStream:
    max_record_bytes = 1 << 20
    declines: frozenset[Promise] = frozenset()

    def __init__(self, clock: Clock, max_bytes: int) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._bytes = 0
        self._log: list[tuple[datetime, bytes]] = []
        self._next: dict[str, int] = {}
        self._cuts: dict[tuple[str, int], int] = {}
        self._forgotten: datetime | None = None

    def append(self, records: Sequence[Record]) -> None:
        size = sum(len(record.data) + 1 for record in records)
        if self._bytes + size > self._max_bytes:
            raise StreamFull("the stream is full")
        self._bytes += size
        now = self._clock()
        self._log.extend((now, record.data) for record in records)

    def poll(self, consumer: str, limit_bytes: int) -> Batch | None:
        first = self._next.get(consumer, 0)
        if first >= len(self._log):
            return None
        end = self._cuts.setdefault((consumer, first), self._cut(first, limit_bytes))
        data = b"".join(line + b"\n" for _, line in self._log[first:end])
        return Batch(_SHARD, first, end - 1, self._log[first][0], data)

    def _cut(self, first: int, limit_bytes: int) -> int:
        minute = self._log[first][0].replace(second=0, microsecond=0)
        end, size = first, 0
        while end < len(self._log) and self._log[end][0].replace(second=0, microsecond=0) == minute:
            size += len(self._log[end][1]) + 1
            if end > first and size > limit_bytes:
                break
            end += 1
        return end

    def commit(self, consumer: str, batch: Batch) -> None:
        if self._next.get(consumer, 0) == batch.first:
            self._next[consumer] = batch.last + 1

    def lag(self, consumer: str) -> Lag:
        waiting = self._log[self._next.get(consumer, 0) :]
        return Lag(len(waiting), sum(len(d) + 1 for _, d in waiting), waiting[0][0] if waiting else None)

    def seek(self, consumer: str, at: datetime) -> int:
        position = self._next.get(consumer, 0)
        at = max(at, self._forgotten or at)
        first = next((i for i, (when, _) in enumerate(self._log) if when >= at), len(self._log))
        for (owner, start), end in self._cuts.items():
            if owner == consumer and start <= first < end:
                first = start
        self._next[consumer] = min(first, position)
        return position - self._next[consumer]

    def forget(self, until: datetime) -> None:
        self._forgotten = max(until, self._forgotten or until)

    def tail(self, cursor: Mapping[str, int] | None, limit_bytes: int | None = None) -> Tail:
        end = start = len(self._log) if cursor is None else cursor.get(_SHARD, 0)
        size = 0
        while end < len(self._log) and (limit_bytes is None or size < limit_bytes):
            size += len(self._log[end][1])
            end += 1
        return Tail([line for _, line in self._log[start:end]], {_SHARD: end})

    def cursor(self, at: datetime) -> Mapping[str, int]:
        at = max(at, self._forgotten or at)
        return {_SHARD: next((i for i, (when, _) in enumerate(self._log) if when >= at), len(self._log))}

    def ends(self) -> Mapping[str, int]:
        return {_SHARD: len(self._log)} if self._log else {}

    def close(self) -> None:
        self._log.clear()
