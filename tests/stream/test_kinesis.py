"""Kinesis: what AWS bills and limits, faults of all kinds on the way there, shards that are split and merged."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import aws_in_hand
from aws_in_hand import Faults
from hand_clock import NOON, HandClock
from penstock.errors import SettingsError, Transient
from penstock.stream import Batch, Record, _kinesis_put, kinesis

ALL = 1 << 30


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as env, aws_in_hand.aws(env):
        yield


@pytest.fixture
def stream(aws: None, tmp_path: Path) -> Iterator[Any]:
    opened = opened_at(aws_in_hand.new_stream(), tmp_path)
    yield opened
    opened.close()


def opened_at(url: str, folder: Path, **options: Any) -> Any:
    return kinesis.open(url, positions=f"file://{folder}/positions", idle_seconds=0, **options)


def drain(stream: Any, consumer: str = "c") -> list[Batch]:
    found = []
    while (batch := stream.poll(consumer, ALL)) is not None:
        found.append(batch)
        stream.commit(consumer, batch)
    return found


def texts(batches: list[Batch]) -> list[bytes]:
    return [text for batch in batches for text in batch.data.splitlines()]


def line(number: int) -> bytes:
    return b'{"n":%d}' % number


def records(*numbers: int) -> list[Record]:
    return [Record(line(n), key=str(n)) for n in numbers]


# what is sent


def test_events_of_one_session_share_a_record(stream: Any) -> None:
    sent = Faults(stream, "PutRecords")
    stream.append([Record(b'{"event":"%s"}' % (b"x" * 400), key=f"session {n // 50}") for n in range(200)])
    assert sent.sizes == [4]
    assert len(texts(drain(stream))) == 200


def test_a_call_keeps_to_the_limits_of_aws(stream: Any) -> None:
    sent = Faults(stream, "PutRecords")
    stream.append(records(*range(1200)))
    assert sent.sizes == [500, 500, 200]
    big = Record(b"x" * stream.max_record_bytes)
    sent.sizes.clear()
    stream.append([big] * 9)
    assert sent.sizes == [5, 4]
    assert len(texts(drain(stream))) == 1209


def test_a_key_comes_once_in_a_call_so_its_order_survives_a_partial_failure(stream: Any) -> None:
    sent = Faults(stream, "PutRecords", "partial", "partial", "partial")
    many = [Record(b"%d %s" % (n, b"x" * 20_000), key=f"session {n % 3}") for n in range(12)]
    stream.append(many)
    assert max(sent.sizes) == 3
    found = texts(drain(stream))
    for session in range(3):
        assert [text for text in found if int(text.split()[0]) % 3 == session] == [r.data for r in many[session::3]]


def test_keys_of_any_length(stream: Any) -> None:
    stream.append([Record(b"1", key="ü" * 256), Record(b"2", key="k" * 5000), Record(b"3", key="")])
    assert sorted(texts(drain(stream))) == [b"1", b"2", b"3"]


# faults on the way


@pytest.mark.parametrize(
    ("faults", "twice"),
    [
        (["throttled", "throttled"], False),
        (["unavailable"], False),
        (["partial", "partial", "throttled", "partial"], False),
        (["timeout_after_commit"], True),
        (["partial", "timeout_after_commit"], True),
    ],
)
def test_nothing_is_lost_and_only_what_failed_is_sent_again(stream: Any, faults: list[str], twice: bool) -> None:
    sent = Faults(stream, "PutRecords", *faults)
    stream.append(records(*range(100)))
    assert sent.calls == len(faults) + 1
    found = texts(drain(stream))
    assert set(found) == {line(n) for n in range(100)}
    assert (len(found) > 100) == twice


def test_what_does_not_pass_is_told_at_once(stream: Any) -> None:
    sent = Faults(stream, "PutRecords", "denied")
    with pytest.raises(Transient, match="no") as raised:
        stream.append(records(1))
    assert sent.calls == 1
    assert raised.value.hint


def test_what_does_not_end_is_transient(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kinesis_put, "_SECONDS", 0.3)
    Faults(stream, "PutRecords", *["throttled"] * 1000)
    with pytest.raises(Transient):
        stream.append(records(1))


def test_a_throttled_reader_waits_and_goes_on(stream: Any) -> None:
    stream.append(records(*range(10)))
    for operation in ("GetRecords", "GetShardIterator", "ListShards"):
        Faults(stream, operation, "throttled", "unavailable", "throttled")
    assert texts(drain(stream)) == [line(n) for n in range(10)]


def test_a_stream_that_is_not_there(aws: None, tmp_path: Path) -> None:
    missing = opened_at("kinesis://nothing", tmp_path)
    for call in (lambda: missing.append(records(1)), lambda: missing.poll("c", ALL), lambda: missing.lag("c")):
        with pytest.raises(Transient) as raised:
            call()
        assert "exists" in raised.value.hint


def test_who_only_appends_needs_no_positions(aws: None) -> None:
    stream = kinesis.open(aws_in_hand.new_stream())
    stream.append(records(1))
    with pytest.raises(SettingsError):
        stream.poll("c", ALL)
    for url in ("kinesis://", "kinesis://a/b", "kinesis:name"):
        with pytest.raises(SettingsError):
            kinesis.open(url)


# consumers


def test_a_commit_and_a_seek_of_two_processes(stream: Any, tmp_path: Path) -> None:
    other = opened_at(f"kinesis://{stream._stream}", tmp_path)
    stream.append(records(1, 2))
    batch = stream.poll("c", ALL)
    stream.commit("c", batch)
    stream.append(records(3))
    in_hand = stream.poll("c", ALL)
    assert other.seek("c", NOON) == 2
    stream.commit("c", in_hand)
    assert drain(stream) == [batch, in_hand]
    assert other.poll("c", ALL) is None


def test_old_batches_are_forgotten(aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock()
    aws_in_hand.keep_time(monkeypatch, clock)
    stream = opened_at(aws_in_hand.new_stream(), tmp_path, clock=clock, retention_seconds=3600)
    for n in range(10):
        stream.append(records(n))
        drain(stream)
        clock.tick(3600)
    assert len(list((tmp_path / "positions").rglob("cuts/*/*.json"))) <= 5
    assert len(list((tmp_path / "positions").rglob("position-*.json"))) <= 2


# shards, on a Kinesis that is strict about them


@pytest.fixture(scope="module")
def strict() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as env, aws_in_hand.kinesalite(env):
        yield


@pytest.fixture
def sharded(strict: None, tmp_path: Path) -> Iterator[Any]:
    opened = opened_at(aws_in_hand.new_stream(), tmp_path)
    yield opened
    opened.close()


def reshard(stream: Any) -> None:
    """Each open shard in two."""
    client, name = boto3.client("kinesis"), stream._stream
    for shard in open_shards(client, name):
        split(client, name, shard)
    client.close()


def split(client: Any, name: str, shard: Any) -> None:
    low, high = hashes(shard)
    client.split_shard(StreamName=name, ShardToSplit=shard["ShardId"], NewStartingHashKey=str((low + high) // 2 + 1))
    settled(client, name)


def merge(stream: Any) -> None:
    """The first two into one."""
    client, name = boto3.client("kinesis"), stream._stream
    first, second = sorted(open_shards(client, name), key=hashes)[:2]
    client.merge_shards(StreamName=name, ShardToMerge=first["ShardId"], AdjacentShardToMerge=second["ShardId"])
    settled(client, name)
    client.close()


def hashes(shard: Any) -> tuple[int, int]:
    return int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"])


def settled(client: Any, name: str) -> None:
    for _ in range(1000):
        if client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE":
            return
    raise AssertionError("it does not settle")


def open_shards(client: Any, name: str) -> list[Any]:
    shards = client.list_shards(StreamName=name)["Shards"]
    return [shard for shard in shards if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]


def test_splits_and_merges_lose_nothing_and_keep_the_order_of_a_key(sharded: Any, tmp_path: Path) -> None:
    keys = [f"session {n}" for n in range(20)]
    written: dict[str, list[bytes]] = {key: [] for key in keys}

    def write(generation: int) -> None:
        some = [Record(b'{"k":"%s","n":%d}' % (key.encode(), generation), key) for key in keys]
        for record in some:
            written[record.key].append(record.data)
        sharded.append(some)

    write(0)
    # Not before: a shard in which nothing is, kinesalite never finds the end of.
    beside = sharded.tail(None).cursor
    early = drain(sharded)
    write(1)
    reshard(sharded)
    write(2)
    merge(sharded)
    write(3)
    reshard(sharded)
    write(4)
    again = opened_at(f"kinesis://{sharded._stream}", tmp_path)
    found = texts(early + drain(again))
    for key in keys:
        assert [text for text in found if b'"%s"' % key.encode() in text] == written[key]
    assert drain(sharded) == [], "what one took, another does not take again"
    assert sorted(sharded.tail(beside).lines) == sorted(set(found) - set(texts(early)))
    assert again.lag("c").records == 0


def test_children_wait_for_their_parents(sharded: Any) -> None:
    sharded.append(records(*range(10)))
    reshard(sharded)
    sharded.append(records(*range(10, 30)))
    parent = sharded.poll("c", ALL)
    assert texts([parent]) == [line(n) for n in range(10)]
    assert sharded.poll("c", ALL) == parent
    assert sharded.lag("c").records == 10
    sharded.commit("c", parent)
    assert sorted(texts(drain(sharded))) == sorted(line(n) for n in range(10, 30))


def test_replay_over_closed_shards(sharded: Any) -> None:
    sharded.append(records(*range(10)))
    before = drain(sharded)
    reshard(sharded)
    sharded.append(records(*range(10, 30)))
    batches = before + drain(sharded)
    assert sharded.seek("c", NOON) == 30
    assert sorted(drain(sharded), key=lambda batch: batch.first) == sorted(batches, key=lambda batch: batch.first)


def test_sequence_numbers_are_long(sharded: Any) -> None:
    sharded.append(records(1))
    [batch] = drain(sharded)
    assert len(str(batch.first)) == 56
    assert (len(batch), batch.counted) == (1, False)


@pytest.mark.parametrize("seed", range(3))
def test_a_life_with_crashes_replays_and_new_shards(sharded: Any, tmp_path: Path, seed: int) -> None:
    """Nothing is lost, a batch that was once seen never changes, and of each session all comes in order."""
    dice = random.Random(seed)
    stream, url = sharded, f"kinesis://{sharded._stream}"
    written: dict[str, list[bytes]] = {f"session {n}": [] for n in range(12)}
    seen: dict[tuple[str, int], Batch] = {}
    taken: dict[str, list[bytes]] = {key: [] for key in written}

    def append() -> None:
        some = [
            Record(b'{"k":"%s","n":%d}' % (key.encode(), len(written[key])), key)
            for key in dice.sample(sorted(written), 4)
        ]
        for record in some:
            written[record.key].append(record.data)
        stream.append(some)

    def take() -> bool:
        batch = stream.poll("c", dice.choice([1, 100, ALL]))
        if batch is None:
            return False
        fresh = (batch.shard, batch.first) not in seen
        assert seen.setdefault((batch.shard, batch.first), batch) == batch
        if dice.random() < 0.8:
            stream.commit("c", batch)
        for text in batch.data.splitlines() if fresh else ():
            taken[json.loads(text)["k"]].append(text)
        return True

    for _ in range(70):
        match dice.choice(["append"] * 4 + ["take"] * 6 + ["crash", "seek", "split", "merge"]):
            case "append":
                append()
            case "take":
                take()
            case "crash":
                stream = opened_at(url, tmp_path)
            case "seek":
                stream.seek("c", NOON)
            case "split":
                client = boto3.client("kinesis")
                split(client, stream._stream, dice.choice(open_shards(client, stream._stream)))
                client.close()
            case "merge" if len(open_shards(boto3.client("kinesis"), stream._stream)) > 1:
                merge(stream)
    for _ in range(10_000):
        if not take():
            break
    assert taken == written
