"""What is Kafka's own: workers share partitions, brokers end and come again, others write into the topic."""

from __future__ import annotations

import gc
import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Producer

import kafka_in_hand
from hand_clock import HandClock
from penstock.errors import SettingsError, Transient
from penstock.stream import Batch, Record, Stream
from penstock.stream._kafka_errors import tell_seldom
from penstock.stream.kafka import open as open_kafka
from penstock.stream.kafka import parse

pytestmark = pytest.mark.heavy
ALL = 1 << 30
LONG_AGO, FAR_AWAY = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)


kafka = kafka_in_hand.kafka


class Here:
    """Opens one topic, which is a test's own, as often as it likes."""

    def __init__(self, broker: kafka_in_hand.Broker) -> None:
        self.broker = broker
        self.topic = f"events-{uuid.uuid4().hex[:8]}"
        self.clock = HandClock()
        self.opened: list[Stream] = []

    def __call__(self, partitions: int = 4, **config: object) -> Stream:
        words = "".join(f"&{name}={value}" for name, value in config.items())
        url = f"kafka://{self.broker.address}/{self.topic}?partitions={partitions}{words}"
        self.opened.append(open_kafka(url, clock=self.clock))
        return self.opened[-1]


@pytest.fixture
def here(kafka: kafka_in_hand.Broker) -> Iterator[Here]:
    made = Here(kafka)
    yield made
    for stream in made.opened:
        stream.close()


def records(count: int, start: int = 0) -> list[Record]:
    return [Record(b'{"n":%d}' % n, key=f"session {n % 50}") for n in range(start, start + count)]


def numbers(*batches: Batch) -> list[int]:
    return [json.loads(line)["n"] for batch in batches for line in batch.data.splitlines()]


def taken(stream: Stream, most: int = 1_000_000, limit: int = ALL) -> list[Batch]:
    """At most so many batches, committed."""
    found: list[Batch] = []
    while len(found) < most and (batch := stream.poll("c", limit)) is not None:
        stream.commit("c", batch)
        found.append(batch)
    return found


def test_a_session_stays_in_one_partition_and_in_order(here: Here) -> None:
    stream = here()
    for start in range(0, 1000, 100):
        stream.append(records(100, start))
    batches = taken(stream, limit=1000)
    assert len({batch.shard for batch in batches}) == 4
    found = numbers(*batches)
    assert sorted(found) == list(range(1000))
    for session in range(50):
        of_it = [n for n in found if n % 50 == session]
        assert of_it == sorted(of_it)


def test_workers_share_the_partitions(here: Here) -> None:
    first = here()
    first.append(records(400))
    sent, found = 400, numbers(*taken(first, most=1, limit=500))
    second = here()
    shards: list[set[str]] = [set(), set()]
    for _ in range(200):  # until the group has settled, and all is taken
        for shown, stream in zip(shards, (first, second), strict=True):
            for batch in taken(stream, most=1, limit=200):
                shown.add(batch.shard)
                found += numbers(batch)
        if first.lag("c").records == 0 and shards[1]:
            break
        if sent < 800:
            first.append(records(4, sent))
            sent += 4
    assert shards[1], "the second worker was given nothing"
    assert sorted(found) == list(range(sent))


def test_a_worker_without_a_partition_has_nothing(here: Here) -> None:
    first, second = here(partitions=1), here(partitions=1)
    first.append(records(10))
    (batch,) = taken(first)
    assert len(batch) == 10
    assert second.poll("c", ALL) is None
    first.append(records(10))
    assert second.poll("c", ALL) is None
    assert len(taken(first)) == 1


def test_the_next_worker_gets_the_batch_that_was_in_hand(here: Here) -> None:
    first = here(partitions=1)
    first.append(records(100))
    in_hand = first.poll("c", 200)
    assert in_hand is not None and 0 < len(in_hand) < 100
    first.append(records(100, 100))
    first.close()  # its batch was delivered, perhaps, but not committed
    second = here(partitions=1)
    assert second.poll("c", ALL) == in_hand
    second.commit("c", in_hand)
    assert numbers(in_hand, *taken(second)) == list(range(200))


def test_a_worker_that_lost_its_partition_commits_nothing(here: Here) -> None:
    first = here(partitions=1)
    first.append(records(10))
    in_hand = first.poll("c", ALL)
    assert in_hand is not None
    first.close()
    second = here(partitions=1)
    assert second.poll("c", 20) == in_hand
    again = here(partitions=1)
    again.commit("c", in_hand)  # it has no part in the group
    assert second.poll("c", 20) == in_hand


def test_a_replay_waits_until_nobody_reads(here: Here) -> None:
    worker, other = here(partitions=1), here(partitions=1)
    worker.append(records(10))
    assert len(taken(worker)) == 1
    with pytest.raises(Transient, match="stop them"):
        other.seek("c", LONG_AGO)
    worker.close()
    assert other.seek("c", LONG_AGO) == 10
    assert numbers(*taken(other)) == list(range(10))


def test_a_replay_begins_at_its_time(here: Here) -> None:
    stream = here(partitions=1)
    for minute in range(5):
        stream.append(records(10, minute * 10))
        here.clock.tick(60)
    assert len(taken(stream)) == 5
    here.clock.tick(-150)
    assert stream.seek("c", here.clock()) == 20
    assert numbers(*taken(stream)) == list(range(30, 50))


def test_forgetting_spares_what_was_not_taken(here: Here) -> None:
    stream = here(partitions=1)
    stream.append(records(50))
    (batch,) = taken(stream, most=1, limit=100)
    stream.forget(FAR_AWAY)
    assert stream.seek("c", LONG_AGO) == 0
    left = [json.loads(line)["n"] for line in stream.tail({}).lines]
    assert left == list(range(len(batch), 50)) == numbers(*taken(stream))
    stream.forget(FAR_AWAY)
    assert stream.tail({}).lines == []
    assert stream.ends() == {batch.shard: 50}


def test_what_others_write_into_the_topic_is_one_line_each(here: Here) -> None:
    stream = here(partitions=1)
    stream.append(records(1))
    others = Producer({"bootstrap.servers": here.broker.address})
    for value in (b'{\n  "n": 1\n}', None, b'{"n": 2}'):
        others.produce(here.topic, value)
    others.flush(10)
    batches = taken(stream)
    assert b"".join(batch.data for batch in batches).splitlines() == [b'{"n":0}', b'{   "n": 1 }', b"null", b'{"n": 2}']


def test_a_broker_that_is_killed_loses_nothing_that_it_acknowledged(
    here: Here, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = here(**{"message.timeout.ms": 3000})
    stream.append(records(500))
    early = taken(stream, most=2, limit=500)
    here.broker.kill()
    with pytest.raises(Transient, match="did not acknowledge"):
        stream.append(records(10, 10_000))
    assert 0 < "".join(capfd.readouterr()).count("Connection refused") < 5, "clients try often, and tell seldom"
    here.broker.start()
    stream.append(records(500, 500))
    found = numbers(*early, *taken(stream))
    assert sorted(set(found) - set(range(10_000, 10_010))) == list(range(1000))
    assert len(found) == len(set(found)), "what failed may be there, but nothing is there twice"


def test_trouble_is_told_once_a_minute_by_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    tell = tell_seldom(lambda: now)
    for now in (100.0, 100.05, 159.9, 160.0):
        tell(KafkaError(KafkaError._TRANSPORT, f"refused at {now}"))
        tell(KafkaError(KafkaError._AUTHENTICATION, f"wrong at {now}"))
    said = capsys.readouterr().out
    assert re.findall(r"(?:refused|wrong) at [\d.]+", said) == [
        "refused at 100.0", "wrong at 100.0", "refused at 160.0", "wrong at 160.0",
    ]  # fmt: skip


def test_a_broker_that_is_nowhere_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.stream._kafka_topic.SECONDS", 1)
    stream = open_kafka("kafka://127.0.0.1:1/events?message.timeout.ms=1000&socket.timeout.ms=1000")
    with pytest.raises(Transient, match=r"no Kafka broker answers|cannot be made"):
        stream.append(records(1))
    stream.close()


def test_passwords_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("# ours\nsasl.username = penstock\nsasl.password=a=b\n\n")
    found = parse(f"kafka://a:1,b:2/events?partitions=3&security.protocol=SASL_SSL&config={file}")
    assert found.topic == "events"
    assert found.partitions == 3
    assert found.config == {
        "bootstrap.servers": "a:1,b:2", "security.protocol": "SASL_SSL",
        "sasl.username": "penstock", "sasl.password": "a=b",
    }  # fmt: skip


@pytest.mark.parametrize(
    "url", ["kafka://", "kafka://host:1", "kafka:///topic", "kafka://h:1/t?partitions=0", "kafka://h/t?config=/none"]
)
def test_what_is_no_topic_is_said(url: str) -> None:
    with pytest.raises(SettingsError):
        parse(url)


def test_a_closed_stream_leaves_nothing_connected(here: Here) -> None:
    """Without waiting for the garbage collector: what is connected goes on asking a broker that is away."""

    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    gc.disable()
    try:
        before = threads()
        stream = here()
        stream.append(records(10))
        taken(stream)
        stream.lag("c")
        assert threads() > before
        stream.close()
        assert threads() == before
    finally:
        gc.enable()


def test_what_was_read_ahead_counts_only_while_it_waits(here: Here) -> None:
    """A batch goes as far as the limit, whatever was taken before."""
    stream = here(partitions=1)
    stream.append(records(3000))
    sizes = [len(batch) for batch in taken(stream, limit=12_000)]
    assert len(sizes) < 10 and sum(sizes) == 3000
    stream.append(records(3000))
    assert sum(len(batch) for batch in taken(stream, limit=12_000)) == 3000
