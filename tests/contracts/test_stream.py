"""What every stream promises, asked of every adapter in the folder; a new adapter is found here at once."""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import aws_in_hand
from hand_clock import NOON, HandClock
from penstock import adapters
from penstock import stream as port
from penstock.errors import Declined, StreamFull
from penstock.stream import Batch, Lag, Promise, Record, Stream

NAMES = adapters.names(port)
EMBEDDED = {"memory": "memory:", "sqlite": "sqlite://{folder}/stream"}
ON_AWS = {"kinesis": aws_in_hand.new_stream, "sqs": aws_in_hand.new_queue}
SURVIVING = [name for name in NAMES if name != "memory"]
ALL = 1 << 30


@dataclass
class Opener:
    """Opens the same stream as often as a test likes; `options` are the adapter's."""

    url: str
    clock: HandClock = field(default_factory=HandClock)
    opened: list[Stream] = field(default_factory=list)
    usual: Mapping[str, object] = field(default_factory=dict)

    def __call__(self, *needs: Promise, **options: object) -> Stream:
        """Skips the test if one of the promises that it needs is declined."""
        stream: Stream = adapters.load(port, self.url).open(self.url, clock=self.clock, **self.usual, **options)
        self.opened.append(stream)
        for promise in needs:
            if promise in stream.declines:
                self.close()
                pytest.skip(f"declined: {promise.name}")
        return stream

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()


def opener(name: str, folder: Path) -> Opener:
    """Of what is not embedded and not on AWS, the environment says where one is running."""
    if name in EMBEDDED:
        return Opener(EMBEDDED[name].format(folder=folder))
    if name in ON_AWS:
        return Opener(ON_AWS[name](), usual={"positions": f"file://{folder}/positions", "idle_seconds": 0})
    variable = f"STREAM_URL_{name.upper()}"
    if variable not in os.environ:
        pytest.skip(f"{variable} does not say where a {name} is")
    return Opener(os.environ[variable])


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as env, aws_in_hand.aws(env):
        yield


@pytest.fixture(params=NAMES)
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, aws: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Opener]:
    found = opener(request.param, tmp_path)
    aws_in_hand.keep_time(monkeypatch, found.clock)
    yield found
    found.close()


@pytest.fixture
def surviving(opened: Opener) -> Opener:
    """Only adapters whose records outlive the one who wrote them."""
    if opened.url == EMBEDDED["memory"]:
        pytest.skip("nothing in memory survives")
    return opened


def records(*numbers: int) -> list[Record]:
    return [Record(line(number), key=str(number)) for number in numbers]


def line(number: int) -> bytes:
    return b'{"n":%d}' % number


def lines(batch: Batch) -> list[bytes]:
    assert batch.data.endswith(b"\n")
    found = batch.data[:-1].split(b"\n")
    assert len(found) == len(batch)
    return found


def drain(stream: Stream, consumer: str = "c", limit: int = ALL) -> list[Batch]:
    found = []
    while (batch := stream.poll(consumer, limit)) is not None:
        found.append(batch)
        stream.commit(consumer, batch)
    return found


def texts(batches: Sequence[Batch]) -> list[bytes]:
    return [text for batch in batches for text in lines(batch)]


def same(stream: Stream, found: list[bytes], expected: list[bytes]) -> None:
    """In order, where that is promised."""
    arranged = sorted if Promise.ORDER in stream.declines else list
    assert arranged(found) == arranged(expected)


def assert_tiled(batches: Sequence[Batch]) -> None:
    """Within a shard, each batch starts where the one before ended; or behind it, if offsets only tell the order."""
    ends: dict[str, int] = {}
    for batch in batches:
        after = ends.get(batch.shard, 0)
        assert batch.first == after or (not batch.counted and batch.first > after)
        ends[batch.shard] = batch.last + 1


def test_the_embedded_ones_are_there() -> None:
    assert set(EMBEDDED) <= set(NAMES)


def test_an_empty_stream_has_nothing(opened: Opener) -> None:
    stream = opened()
    assert stream.poll("c", ALL) is None
    assert stream.lag("c") == Lag(0, 0, None)
    assert stream.ends() == {}
    if Promise.TAIL not in stream.declines:
        assert stream.tail({}).lines == []
    if Promise.REPLAY not in stream.declines:
        assert stream.seek("c", NOON) == 0


def test_nothing_appended_is_nothing(opened: Opener) -> None:
    stream = opened()
    stream.append([])
    assert stream.poll("c", ALL) is None


def test_what_goes_in_comes_out_in_order(opened: Opener) -> None:
    stream = opened(Promise.ORDER)
    for some in ([0], [1, 2, 3], list(range(4, 2000)), [2000]):
        stream.append(records(*some))
    assert texts(drain(stream)) == [line(n) for n in range(2001)]


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b'{"text":"\xc3\xbc\xf0\x9f\x98\x80"}',
        b'{"text":"a\\nb\\u0000"}',
        b'{"a":1,\r"b":2}',
        b" [1, 2]",
        b'"text"',
        b"x\x9c not JSON at all, but starting like zlib",
        b'{"many":"' + b"x" * 100_000 + b'"}',
        b'{"random":"' + random.Random(1).randbytes(100_000).replace(b"\n", b"") + b'"}',
    ],
    ids=["empty", "unicode", "escaped", "carriage return", "array", "string", "like zlib", "long", "incompressible"],
)
def test_a_line_is_kept_byte_for_byte(opened: Opener, data: bytes) -> None:
    stream = opened(*(() if is_text(data) else (Promise.BYTES,)))
    stream.append([Record(data)])
    stream.append([Record(data), Record(data)])
    if Promise.TAIL not in stream.declines:
        assert stream.tail({}).lines == [data] * 3
    assert texts(drain(stream)) == [data] * 3


def is_text(data: bytes) -> bool:
    with contextlib.suppress(UnicodeDecodeError):
        return bool(data.decode())
    return False


def test_a_record_may_be_as_large_as_it_says(opened: Opener) -> None:
    stream = opened()
    data = b'{"x":"' + b"y" * (stream.max_record_bytes - 8) + b'"}'
    stream.append([Record(data), *records(1), Record(data)])
    same(stream, texts(drain(stream)), [data, line(1), data])


def test_what_was_appended_is_there_for_another(surviving: Opener) -> None:
    surviving().append(records(1, 2, 3))
    assert texts(drain(surviving())) == [line(1), line(2), line(3)]


def test_two_writers_and_one_reader(surviving: Opener) -> None:
    first, second, reader = surviving(Promise.ORDER), surviving(), surviving()
    for n in range(0, 100, 2):
        first.append(records(n))
        second.append(records(n + 1))
    batches = drain(reader)
    assert_tiled(batches)
    found = texts(batches)
    assert sorted(found) == sorted(line(n) for n in range(100))
    for start in (0, 1):
        assert [text for text in found if text in {line(n) for n in range(start, 100, 2)}] == [
            line(n) for n in range(start, 100, 2)
        ]


# batches


def test_a_batch_comes_again_until_it_is_committed(opened: Opener) -> None:
    stream = opened()
    stream.append(records(1, 2))
    batch = stream.poll("c", ALL)
    assert batch is not None
    stream.append(records(3))
    opened.clock.tick(3600)
    stream.append(records(4))
    assert stream.poll("c", ALL) == batch
    assert stream.poll("c", 1) == batch
    stream.commit("c", batch)
    assert texts(drain(stream)) == [line(3), line(4)]


def test_a_batch_comes_again_after_a_crash(surviving: Opener) -> None:
    stream = surviving(Promise.REPEATS)
    stream.append(records(1, 2))
    batch = stream.poll("c", ALL)
    stream.append(records(3))
    surviving.clock.tick(3600)
    surviving().append(records(4))
    assert surviving().poll("c", ALL) == batch
    surviving.close()
    assert surviving().poll("c", ALL) == batch
    assert texts(drain(surviving())) == [line(n) for n in (1, 2, 3, 4)]


def test_what_is_committed_does_not_come_again(surviving: Opener) -> None:
    stream = surviving()
    stream.append(records(1))
    drain(stream)
    stream.append(records(2))
    surviving.close()
    assert texts(drain(surviving())) == [line(2)]
    surviving.close()
    assert surviving().poll("c", ALL) is None


def test_a_commit_that_is_repeated_changes_nothing(opened: Opener) -> None:
    stream = opened()
    stream.append(records(1))
    batches = drain(stream)
    stream.append(records(2))
    batches += drain(stream)
    stream.append(records(3))
    for batch in batches:
        stream.commit("c", batch)
    assert texts(drain(stream)) == [line(3)]


@pytest.mark.parametrize("limit", [1, 50, 100, 250, 1000, ALL])
def test_batches_keep_to_the_limit(opened: Opener, limit: int) -> None:
    stream = opened(Promise.ORDER)
    appends = [list(range(n * 10, n * 10 + 1 + n % 4)) for n in range(40)]
    for numbers in appends:
        stream.append(records(*numbers))
    batches = drain(stream, limit=limit)
    assert_tiled(batches)
    assert texts(batches) == [line(n) for numbers in appends for n in numbers]
    append_of = {line(n): i for i, numbers in enumerate(appends) for n in numbers}
    for batch in batches:
        assert len(batch.data) <= limit or len({append_of[text] for text in lines(batch)}) == 1
    if limit == 250:
        assert len(batches) < len(appends) / 2, "a batch holds as much as it may"


@pytest.mark.parametrize(
    "seconds", [[0, 59.999, 60], [30, 29, 90, 119.999, 120], [59, 3600, 3601, 86400], [60, 59, 61]]
)
def test_a_batch_lies_in_one_minute_of_arrival(opened: Opener, seconds: list[float]) -> None:
    stream = opened(Promise.ORDER)
    minute_of = {}
    for n, after in enumerate(seconds):
        opened.clock.now = NOON + timedelta(seconds=after)
        minute_of[line(n)] = minute(opened.clock.now)
        stream.append(records(n))
    opened.clock.now = NOON + timedelta(days=2)
    batches = drain(stream)
    assert_tiled(batches)
    assert sorted(texts(batches)) == sorted(minute_of)
    for batch in batches:
        assert {minute(batch.at)} == {minute_of[text] for text in lines(batch)}


def minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def test_a_batch_says_when_its_first_record_arrived(opened: Opener) -> None:
    stream = opened()
    opened.clock.now = NOON + timedelta(milliseconds=1234)
    stream.append(records(1))
    opened.clock.tick(1)
    stream.append(records(2))
    batch = stream.poll("c", ALL)
    assert batch is not None
    assert batch.at == NOON + timedelta(milliseconds=1234)
    assert len(batch) == 2


def test_what_waits_longest_comes_first(surviving: Opener) -> None:
    busy, quiet, reader = surviving(Promise.ORDER), surviving(), surviving()
    busy.append(records(0))
    surviving.clock.tick()
    quiet.append(records(1000))
    for n in range(1, 100):
        surviving.clock.tick()
        busy.append(records(n))
        batch = reader.poll("c", ALL)
        assert batch is not None
        reader.commit("c", batch)
        if line(1000) in lines(batch):
            break
    assert n <= 2, "a writer that never rests must not keep others waiting"


# lag


def test_lag_counts_what_is_not_committed(opened: Opener) -> None:
    stream = opened(Promise.LAG)
    for n in range(10):
        stream.append(records(n, n + 100))
        opened.clock.tick()
    size = sum(len(line(n)) + 1 for n in (*range(10), *range(100, 110)))
    assert stream.lag("c") == Lag(20, size, NOON)
    batch = stream.poll("c", 30)
    assert batch is not None
    assert stream.lag("c") == Lag(20, size, NOON)
    stream.commit("c", batch)
    lag = stream.lag("c")
    assert (lag.records, lag.bytes) == (20 - len(batch), size - len(batch.data))
    assert lag.oldest is not None
    assert lag.oldest >= NOON
    drain(stream)
    assert stream.lag("c") == Lag(0, 0, None)


def test_lag_is_over_all_writers(surviving: Opener) -> None:
    for n in range(3):
        surviving(Promise.LAG).append(records(n))
        surviving.clock.tick()
    reader = surviving()
    assert reader.lag("c") == Lag(3, 3 * (len(line(0)) + 1), NOON)


# consumers


def test_consumers_do_not_know_of_each_other(opened: Opener) -> None:
    stream = opened(Promise.CONSUMERS)
    for n in range(20):
        stream.append(records(n))
    small = drain(stream, "small", 20)
    assert stream.lag("large").records == 20
    [large] = drain(stream, "large")
    assert texts(small) == texts([large]) == [line(n) for n in range(20)]
    assert len(small) == 10
    stream.seek("small", NOON)
    assert stream.poll("large", ALL) is None


# replay


def replayed(opened: Opener) -> tuple[Stream, list[Batch]]:
    """A stream of which all was taken, in several batches over three minutes."""
    stream = opened(Promise.REPLAY)
    for n in range(18):
        stream.append(records(n))
        opened.clock.tick(10)
    batches = drain(stream, limit=20)
    assert len(batches) > 6
    return stream, batches


def test_a_replay_gives_the_same_batches(opened: Opener) -> None:
    stream, batches = replayed(opened)
    stream.append(records(18))
    for limit in (20, ALL, 1):
        again = stream.seek("c", NOON)
        assert again == 18 + (limit != 20)
        found = drain(stream, limit=limit)
        assert found[: len(batches)] == batches
        assert texts(found)[18:] == [line(18)]


def test_a_replay_starts_at_the_batch_that_holds_the_time(opened: Opener) -> None:
    stream, batches = replayed(opened)
    for index, batch in enumerate(batches):
        assert stream.seek("c", batch.at) == sum(len(later) for later in batches[index:])
        assert drain(stream) == batches[index:]
    assert stream.seek("c", opened.clock()) == 0
    assert stream.poll("c", ALL) is None


def test_a_replay_never_skips_what_was_not_taken(opened: Opener) -> None:
    stream = opened(Promise.REPLAY)
    stream.append(records(1))
    assert stream.seek("c", NOON + timedelta(days=1)) == 0
    opened.clock.tick(60)
    stream.append(records(2))
    assert stream.seek("c", opened.clock()) == 0
    assert texts(drain(stream)) == [line(1), line(2)]


def test_a_batch_in_hand_does_not_undo_a_replay(opened: Opener) -> None:
    stream, batches = replayed(opened)
    stream.append(records(18))
    in_hand = stream.poll("c", ALL)
    assert in_hand is not None
    stream.seek("c", NOON)
    stream.commit("c", in_hand)
    assert drain(stream) == [*batches, in_hand]


def test_a_replay_survives_a_crash(surviving: Opener) -> None:
    stream, batches = replayed(surviving)
    stream.seek("c", NOON)
    surviving.close()
    assert drain(surviving()) == batches


def test_what_is_forgotten_is_not_replayed(opened: Opener) -> None:
    stream, batches = replayed(opened)
    stream.forget(batches[-1].at)
    stream.forget(NOON)
    assert stream.seek("c", NOON) == len(batches[-1])
    assert drain(stream) == batches[-1:]


def test_what_is_to_be_forgotten_is_still_taken_once(opened: Opener) -> None:
    stream = opened(Promise.REPLAY)
    stream.append(records(1))
    opened.clock.tick(60)
    stream.forget(opened.clock())
    assert texts(drain(stream)) == [line(1)]
    assert stream.seek("c", NOON) == 0


def test_forgetting_survives_a_crash(surviving: Opener) -> None:
    stream, batches = replayed(surviving)
    stream.forget(batches[-1].at)
    surviving.close()
    assert surviving().seek("c", NOON) == len(batches[-1])


# tail


def test_tail_shows_only_what_is_to_come(opened: Opener) -> None:
    stream = opened(Promise.TAIL)
    stream.append(records(1))
    tail = stream.tail(None)
    assert tail.lines == []
    assert stream.tail(tail.cursor).lines == []
    for n in range(2, 30):
        stream.append(records(n, n + 100))
        tail = stream.tail(tail.cursor)
        assert tail.lines == [line(n), line(n + 100)]
    assert stream.tail(tail.cursor).lines == []


def test_tail_from_an_empty_stream(opened: Opener) -> None:
    stream = opened(Promise.TAIL)
    cursor = stream.tail(None).cursor
    stream.append(records(1))
    assert stream.tail(cursor).lines == [line(1)]


def test_tail_in_pieces(opened: Opener) -> None:
    stream = opened(Promise.TAIL)
    cursor = stream.tail(None).cursor
    for n in range(0, 30, 3):
        stream.append(records(n, n + 1, n + 2))
    found: list[bytes] = []
    pieces = 0
    while (tail := stream.tail(cursor, 1)).lines:
        pieces, cursor, found = pieces + 1, tail.cursor, found + tail.lines
    assert found == [line(n) for n in range(30)]
    assert pieces >= 10


def test_a_tail_in_pieces_of_several_writers(surviving: Opener) -> None:
    writers, reader = [surviving(Promise.TAIL) for _ in range(3)], surviving()
    for n in range(30):
        writers[n % 3].append(records(n))
    cursor: Mapping[str, int] = {}
    found: list[bytes] = []
    while (tail := reader.tail(cursor, 2 * len(line(1)))).lines:
        assert len(tail.lines) <= 3
        cursor, found = tail.cursor, found + tail.lines
    assert sorted(found) == sorted(line(n) for n in range(30))


def test_a_cursor_by_time(opened: Opener) -> None:
    stream = opened(Promise.TAIL)
    assert stream.tail(stream.cursor(NOON)).lines == []
    for n in range(6):
        stream.append(records(n, n + 100))
        opened.clock.tick(60)
    for n in range(6):
        cursor = stream.cursor(NOON + timedelta(seconds=60 * n - 30))
        assert stream.tail(cursor).lines == [line(m) for k in range(n, 6) for m in (k, k + 100)]
    cursor = stream.cursor(opened.clock())
    assert stream.tail(cursor).lines == []
    stream.append(records(9))
    assert stream.tail(cursor).lines == [line(9)]


def test_a_cursor_leads_to_nothing_that_is_to_be_forgotten(opened: Opener) -> None:
    stream = opened(Promise.TAIL)
    stream.append(records(1))
    opened.clock.tick(60)
    stream.forget(opened.clock())
    stream.append(records(2))
    assert stream.tail(stream.cursor(NOON)).lines == [line(2)]


def test_tail_takes_nothing_from_a_consumer(opened: Opener) -> None:
    stream = opened(Promise.TAIL)
    cursor = stream.tail(None).cursor
    stream.append(records(1))
    drain(stream)
    assert stream.tail(cursor).lines == [line(1)]
    stream.append(records(2))
    assert stream.tail(cursor).lines == [line(1), line(2)]
    assert texts(drain(stream)) == [line(2)]


def test_a_cursor_outlives_its_stream(surviving: Opener) -> None:
    stream = surviving(Promise.TAIL)
    stream.append(records(1))
    cursor = stream.tail(None).cursor
    stream.append(records(2))
    surviving.close()
    surviving().append(records(3))
    tail = surviving().tail(cursor)
    assert sorted(tail.lines) == [line(2), line(3)]
    assert surviving().tail(tail.cursor).lines == []


def test_ends_count_what_was_ever_appended(opened: Opener) -> None:
    stream = opened(Promise.COUNTS)
    stream.append(records(1, 2))
    stream.append(records(3))
    assert list(stream.ends().values()) == [3]
    drain(stream)
    assert list(stream.ends().values()) == [3]
    assert stream.ends() == stream.tail(None).cursor


# bounds


def test_a_full_stream_takes_nothing(opened: Opener) -> None:
    stream = opened(Promise.BOUND, max_bytes=1 << 20)
    some = [Record(b'{"x":"%s"}' % os.urandom(5000).hex().encode()) for _ in range(10)]
    taken = 0
    with pytest.raises(StreamFull):
        for _ in range(100):
            stream.append(some)
            taken += len(some)
    assert taken
    with pytest.raises(StreamFull):
        stream.append(some)
    assert stream.lag("c").records == taken
    assert len(texts(drain(stream))) == taken


# what is declined


def test_what_is_declined_is_refused_with_a_hint(opened: Opener) -> None:
    stream = opened()
    asked: dict[Promise, list[Callable[[], object]]] = {
        Promise.REPLAY: [lambda: stream.seek("c", NOON)],
        Promise.TAIL: [lambda: stream.tail(None), lambda: stream.cursor(NOON)],
    }
    for promise, calls in asked.items():
        for call in calls if promise in stream.declines else ():
            with pytest.raises(Declined) as refused:
                call()
            assert refused.value.hint
    stream.append(records(1))
    assert (stream.ends() == {}) == (Promise.COUNTS in stream.declines)
    assert stream.lag("c").records >= 1
    assert stream.lag("c").oldest is not None


class Life(RuleBasedStateMachine):
    """Whatever happens in whatever order: nothing is lost, and a batch that was once seen never changes."""

    name = ""

    @initialize(rotate=st.sampled_from([1, 60, 3600]))
    def begin(self, rotate: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.opener = opener(self.name, Path(self.folder.name))
        self.options = {"rotate_seconds": rotate}
        self.stream = self.opener(**self.options)
        self.appended: list[bytes] = []
        self.seen: dict[tuple[str, str, int], Batch] = {}
        self.committed: dict[str, dict[tuple[str, int], list[bytes]]] = {"a": {}, "b": {}}
        self.in_hand: dict[str, Batch] = {}

    @rule(count=st.integers(1, 30))
    def append(self, count: int) -> None:
        numbers = range(len(self.appended), len(self.appended) + count)
        self.stream.append(records(*numbers))
        self.appended += [line(n) for n in numbers]

    @rule(seconds=st.sampled_from([0.001, 1, 30, 61, 4000, -45]))
    def time_goes_by(self, seconds: float) -> None:
        self.opener.clock.tick(seconds)

    @rule(consumer=st.sampled_from("ab"), limit=st.sampled_from([1, 40, 200, ALL]))
    def poll(self, consumer: str, limit: int) -> None:
        batch = self.stream.poll(consumer, limit)
        if batch is None:
            assert self.stream.lag(consumer).records == 0
            return
        if consumer in self.in_hand:
            assert batch == self.in_hand[consumer]
        assert batch == self.seen.setdefault((consumer, batch.shard, batch.first), batch)
        self.in_hand[consumer] = batch

    @rule(consumer=st.sampled_from("ab"))
    @precondition(lambda self: self.in_hand)
    def commit(self, consumer: str) -> None:
        if (batch := self.in_hand.pop(consumer, None)) is not None:
            self.stream.commit(consumer, batch)
            self.committed[consumer][batch.shard, batch.first] = lines(batch)

    @rule(consumer=st.sampled_from("ab"), back=st.integers(0, 5000))
    def seek(self, consumer: str, back: int) -> None:
        self.stream.seek(consumer, self.opener.clock() - timedelta(seconds=back))
        self.in_hand.pop(consumer, None)

    @rule()
    @precondition(lambda self: self.name in SURVIVING)
    def crash(self) -> None:
        # The old one is not closed, as it would not be: its files and locks just stay.
        self.stream = self.opener(**self.options)

    @invariant()
    def all_is_there(self) -> None:
        if hasattr(self, "stream"):
            assert sum(self.stream.ends().values()) == len(self.appended)

    def teardown(self) -> None:
        if not hasattr(self, "stream"):
            return
        for consumer in "ab":
            for batch in drain(self.stream, consumer, 100):
                assert batch == self.seen.setdefault((consumer, batch.shard, batch.first), batch)
                self.committed[consumer][batch.shard, batch.first] = lines(batch)
            found = [text for some in self.committed[consumer].values() for text in some]
            assert sorted(found) == sorted(self.appended)
        assert sorted(self.stream.tail({}).lines) == sorted(self.appended)
        self.opener.close()
        self.folder.cleanup()


@pytest.mark.parametrize("name", sorted(EMBEDDED))
def test_a_life(name: str) -> None:
    life = type("Life", (Life,), {"name": name})
    run_state_machine_as_test(life, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))
