"""Stream → bronze: every record in exactly one object, whatever happens in between."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from contextlib import AbstractContextManager, closing, suppress
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults import Crash, Fault
from hand_clock import NOON, HandClock
from penstock.bronze.deliver import CONSUMER, Delivered, compress, deliver, due
from penstock.bronze.layout import INBOX, arrival, from_inbox, minute_folder, span
from penstock.objects import Objects
from penstock.stream import Batch, Lag, Record, Stream, memory, sqlite

ALL = 1 << 30


@pytest.fixture
def bronze(tmp_path: Path) -> Objects:
    return Objects((tmp_path / "bronze").as_uri())


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def stream(clock: HandClock) -> Stream:
    return memory.open("memory:", clock=clock)


def append(stream: Stream, *numbers: int) -> None:
    stream.append([Record(b'{"n":%d}' % n) for n in numbers])


def objects(bronze: Objects) -> dict[str, bytes]:
    """Key → verified plain bytes."""
    return {e.key: gzip.decompress(bronze.get(e.key)) for e in bronze.list() if not e.key.startswith(INBOX)}


def numbers(bronze: Objects) -> list[int]:
    return [json.loads(line)["n"] for _, data in sorted(objects(bronze).items()) for line in data.splitlines()]


def inbox(bronze: Objects) -> dict[str, int]:
    return {from_inbox(e.key): int(bronze.get(e.key)) for e in bronze.list(INBOX)}


def assert_announced(bronze: Objects) -> None:
    """The inbox holds every object, with its size, and nothing else."""
    assert inbox(bronze) == {key: len(bronze.get(key)) for key in objects(bronze)}


def test_what_waits_becomes_one_object(stream: Stream, bronze: Objects) -> None:
    append(stream, 1, 2)
    append(stream, 3)
    done = deliver(stream, bronze, limit_bytes=ALL)
    [(key, data)] = objects(bronze).items()
    assert data == b'{"n":1}\n{"n":2}\n{"n":3}\n'
    assert done == Delivered(1, 3, len(bronze.get(key)))
    assert_announced(bronze)
    assert stream.lag(CONSUMER) == Lag(0, 0, None)


def test_nothing_waits(stream: Stream, bronze: Objects) -> None:
    assert deliver(stream, bronze, limit_bytes=ALL) == Delivered(0, 0, 0)
    assert list(bronze.list()) == []


def test_an_object_lies_in_its_minute_of_arrival(stream: Stream, bronze: Objects, clock: HandClock) -> None:
    arrived = {}
    for n, seconds in enumerate((0, 59.9, 60, 3600, 90_000)):
        clock.now = NOON + timedelta(seconds=seconds)
        arrived[n] = clock.now.replace(second=0, microsecond=0)
        append(stream, n)
    clock.tick(100_000)
    assert deliver(stream, bronze, limit_bytes=ALL).objects == 4
    for key, data in objects(bronze).items():
        assert key.startswith(minute_folder(arrived[json.loads(data.splitlines()[0])["n"]]))
        assert {arrived[json.loads(line)["n"]] for line in data.splitlines()} == {arrival(key)}


@pytest.mark.parametrize(("limit", "objects"), [(1, 90), (89, 10), (90, 9), (809, 2), (810, 1), (ALL, 1)])
def test_objects_are_of_about_the_limit(stream: Stream, bronze: Objects, limit: int, objects: int) -> None:
    for n in range(10, 100):
        append(stream, n)
    assert stream.lag(CONSUMER).bytes == 90 * 9
    assert deliver(stream, bronze, limit_bytes=limit).objects == objects
    assert numbers(bronze) == list(range(10, 100))


def test_the_same_batch_is_the_same_object(stream: Stream, bronze: Objects, clock: HandClock) -> None:
    append(stream, 1, 2)
    clock.tick(61)
    append(stream, 3)
    deliver(stream, bronze, limit_bytes=ALL)
    before = {e.key: bronze.get(e.key) for e in bronze.list()}
    clock.tick(9999)
    assert stream.seek(CONSUMER, NOON) == 3
    assert deliver(stream, bronze, limit_bytes=1).objects == 2
    assert {e.key: bronze.get(e.key) for e in bronze.list()} == before


def test_what_silver_has_taken_is_not_announced_again(stream: Stream, bronze: Objects) -> None:
    append(stream, 1)
    deliver(stream, bronze, limit_bytes=ALL)
    for entry in list(bronze.list(INBOX)):
        bronze.delete(entry.key)
    stream.seek(CONSUMER, NOON)
    deliver(stream, bronze, limit_bytes=ALL)
    assert inbox(bronze) == {}


def test_a_replay_brings_lost_and_damaged_objects_back(stream: Stream, bronze: Objects, clock: HandClock) -> None:
    for n in range(3):
        append(stream, n)
        clock.tick(60)
    deliver(stream, bronze, limit_bytes=ALL)
    whole = objects(bronze)
    lost, damaged, _ = sorted(whole)
    bronze.delete(lost)
    bronze.put(damaged, bronze.get(damaged)[:-3])
    stream.seek(CONSUMER, NOON)
    deliver(stream, bronze, limit_bytes=ALL)
    assert objects(bronze) == whole
    assert_announced(bronze)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_any_two_steps(tmp_path: Path, clock: HandClock, after: bool, times: int) -> None:
    for nth in count(1):
        folder = tmp_path / str(nth)
        bronze = Objects((folder / "bronze").as_uri())
        with opened(folder, clock) as stream:
            for n in range(6):
                append(stream, n)
                clock.tick(25)
        faults = [Fault(nth, after=after) for _ in range(times)]
        for index, fault in enumerate(faults):
            with opened(folder, clock) as stream:
                with suppress(Crash):
                    deliver(fault.at(stream), fault.at(bronze), limit_bytes=20)
                append(stream, 100 + index)
        with opened(folder, clock) as stream:
            deliver(stream, bronze, limit_bytes=20)
            assert stream.lag(CONSUMER).records == 0
        assert sorted(numbers(bronze)) == [*range(6), *range(100, 100 + times)]
        assert_announced(bronze)
        assert_tiled(objects(bronze))
        if not faults[0].happened:
            break
    assert nth > 15, "every step of several batches was tried"


def opened(folder: Path, clock: HandClock) -> AbstractContextManager[Stream]:
    return closing(sqlite.open((folder / "stream").as_uri(), clock=clock))


def assert_tiled(keys: Iterable[str]) -> None:
    """Objects of a shard neither overlap nor leave a gap."""
    ends: dict[str, int] = {}
    for shard, first, last in sorted(found for key in keys if (found := span(key))):
        assert first == ends.get(shard, 0)
        ends[shard] = last + 1


class Busy(memory.MemoryStream):
    """A stream that takes another record whenever it is asked for a batch; a thousand in all."""

    more = 1000

    def poll(self, consumer: str, limit_bytes: int) -> Batch | None:
        batch = super().poll(consumer, limit_bytes)
        if self.more:
            self.more -= 1
            append(self, 0)
        return batch


def test_it_ends_although_records_keep_coming(bronze: Objects, clock: HandClock) -> None:
    stream = Busy(clock, ALL)
    for n in range(1, 10):
        append(stream, n)
    assert deliver(stream, bronze, limit_bytes=30).records >= 9
    assert stream.lag(CONSUMER).records > 0
    assert [n for n in numbers(bronze) if n] == list(range(1, 10))


@pytest.mark.parametrize(
    ("waiting_bytes", "waiting_seconds", "expected"),
    [(0, None, False), (99, 4.9, False), (100, 0, True), (1, 5, True), (1, -60, False), (1, 86400, True)],
)
def test_it_is_due_by_size_or_by_time(waiting_bytes: int, waiting_seconds: float | None, expected: bool) -> None:
    oldest = None if waiting_seconds is None else NOON - timedelta(seconds=waiting_seconds)
    assert due(Lag(1, waiting_bytes, oldest), NOON, seconds=5, limit_bytes=100) is expected


@given(st.binary(max_size=3000))
def test_compressing_is_repeatable_and_true(data: bytes) -> None:
    packed = compress(data)
    assert packed == compress(data)
    assert gzip.decompress(packed) == data
    assert packed[4:8] == bytes(4), "no time stamp"
