"""How many events a second go over Kafka: by a bare client, by our stream and deliver, and by the whole way with kills.

    python benchmarks/kafka.py [--events 1000000]

A broker of its own on this machine, four partitions. References in the same run: a producer and a consumer of the same
library that do nothing else (acks=all, idempotent, lz4, as ours). The whole way is that of
tests/test_kafka_the_way.py: two collectors and two workers, both workers and the broker killed, every event counted at
the end. Needs Java and Maven (`apt-get install default-jre-headless maven`).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from confluent_kafka import Consumer, Producer

from penstock.bronze.deliver import deliver
from penstock.collect import Request
from penstock.collect.app import Collector
from penstock.objects import Objects
from penstock.stream import Record
from penstock.stream.kafka import open as open_kafka

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from kafka_in_hand import Broker
from kafka_run import BATCH, body, run

_OBJECT_BYTES = 16 << 20


def records(events: int) -> list[Record]:
    """As the collector makes them of so many events."""
    collector = Collector()
    found: list[Record] = []
    for batch in range(events // BATCH):
        found += collector.receive(Request("POST", "/v1/events", "", {}, body(batch, batch))).records
    return found


def bare_producer(broker: Broker, topic: str, given: Sequence[Record]) -> None:
    words = {"acks": "all", "enable.idempotence": True, "linger.ms": 1, "compression.type": "lz4"}
    producer = Producer({"bootstrap.servers": broker.address, "queue.buffering.max.messages": 1_000_000, **words})
    for record in given:
        while True:
            try:
                producer.produce(topic, record.data, key=record.key.encode() or None)
                break
            except BufferError:
                producer.poll(0.05)
    assert producer.flush(60) == 0, "not all was acknowledged"


def bare_consumer(broker: Broker, topic: str, expected: int) -> None:
    words = {"group.id": "bare", "auto.offset.reset": "earliest", "fetch.queue.backoff.ms": 20}
    consumer = Consumer({"bootstrap.servers": broker.address, **words})
    consumer.subscribe([topic])
    found = 0
    while found < expected:
        found += sum(message.error() is None for message in consumer.consume(2000, timeout=0.05))
    consumer.close()


def appended(url: str, given: Sequence[Record]) -> None:
    """In groups as large as those of eight waiting requests."""
    stream = open_kafka(url)
    for start in range(0, len(given), 8 * BATCH):
        stream.append(given[start : start + 8 * BATCH])
    stream.close()


def delivered(url: str, folder: Path, expected: int) -> None:
    stream = open_kafka(url)
    found = 0
    while found < expected:
        found += deliver(stream, Objects(folder.as_uri()), limit_bytes=_OBJECT_BYTES).records
    stream.close()


def steps(broker: Broker, folder: Path, given: Sequence[Record]) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is measured, in order; each finds the topic as the one before left it."""
    url = broker.new_topic().replace("partitions=1", "partitions=4")
    topic, other = urlsplit(url).path.strip("/"), broker.new_topic().replace("partitions=1", "partitions=4")
    for each in (url, other):
        stream = open_kafka(each)
        stream.append(given[:1])  # which makes the topic
        stream.close()
    yield "bare producer", lambda: bare_producer(broker, topic, given)
    yield "penstock, append", lambda: appended(other, given)
    yield "bare consumer", lambda: bare_consumer(broker, topic, len(given) + 1)
    yield "penstock, deliver", lambda: delivered(url, folder / "bronze", len(given) + 1)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=1_000_000)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=Path.cwd()) as name:
        folder = Path(name)
        try:
            broker = Broker(folder / "kafka")
        except pytest.skip.Exception as missing:
            print(f"SKIPPED: {missing}")
            return
        broker.start()
        try:
            compare(broker, folder, options.events)
            whole = folder / "whole"
            whole.mkdir()
            print(run(broker, whole, options.events).told())
        finally:
            broker.kill()


def compare(broker: Broker, folder: Path, events: int) -> None:
    given = records(events)
    size = sum(len(record.data) for record in given) / len(given)
    print(f"{events:,} events of {size:.0f} bytes, {os.cpu_count()} cores, broker and clients on the same cores")
    for name, step in steps(broker, folder, given):
        started = time.perf_counter()
        step()
        print(f"{name:20}{events / (time.perf_counter() - started):>12,.0f} events/s")


if __name__ == "__main__":
    main()
