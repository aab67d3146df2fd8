"""Membership in a consumer group: which partitions are ours, what of them was read ahead, and the batch in hand.

A batch is planned before it is handed out: its end is committed as the metadata of its start. Whoever gets the
partition next finds the plan, and cuts the same batch.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from time import monotonic

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from structlog import get_logger

from ..errors import Transient
from . import Batch
from ._kafka_errors import QUIET, tell_seldom
from ._kafka_topic import BACKOFF_MS, SECONDS, Got, Topic

_JOIN_SECONDS = 30
_SETTLE_SECONDS = 3.0
_AT_ONCE = 2000
_ANOTHERS = {
    KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.FENCED_INSTANCE_ID, KafkaError._ASSIGNMENT_LOST,
}  # fmt: skip
"""What a commit says when the partition is not ours, or will not be in a moment."""


@dataclass
class _Part:
    """A partition of ours. `next` is the offset read next, None until it was asked how far the group is; `planned` is
    the last offset of the batch in hand."""

    next: int | None = None
    planned: int | None = None
    ahead: deque[Got] = field(default_factory=deque)
    ahead_bytes: int = 0
    """Of `ahead`; counted along, as it is asked after each read."""

    def keep(self, got: Got) -> None:
        if self.next is None or got.offset >= self.next:
            self.ahead.append(got)
            self.ahead_bytes += len(got.line)
            self.next = None if self.next is None else got.offset + 1

    def begin(self, start: int, planned: int | None) -> None:
        """What was read before it was known where to begin is sorted out."""
        self.planned = planned
        self.drop(start)
        self.next = self.ahead[-1].offset + 1 if self.ahead else start

    def drop(self, start: int) -> None:
        """What lies before that offset."""
        while self.ahead and self.ahead[0].offset < start:
            self.ahead_bytes -= len(self.ahead.popleft().line)

    def has_read(self, end: int) -> bool:
        return self.next is not None and self.next >= end

    def has_planned(self) -> bool:
        return self.next is not None and (self.planned is None or self.next > self.planned)


class Group:
    def __init__(self, consumer: str, topic: Topic) -> None:
        self._topic = topic
        self._parts: dict[int, _Part] = {}
        self._has_joined = False
        self._settled = 0.0
        self._consumer = Consumer(
            {
                "log_level": QUIET,
                "session.timeout.ms": 10_000,
                "queued.max.messages.kbytes": 32_768,
                "fetch.queue.backoff.ms": BACKOFF_MS,
                **topic.config,
                "group.id": topic.group(consumer),
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": "cooperative-sticky",
                "error_cb": tell_seldom(),
            }
        )
        self._consumer.subscribe([topic.name], on_assign=self._taken, on_revoke=self._given, on_lost=self._lost)

    # who has what

    def _taken(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._has_joined = True
        self._settled = monotonic() + _SETTLE_SECONDS
        self._parts |= {each.partition: _Part() for each in partitions}

    def _begin(self) -> None:
        """How far the group is with partitions that are new to us."""
        new = [TopicPartition(self._topic.name, p) for p, part in self._parts.items() if part.next is None]
        if not new:
            return
        ends = self._topic.ranges(each.partition for each in new)
        for each in self._consumer.committed(new, timeout=SECONDS):
            start = max(each.offset, ends[each.partition].low)
            planned = int(each.metadata) if each.metadata and start == each.offset else None
            self._parts[each.partition].begin(start, planned)

    def _given(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            self._parts.pop(each.partition, None)
        self._settled = monotonic() + _SETTLE_SECONDS

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """The group went on without us, as after a broker was away: we join it again."""
        self._given(consumer, partitions)
        self._has_joined = False

    def _has_settled(self) -> bool:
        """Whoever joins may be given nothing at first, and what others gave back a moment later."""
        return self._has_joined and (bool(self._parts) or monotonic() > self._settled)

    # batches

    def poll(self, limit_bytes: int) -> Batch | None:
        """While partitions are given from worker to worker it waits, for a while; then it raises Transient."""
        until = monotonic() + _JOIN_SECONDS
        try:
            while monotonic() < until:
                self._read(limit_bytes)
                waiting = {p: part for p, part in self._parts.items() if part.ahead and part.has_planned()}
                if not waiting:
                    return None
                oldest = min(waiting, key=lambda p: (waiting[p].ahead[0].at, p))
                if (batch := self._batch(oldest, limit_bytes)) is not None:
                    return batch
        except KafkaException as error:
            raise Transient(f"Kafka cannot be read: {error}") from error
        raise Transient(f"the partitions of {self._topic.name} are being given from worker to worker")

    def _read(self, limit_bytes: int) -> None:
        """Ahead, until as much is there as fits, or all that there was when it was asked."""
        until = monotonic() + (SECONDS if self._has_joined else _JOIN_SECONDS)
        ends: dict[int, int] = {}
        while monotonic() < until:
            self._consume()
            if not self._has_settled():
                continue
            self._begin()
            if unknown := self._parts.keys() - ends.keys():
                ends |= {p: found.high for p, found in self._topic.ranges(unknown).items()}
            parts = self._parts.items()
            is_much = sum(part.ahead_bytes for _, part in parts) >= limit_bytes
            if all(part.has_read(ends[p]) for p, part in parts) or (is_much and all(p.has_planned() for _, p in parts)):
                return

    def _consume(self) -> None:
        for message in self._consumer.consume(_AT_ONCE, timeout=0.05):
            if (error := message.error()) is not None:
                if error.fatal():
                    raise KafkaException(error)
                continue
            got = Got.of(message)
            if got.partition in self._parts:
                self._parts[got.partition].keep(got)

    def _batch(self, partition: int, limit_bytes: int) -> Batch | None:
        """None if the partition is being given to another."""
        part = self._parts[partition]
        size = _cut(part.ahead, limit_bytes) if part.planned is None else _until(part.ahead, part.planned)
        found = list(islice(part.ahead, size))
        first, last = found[0].offset, found[-1].offset
        if part.planned != last:
            if not self._store(partition, first, str(last)):
                return None
            part.planned = last
        data = b"".join(got.line + b"\n" for got in found)
        return Batch(self._topic.shard(partition), first, last, found[0].at, data)

    def commit(self, batch: Batch) -> None:
        partition = int(batch.shard.rpartition("-")[2])
        part = self._parts.get(partition)
        if part is None or not part.ahead or (part.ahead[0].offset, part.planned) != (batch.first, batch.last):
            return
        if not self._store(partition, batch.last + 1, ""):
            get_logger().info("a batch is another worker's by now", shard=batch.shard, first=batch.first)
            return
        part.drop(batch.last + 1)
        part.planned = None

    def _store(self, partition: int, offset: int, plan: str) -> bool:
        """False if the partition is being given to another; raises Transient."""
        at = TopicPartition(self._topic.name, partition, offset, metadata=plan)
        try:
            for each in self._consumer.commit(offsets=[at], asynchronous=False) or ():
                if each.error is not None:
                    raise KafkaException(each.error)
        except KafkaException as error:
            if error.args[0].code() in _ANOTHERS:
                return False
            raise Transient(f"Kafka does not keep how far {self._topic.shard(partition)} was read: {error}") from error
        return True

    def close(self) -> None:
        self._consumer.close()


def _until(ahead: deque[Got], last: int) -> int:
    """How many there are up to that offset."""
    return sum(1 for got in ahead if got.offset <= last)


def _cut(ahead: deque[Got], limit_bytes: int) -> int:
    """How many of them are a batch: of one minute, without a gap, and within the limit unless it is one."""
    size, first = 0, ahead[0]
    minute = first.at.replace(second=0, microsecond=0)
    over = minute + timedelta(minutes=1)
    for count, got in enumerate(ahead):
        size += len(got.line) + 1
        is_gap = got.offset != first.offset + count
        if count and (size > limit_bytes or is_gap or not minute <= got.at < over):
            return count
    return len(ahead)
