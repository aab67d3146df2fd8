"""A Kafka topic looked at without being a member of a group: how long it is, what lies at an offset or time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from time import monotonic
from typing import NamedTuple

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from ..errors import Transient
from . import Lag, Tail
from ._kafka_errors import QUIET

SECONDS = 15
"""So long a broker may take for an answer."""
BACKOFF_MS = 20
"""So long the client fetches nothing after its queue was full; by itself it would take a second."""
_AT_ONCE = 2000
_TRIES = 3


class Ends(NamedTuple):
    """Of a partition: the offset of the first record that is still there, and of the next one to come."""

    low: int
    high: int


class Got(NamedTuple):
    """A record as it was read; `line` has no line end."""

    partition: int
    offset: int
    at: datetime
    line: bytes

    @classmethod
    def of(cls, message: Message) -> Got:
        """What others write into the topic may have line ends, which mean nothing in JSON."""
        at = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
        partition, offset = message.partition(), message.offset()
        assert partition is not None and offset is not None, "only what is produced has none"
        value = message.value()
        return cls(partition, offset, at, (value if isinstance(value, bytes) else b"null").replace(b"\n", b" "))


class Topic:
    def __init__(self, name: str, config: Mapping[str, str], partitions: int, retention_seconds: int) -> None:
        self.name = name
        self.config: dict[str, str | int | float | bool] = dict(config)
        self._wanted = NewTopic(name, num_partitions=partitions, config={"retention.ms": str(retention_seconds * 1000)})
        self._is_made = False
        self._askers: dict[str, Consumer] = {}

    def shard(self, partition: int) -> str:
        return f"{self.name}-{partition}"

    def group(self, consumer: str) -> str:
        return f"penstock-{self.name}-{consumer}"

    @property
    def _forgotten(self) -> str:
        return f"penstock-forgotten-{self.name}"

    def _partition(self, shard: str) -> int:
        return int(shard.rpartition("-")[2])

    @cached_property
    def _admin(self) -> AdminClient:
        """The first to ask, so it says on stderr why it may not."""
        return AdminClient({"log_level": "3", **self.config})

    @cached_property
    def _reader(self) -> Consumer:
        """Assigned by hand, so a member of no group."""
        return Consumer(
            {
                "log_level": QUIET,
                "queued.min.messages": _AT_ONCE,  # it looks at a place and leaves again: what it fetched ahead is lost
                "fetch.queue.backoff.ms": BACKOFF_MS,
                **self.config,
                "group.id": "penstock-look",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )

    def make(self) -> None:
        """If it is not there. Raises Transient."""
        if self._is_made:
            return
        made = self._admin.create_topics([self._wanted], request_timeout=SECONDS)[self.name]
        try:
            made.result(SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise Transient(f"the Kafka topic {self.name} cannot be made: {error}") from error
        except TimeoutError as error:
            raise Transient("no Kafka broker answers") from error
        self._is_made = True
        self.__dict__.pop("_admin", None)  # it would say each second that a broker is away

    def partitions(self) -> list[int]:
        try:
            found = self._reader.list_topics(self.name, timeout=SECONDS).topics[self.name]
        except KafkaException as error:
            raise Transient(f"no Kafka broker answers: {error}") from error
        return [] if found.error is not None else sorted(found.partitions)

    def ranges(self, partitions: Iterable[int] | None = None) -> dict[int, Ends]:
        """Asked again after a broker came back, as what is known of it is old then."""
        asked = self.partitions() if partitions is None else list(partitions)
        for _ in range(_TRIES):
            try:
                return {partition: self._range(partition) for partition in asked}
            except KafkaException as error:
                wrong = error
                self.partitions()
        raise Transient(f"Kafka does not say how long {self.name} is: {wrong}") from wrong

    def _range(self, partition: int) -> Ends:
        found = self._reader.get_watermark_offsets(TopicPartition(self.name, partition), timeout=SECONDS)
        if found is None:
            raise Transient(f"Kafka does not say in time how long {self.name} is")
        return Ends(*found)

    def committed(self, group: str) -> dict[int, int]:
        """Partition → the offset that the group takes next; without those of which it has taken nothing.

        A consumer asks that joins nothing: librdkafka's administration ends the process when a broker goes away.
        """
        if group not in self._askers:
            self._askers[group] = Consumer(
                {"log_level": QUIET, **self.config, "group.id": group, "enable.auto.commit": False}
            )
        asked = [TopicPartition(self.name, partition) for partition in self.partitions()]
        try:
            found = self._askers[group].committed(asked, timeout=SECONDS) if asked else []
        except KafkaException as error:
            raise Transient(f"Kafka does not say how far {group} is: {error}") from error
        return {each.partition: each.offset for each in found if each.offset >= 0}

    def positions(self, group: str) -> dict[int, tuple[int, Ends]]:
        """Partition → what the group takes next, and its ends."""
        committed = self.committed(group)
        return {
            partition: (max(committed.get(partition, ends.low), ends.low), ends)
            for partition, ends in self.ranges().items()
        }

    def lag(self, group: str) -> Lag:
        waiting = {
            partition: (start, ends.high - start)
            for partition, (start, ends) in self.positions(group).items()
            if ends.high > start
        }
        heads = self._heads({partition: start for partition, (start, _) in waiting.items()})
        size = sum((len(head.line) + 1) * waiting[partition][1] for partition, head in heads.items())
        oldest = min((head.at for head in heads.values()), default=None)
        return Lag(sum(records for _, records in waiting.values()), size, oldest)

    def _heads(self, starts: Mapping[int, int]) -> dict[int, Got]:
        """Partition → the first record at or after the offset."""
        found: dict[int, Got] = {}
        for got in self._read(starts, lambda: len(found) < len(starts)):
            found.setdefault(got.partition, got)
        return found

    def _read(self, starts: Mapping[int, int], goes_on: Callable[[], bool]) -> Iterable[Got]:
        """Records from there on, of each partition in order, while it `goes_on`."""
        if not starts:
            return
        reader = self._reader
        reader.assign([TopicPartition(self.name, partition, offset) for partition, offset in starts.items()])
        try:
            until = monotonic() + SECONDS
            while goes_on() and monotonic() < until:
                for message in reader.consume(_AT_ONCE, timeout=0.2):
                    if message.error() is None:
                        yield Got.of(message)
        except KafkaException as error:
            raise Transient(f"Kafka cannot be read: {error}") from error
        finally:
            reader.unassign()

    def _at(self, at: datetime) -> dict[int, int]:
        """Partition → the first record that arrived at or after that time, or the next one to come."""
        ranges = self.ranges()
        asked = [TopicPartition(self.name, partition, int(at.timestamp() * 1000)) for partition in ranges]
        try:
            told = self._reader.offsets_for_times(asked, timeout=SECONDS) if asked else []
        except KafkaException as error:
            raise Transient(f"Kafka does not say what arrived when: {error}") from error
        return {each.partition: each.offset if each.offset >= 0 else ranges[each.partition].high for each in told}

    def cursor(self, at: datetime) -> Mapping[str, int]:
        return {self.shard(partition): offset for partition, offset in self._kept(at).items()}

    def _kept(self, at: datetime) -> dict[int, int]:
        """As `_at`, but behind what is to be forgotten."""
        forgotten = self.committed(self._forgotten)
        return {partition: max(offset, forgotten.get(partition, 0)) for partition, offset in self._at(at).items()}

    def ends(self) -> Mapping[str, int]:
        return {self.shard(partition): ends.high for partition, ends in self.ranges().items() if ends.high}

    def seek(self, group: str, at: datetime) -> int:
        then, back = self._kept(at), dict[int, tuple[int, int]]()
        for partition, (position, ends) in self.positions(group).items():
            start = max(min(position, then[partition]), ends.low)
            back[partition] = (position, start)
        self._move(group, {partition: start for partition, (_, start) in back.items()})
        return sum(position - start for position, start in back.values())

    def _move(self, group: str, to: Mapping[int, int]) -> None:
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(self.name, p, offset) for p, offset in to.items()])
        if not to:
            return
        try:
            told = self._admin.alter_consumer_group_offsets([asked], request_timeout=SECONDS)[group].result(SECONDS)
            if wrong := next((each.error for each in told.topic_partitions if each.error is not None), None):
                raise KafkaException(wrong)
        except (KafkaException, TimeoutError) as error:
            raise Transient(f"Kafka does not move {group} while its workers run; stop them first: {error}") from error

    def forget(self, until: datetime) -> None:
        """Remembered as the offsets of a group that nobody joins; deleted as far as all our consumers have taken it."""
        until_offsets = self._kept(until)
        self._move(self._forgotten, until_offsets)
        taken = [self.committed(group) for group in self._groups()] or [{}]
        gone = {p: min([offset, *(each.get(p, 0) for each in taken)]) for p, offset in until_offsets.items()}
        asked = [TopicPartition(self.name, partition, offset) for partition, offset in gone.items() if offset > 0]
        for future in self._admin.delete_records(asked, request_timeout=SECONDS).values() if asked else ():
            try:
                future.result(SECONDS)
            except (KafkaException, TimeoutError) as error:
                raise Transient(f"Kafka does not delete what is to be forgotten: {error}") from error

    def _groups(self) -> list[str]:
        try:
            found = self._admin.list_consumer_groups(request_timeout=SECONDS).result(SECONDS)
        except (KafkaException, TimeoutError) as error:
            raise Transient(f"Kafka does not say who reads: {error}") from error
        names = [each.group_id for each in found.valid]
        return [name for name in names if name.startswith(self.group(""))]

    def tail(self, cursor: Mapping[str, int] | None, limit_bytes: int | None) -> Tail:
        ranges = self.ranges()
        if cursor is None:
            return Tail([], {self.shard(partition): ends.high for partition, ends in ranges.items()})
        known = {self._partition(shard): offset for shard, offset in cursor.items()}
        at = {partition: max(known.get(partition, 0), ends.low) for partition, ends in ranges.items()}
        lines: list[bytes] = []
        size = 0

        def goes_on() -> bool:
            more = any(at[partition] < ends.high for partition, ends in ranges.items())
            return more and (limit_bytes is None or size < limit_bytes)

        starts = {partition: offset for partition, offset in at.items() if offset < ranges[partition].high}
        for got in self._read(starts, goes_on):
            if limit_bytes is not None and size >= limit_bytes:
                continue  # it comes with the next cursor
            lines.append(got.line)
            size += len(got.line)
            at[got.partition] = got.offset + 1
        return Tail(lines, {self.shard(partition): offset for partition, offset in at.items()})

    def close(self) -> None:
        """Whoever reads is closed; whoever only asks closes when nobody holds it."""
        self.__dict__.pop("_admin", None)
        readers = [self.__dict__.pop("_reader")] if "_reader" in self.__dict__ else []
        for each in (*readers, *self._askers.values()):
            with suppress(KafkaException):
                each.close()
        self._askers.clear()
