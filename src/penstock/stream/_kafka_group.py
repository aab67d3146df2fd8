"""Membership in a consumer group: which partitions are ours, what of them was read ahead, and the batch in hand.

A batch is planned before it is handed out: its end is committed as the metadata of its start. Whoever gets the
partition next finds the plan, and cuts the same batch.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from time import monotonic

from collections.abc import Mapping
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from structlog import get_logger

from ..errors import Transient
from . import Batch
from ._kafka_topic import SECONDS, Topic, arrived, line

_JOIN_SECONDS = 30
_AT_ONCE = 2000
_ANOTHERS = {
    KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.FENCED_INSTANCE_ID, KafkaError._ASSIGNMENT_LOST,
}  # fmt: skip
"""What a commit says when the partition is not ours, or will not be in a moment."""


@dataclass
class _Part:
    """A partition of ours. `next` is the offset read next; `planned` is the last offset of the batch in hand."""

    next: int
    planned: int | None = None
    ahead: deque[Message] = field(default_factory=deque)

    @property
    def first(self) -> int:
        return self.ahead[0].offset() if self.ahead else self.next

    def has_planned(self) -> bool:
        return self.planned is None or self.next > self.planned


class Group:
    def __init__(self, consumer: str, topic: Topic, config: Mapping[str, str]) -> None:
        self._topic = topic
        self._parts: dict[int, _Part] = {}
        self._has_joined = False
        self._consumer = Consumer(
            {
                "session.timeout.ms": 10_000,
                "queued.max.messages.kbytes": 32_768,
                **config,
                "group.id": topic.group(consumer),
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": "cooperative-sticky",
            }
        )
        self._consumer.subscribe(
            [topic.name], on_assign=self._taken, on_revoke=self._given, on_lost=self._given
        )

    # who has what

    def _taken(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._has_joined = True
        low = self._topic.ranges(each.partition for each in partitions)
        for each in consumer.committed(partitions, timeout=SECONDS):
            start = max(each.offset, low[each.partition].low)
            planned = int(each.metadata) if each.metadata and start == each.offset else None
            self._parts[each.partition] = _Part(start, planned)

    def _given(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            self._parts.pop(each.partition, None)

    # batches

    def poll(self, limit_bytes: int) -> Batch | None:
        try:
            self._read(limit_bytes)
            waiting = {p: part for p, part in self._parts.items() if part.ahead and part.has_planned()}
            if not waiting:
                return None
            partition = min(waiting, key=lambda p: (waiting[p].ahead[0].timestamp()[1], p))
            return self._batch(partition, limit_bytes)
        except KafkaException as error:
            raise Transient(f"Kafka cannot be read: {error}") from error

    def _read(self, limit_bytes: int) -> None:
        """Ahead, until as much is there as fits, or all that there was when it was asked."""
        until = monotonic() + (SECONDS if self._has_joined else _JOIN_SECONDS)
        ends: dict[int, int] = {}
        while monotonic() < until:
            for message in self._consumer.consume(_AT_ONCE, timeout=0.05):
                if message.error() is None:
                    self._keep(message)
                elif message.error().fatal():
                    raise KafkaException(message.error())
            if not self._has_joined:
                continue
            ends |= {p: self._topic.ranges([p])[p].high for p in self._parts.keys() - ends.keys()}
            has_all = all(part.next >= ends[p] for p, part in self._parts.items())
            is_much = sum(len(m.value() or b"") for part in self._parts.values() for m in part.ahead) >= limit_bytes
            if has_all or (is_much and all(part.has_planned() for part in self._parts.values())):
                return

    def _keep(self, message: Message) -> None:
        part = self._parts.get(message.partition())
        if part is not None and message.offset() >= part.next:
            part.ahead.append(message)
            part.next = message.offset() + 1

    def _batch(self, partition: int, limit_bytes: int) -> Batch:
        part = self._parts[partition]
        size = _planned(part) if part.planned is not None else _cut(part.ahead, limit_bytes)
        messages = list(islice(part.ahead, size))
        first, last = messages[0].offset(), messages[-1].offset()
        if part.planned != last:
            if not self._store(partition, first, str(last)):
                raise Transient(f"{self._topic.shard(partition)} is being given to another worker")
            part.planned = last
        data = b"".join(line(message) + b"\n" for message in messages)
        return Batch(self._topic.shard(partition), first, last, arrived(messages[0]), data)

    def commit(self, batch: Batch) -> None:
        partition = int(batch.shard.rpartition("-")[2])
        part = self._parts.get(partition)
        if part is None or (part.first, part.planned) != (batch.first, batch.last):
            return
        if not self._store(partition, batch.last + 1, ""):
            get_logger().info("a batch is another worker's by now", shard=batch.shard, first=batch.first)
            return
        while part.ahead and part.ahead[0].offset() <= batch.last:
            part.ahead.popleft()
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


def _planned(part: _Part) -> int:
    return sum(1 for message in part.ahead if message.offset() <= (part.planned or 0))


def _cut(messages: deque[Message], limit_bytes: int) -> int:
    """How many of them are a batch: of one minute, without a gap, and within the limit unless it is one."""
    size, minute = 0, _minute(messages[0])
    for count, message in enumerate(messages):
        size += len(message.value() or b"") + 1
        is_gap = message.offset() != messages[0].offset() + count
        if count and (size > limit_bytes or is_gap or _minute(message) != minute):
            return count
    return len(messages)


def _minute(message: Message) -> datetime:
    return arrived(message).replace(second=0, microsecond=0)
