"""A Kafka topic as the stream: its partitions are the shards, and workers share them as a consumer group.

`kafka://host:9092,host2:9092/topic?partitions=6`, and further words of librdkafka's configuration, or
`?config=/path/client.properties` with one `name=value` a line, so that a password is in no URL.

What is appended is acknowledged by all replicas in sync. How far a consumer has come, and where its batch in hand ends,
is kept in Kafka with its offsets; so whoever gets a partition after a crash gets the same batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from ..clock import Clock, utc_now
from ..errors import SettingsError, Transient
from . import Batch, Lag, Promise, Record, Stream, Tail
from ._kafka_errors import QUIET, tell_seldom
from ._kafka_group import Group
from ._kafka_topic import Topic

_SECONDS = 30
"""After that an append that was not acknowledged has failed, though its records may be there. In the URL,
`message.timeout.ms` says otherwise."""
_SLACK_SECONDS = 5
_PRODUCERS = {"message.timeout.ms", "linger.ms", "compression.type", "message.max.bytes"}
"""Words that a consumer does not know."""
_OURS = {"partitions", "config"}


class Address(NamedTuple):
    """`config` is librdkafka's; `partitions` and `retention` are those of a topic that is made."""

    topic: str
    partitions: int
    config: dict[str, str]


def open(url: str, *, clock: Clock = utc_now, retention_seconds: int = 86_400, **_: object) -> Stream:
    """The topic is made if it is missing. Raises SettingsError, Transient if no broker answers."""
    address = parse(url)
    common = {name: value for name, value in address.config.items() if name not in _PRODUCERS}
    topic = Topic(address.topic, common, address.partitions, retention_seconds)
    return KafkaStream(address, topic, clock)


def parse(url: str) -> Address:
    parts = urlsplit(url)
    words = dict(parse_qsl(parts.query, keep_blank_values=True))
    topic, partitions = parts.path.strip("/"), words.get("partitions", "6")
    if parts.scheme != "kafka" or not parts.netloc or not topic or not partitions.isdigit() or partitions == "0":
        raise SettingsError(f"{url!r} is no Kafka topic", hint="write kafka://host:9092/topic?partitions=6")
    config = {name: value for name, value in words.items() if name not in _OURS}
    if file := words.get("config"):
        config |= _properties(Path(file))
    return Address(topic, int(partitions), {**config, "bootstrap.servers": parts.netloc})


def _properties(file: Path) -> dict[str, str]:
    try:
        lines = [line.strip() for line in file.read_text("utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise SettingsError(f"the Kafka configuration {file} cannot be read: {error}") from error
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name.strip(): value.strip() for name, _, value in pairs}


class KafkaStream:
    max_record_bytes = 1_000_000
    """With its key and head this is below the 1 MiB that brokers take unless they are told otherwise."""
    declines = frozenset({Promise.LAG, Promise.BOUND, Promise.TOGETHER, Promise.CUTS})

    def __init__(self, address: Address, topic: Topic, clock: Clock) -> None:
        self._config = {"log_level": QUIET, "message.timeout.ms": str(_SECONDS * 1000), **address.config}
        self._seconds = int(self._config["message.timeout.ms"]) / 1000 + _SLACK_SECONDS
        self._topic = topic
        self._clock = clock
        self._groups: dict[str, Group] = {}
        self._opening = Lock()
        self._made: Producer | None = None

    def append(self, records: Sequence[Record]) -> None:
        producer, at = self._producer, int(self._clock().timestamp() * 1000)
        told = _Told(len(records))
        until = monotonic() + self._seconds
        for record in records:
            self._produce(producer, record, at, told, until)
        while told.waiting and monotonic() < until:
            producer.poll(0.05)
        if told.error is not None or told.waiting:
            raise Transient(f"Kafka did not acknowledge the events: {told.error or 'no answer in time'}")

    def _produce(self, producer: Producer, record: Record, at: int, told: _Told, until: float) -> None:
        while True:
            try:
                key = record.key.encode() or None
                producer.produce(self._topic.name, record.data, key=key, timestamp=at, on_delivery=told.hear)
                return
            except BufferError as error:  # its queue is full: others wait for acknowledgements too
                if monotonic() > until:
                    raise Transient("Kafka takes no more events at the moment") from error
                producer.poll(0.05)
            except KafkaException as error:
                raise Transient(f"Kafka does not take the events: {error}") from error

    @property
    def _producer(self) -> Producer:
        with self._opening:
            if self._made is None:
                self._topic.make()
                self._made = Producer(
                    {
                        "linger.ms": 1,  # an append holds all that waited, so there is little more to wait for
                        "message.max.bytes": 1 << 20,
                        "compression.type": "lz4",
                        **self._config,
                        "acks": "all",
                        "enable.idempotence": True,
                        "error_cb": tell_seldom(),
                    }
                )
            return self._made

    def poll(self, consumer: str, limit_bytes: int) -> Batch | None:
        return self._group(consumer).poll(limit_bytes)

    def commit(self, consumer: str, batch: Batch) -> None:
        self._group(consumer).commit(batch)

    def _group(self, consumer: str) -> Group:
        if consumer not in self._groups:
            self._topic.make()
            self._groups[consumer] = Group(consumer, self._topic)
        return self._groups[consumer]

    def lag(self, consumer: str) -> Lag:
        """Bytes are estimated from the oldest record of each partition."""
        return self._topic.lag(self._topic.group(consumer))

    def seek(self, consumer: str, at: datetime) -> int:
        """Raises Transient while others read for this consumer: they would go on where they are."""
        if (mine := self._groups.pop(consumer, None)) is not None:
            mine.close()
        return self._topic.seek(self._topic.group(consumer), at)

    def forget(self, until: datetime) -> None:
        self._topic.forget(until)

    def tail(self, cursor: Mapping[str, int] | None, limit_bytes: int | None = None) -> Tail:
        return self._topic.tail(cursor, limit_bytes)

    def cursor(self, at: datetime) -> Mapping[str, int]:
        return self._topic.cursor(at)

    def ends(self) -> Mapping[str, int]:
        return self._topic.ends()

    def close(self) -> None:
        while self._groups:
            self._groups.popitem()[1].close()
        if self._made is not None:
            self._made.flush(_SECONDS)
            self._made = None
        self._topic.close()


class _Told:
    """What became of the records of one append; the first error is enough."""

    def __init__(self, records: int) -> None:
        self.waiting = records
        self.error: KafkaError | None = None
        self._counting = Lock()

    def hear(self, error: KafkaError | None, message: Message | Any) -> None:
        with self._counting:
            self.waiting -= 1
            self.error = self.error or error
