"""What only the SQLite stream has: files, their writers, their end, and what a crash may do to them."""

from __future__ import annotations

import fcntl
import json
import random
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import appender as appending
from hand_clock import NOON, HandClock
from penstock.errors import SettingsError, StreamFull, Transient
from penstock.stream import Batch, Record, _shard, sqlite
from penstock.stream import Stream as AnyStream

ALL = 1 << 30
HOUR = 3600
Open = Callable[..., AnyStream]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "the stream"


@pytest.fixture
def opened(folder: Path, clock: HandClock) -> Iterator[Open]:
    """Opens the stream as often as wanted; all are closed in the end."""
    streams = []

    def opener(**options: Any) -> AnyStream:
        streams.append(sqlite.open(url(folder), clock=clock, **options))
        return streams[-1]

    yield opener
    for stream in streams:
        stream.close()


def url(folder: Path) -> str:
    return folder.absolute().as_uri().replace("file:", "sqlite:")


def record(n: int) -> Record:
    return Record(b'{"n":%d}' % n)


def noise(size: int, seed: int) -> Record:
    """A record that compression makes little smaller."""
    return Record(b'{"x":"%s"}' % random.Random(seed).randbytes(size // 2).hex().encode())


def drain(stream: AnyStream, consumer: str = "bronze", limit: int = ALL) -> list[Batch]:
    found = []
    while (batch := stream.poll(consumer, limit)) is not None:
        found.append(batch)
        stream.commit(consumer, batch)
    return found


def rows(batches: list[Batch]) -> list[Any]:
    """Every record, decoded: a torn one would fail here."""
    return [json.loads(line) for batch in batches for line in batch.data.splitlines()]


def shards(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.shard"))


# crashes


@contextmanager
def appender(folder: Path, name: str, count: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, appending.__file__, url(folder), name, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def acknowledged(process: subprocess.Popen[str], at_least: int) -> int:
    """Kills the process once it has acknowledged so much; returns what it acknowledged in all."""
    assert process.stdout is not None
    last = 0
    for line in process.stdout:
        last = int(line) if line.endswith("\n") else last
        if last >= at_least:
            process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return last


@pytest.mark.parametrize("count", [1, 7, 500])
def test_a_killed_writer_loses_nothing(folder: Path, opened: Open, count: int) -> None:
    acked = {}
    for name in ("first", "second", "third"):
        with appender(folder, name, count) as process:
            acked[name] = acknowledged(process, at_least=20 * count)
    found = rows(drain(opened()))
    for name, least in acked.items():
        numbers = [row["n"] for row in found if row["writer"] == name]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= least
        assert len(numbers) % count == 0, "an append is there whole or not at all"


def test_a_killed_reader_sees_the_same_batch_again(folder: Path, opened: Open) -> None:
    stream = opened()
    stream.append([record(1)])
    code = (
        "import os, signal, sys; from penstock.stream import sqlite; stream = sqlite.open(sys.argv[1]);"
        "print(stream.poll('bronze', 1 << 30), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    seen = subprocess.run([sys.executable, "-c", code, url(folder)], stdout=subprocess.PIPE, text=True, check=False)
    stream.append([record(2)])
    assert seen.stdout.strip() == str(stream.poll("bronze", ALL))


def test_two_processes_write_while_one_reads(folder: Path, opened: Open) -> None:
    stream = opened()
    batches: list[Batch] = []
    with appender(folder, "first", 3) as first, appender(folder, "second", 5) as second:
        while not batches or batches[-1].last < 600:
            batches += drain(stream, limit=10_000)
        acked = {"first": acknowledged(first, 0), "second": acknowledged(second, 0)}
    batches += drain(stream)
    found = rows(batches)
    assert len({batch.shard for batch in batches}) == 2
    for name, least in acked.items():
        numbers = [row["n"] for row in found if row["writer"] == name]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= least


def test_a_cut_behind_the_end_is_made_again(opened: Open) -> None:
    """A reader saw what a killed writer had not yet synced, then the power failed."""
    stream = opened()
    stream.append([record(1), record(2)])
    [shard] = stream.ends()
    assert isinstance(stream, sqlite.SqliteStream)
    stream._position.freeze("bronze", shard, 0, 7)
    [batch] = drain(stream)
    assert (batch.first, batch.last, rows([batch])) == (0, 1, [{"n": 1}, {"n": 2}])


# a disk that fails


class FailingConnection:
    """A connection whose `nth` statement fails, before or after it was carried out."""

    def __init__(self, connection: sqlite3.Connection, nth: int, *, after: bool) -> None:
        self._connection = connection
        self._left = nth
        self._after = after

    def execute(self, *statement: Any) -> Any:
        self._left -= 1
        if self._left or self._after:
            done = self._connection.execute(*statement)
        if not self._left:
            raise sqlite3.OperationalError("disk I/O error")
        return done

    def close(self) -> None:
        self._connection.close()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("acked", [0, 2])
def test_a_failed_write_is_not_acknowledged_and_its_file_not_used_again(
    folder: Path, opened: Open, clock: HandClock, nth: int, after: bool, acked: int
) -> None:
    stream = opened()
    assert isinstance(stream, sqlite.SqliteStream)
    for n in range(acked):
        stream.append([record(n)])
    writer = stream._active_writer()
    writer._connection = FailingConnection(writer._connection, nth, after=after)  # type: ignore[assignment]
    failed = shards(folder)
    with pytest.raises(Transient) as caught:
        stream.append([record(98), record(99)])
    assert caught.value.hint
    assert shards(folder) == (failed if acked else [])
    clock.tick()
    stream.append([record(acked)])
    assert len(set(shards(folder)) - set(failed)) == 1
    found = [row["n"] for row in rows(drain(stream))]
    in_doubt = [98, 99] if acked and after and nth == 3 else []
    assert found == [*range(acked), *in_doubt, acked]


def test_a_file_that_cannot_be_begun_leaves_nothing_behind(
    folder: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_schema(path: Path) -> sqlite3.Connection:
        path.write_bytes(b"half a file")
        raise sqlite3.OperationalError("database or disk is full")

    stream = opened()
    with monkeypatch.context() as patch:
        patch.setattr(_shard, "_created", no_schema)
        for n in range(50):
            with pytest.raises(Transient):
                stream.append([record(n)])
    assert [path.name for path in folder.iterdir() if not path.name.startswith("positions")] == []
    stream.append([record(1)])
    assert rows(drain(stream)) == [{"n": 1}]


def test_a_real_write_error_costs_nothing_that_was_acknowledged(folder: Path, opened: Open) -> None:
    """The kernel refuses to let a file of the child grow; each file is given up, and the next one begun."""
    code = """
import sys
from penstock.errors import Transient
from penstock.stream import Record, sqlite
stream, acked, failed = sqlite.open(sys.argv[1]), 0, 0
while failed < 3:
    try:
        stream.append([Record(b'{"n":%d,"x":"%s"}' % (acked, b"y" * 3000))])
        acked += 1
    except Transient:
        failed += 1
print(acked)
"""
    limit = 300_000
    done = subprocess.run(
        [sys.executable, "-c", code, url(folder)],
        stdout=subprocess.PIPE,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    acked = int(done.stdout)
    numbers = [row["n"] for row in rows(drain(opened()))]
    assert acked > 20
    assert set(numbers) >= set(range(acked))
    assert len(shards(folder)) >= 3


def test_a_damaged_file_costs_only_itself(folder: Path, opened: Open, capsys: pytest.CaptureFixture[str]) -> None:
    writers = [opened() for _ in range(3)]
    for n, writer in enumerate(writers):
        writer.append([record(n)])
        writer.close()
    damaged = folder / f"{shards(folder)[1]}.shard"
    damaged.write_bytes(b"not a database, but quite long" * 1000)
    stream = opened()
    assert len(rows(drain(stream))) == 2
    assert stream.lag("bronze").records == 0
    assert not damaged.exists()
    assert damaged.with_suffix(".damaged").exists(), "it is kept for a person to look at"
    assert "set aside" in "".join(capsys.readouterr())
    stream.append([record(9)])
    assert rows(drain(stream)) == [{"n": 9}]


def test_a_file_is_not_set_aside_while_its_writer_lives(folder: Path, opened: Open) -> None:
    stream = opened()
    strange = folder / "20200101T000000-aaaaaaaa.shard"
    strange.write_bytes(b"not a database, but quite long" * 1000)
    with strange.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Transient):
            stream.poll("bronze", ALL)
        assert strange.exists()
    assert stream.poll("bronze", ALL) is None
    assert not strange.exists()


def test_damage_within_a_file_holds_up_nobody(folder: Path, opened: Open) -> None:
    for n in range(2):
        writer = opened()
        writer.append([noise(100_000, seed) for seed in range(5)])
        writer.append([record(n)])
        writer.close()
    damaged = folder / f"{shards(folder)[0]}.shard"
    data = bytearray(damaged.read_bytes())
    data[16_384:] = bytes(len(data) - 16_384)
    damaged.write_bytes(data)
    assert len(rows(drain(opened()))) == 6


def test_a_file_that_was_not_begun_is_passed_over(folder: Path, opened: Open, clock: HandClock) -> None:
    """What a writer leaves that is killed right after it made the file."""
    stream = opened()
    stream.append([record(1)])
    empty = folder / "20200101T000000-aaaaaaaa.shard"
    empty.touch()
    assert rows(drain(stream)) == [{"n": 1}]
    assert not empty.exists(), "and goes with the other old ones"


# rotation


def test_a_file_is_written_for_an_hour(folder: Path, opened: Open, clock: HandClock) -> None:
    stream = opened()
    for n in range(9):
        stream.append([record(n)])
        clock.tick(HOUR / 3)
    assert len(shards(folder)) == 3
    assert [row["n"] for row in rows(drain(stream))] == list(range(9))


def test_a_file_ends_when_it_is_large(folder: Path, opened: Open) -> None:
    stream = opened(rotate_bytes=100_000)
    for n in range(30):
        stream.append([noise(10_000, n)])
    assert len(shards(folder)) == 3
    assert len(rows(drain(stream))) == 30


def test_a_clock_that_is_set_back_begins_a_new_file(folder: Path, opened: Open, clock: HandClock) -> None:
    stream = opened()
    stream.append([record(0)])
    clock.tick(-5)
    stream.append([record(1)])
    assert len(shards(folder)) == 1
    clock.tick(-HOUR)
    stream.append([record(2)])
    assert len(shards(folder)) == 2
    batches = drain(stream)
    assert sorted(row["n"] for row in rows(batches)) == [0, 1, 2]
    assert stream.poll("bronze", ALL) is None


def test_few_files_are_kept_open(opened: Open, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_MOST_OPEN", 3)
    stream = opened()
    for n in range(30):
        stream.append([record(n)])
        clock.tick(HOUR / 2)
    before = len(list(Path("/proc/self/fd").iterdir()))
    reader = opened(retention_seconds=30 * HOUR)
    assert reader.lag("bronze").records == 30
    cursor = reader.tail(None).cursor
    assert [row["n"] for row in rows(drain(reader))] == list(range(30))
    assert len(reader.tail({}).lines) == len(reader.tail(dict.fromkeys(cursor, 0)).lines) == 30
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= 3 * 3 + 4


# how long records are kept


def test_only_what_is_old_and_delivered_is_removed(folder: Path, opened: Open, clock: HandClock) -> None:
    stream = opened(retention_seconds=24 * HOUR)
    for n in range(3):
        stream.append([record(n)])
        clock.tick(HOUR)
    first, second, third = shards(folder)
    one = stream.poll("bronze", ALL)
    assert one is not None
    clock.tick(30 * HOUR)
    stream.append([record(3)])
    last = shards(folder)[-1]
    assert shards(folder) == [first, second, third, last], "all are old, none is delivered"
    stream.commit("bronze", one)
    assert shards(folder) == [second, third, last]
    assert [row["n"] for row in rows(drain(stream))] == [1, 2, 3]
    assert shards(folder) == [last], "what is delivered, but young, can be replayed"
    assert list(stream.ends()) == [last]
    assert stream.seek("bronze", NOON) == 1


def test_what_one_consumer_has_not_taken_is_kept(folder: Path, opened: Open, clock: HandClock) -> None:
    stream = opened()
    stream.append([record(1)])
    slow = stream.poll("slow", ALL)
    assert slow is not None
    stream.commit("slow", slow)
    clock.tick(2 * HOUR)
    stream.append([record(2)])
    clock.tick(30 * HOUR)
    stream.append([record(3)])
    drain(stream, "bronze")
    assert len(shards(folder)) == 2
    drain(stream, "slow")
    assert len(shards(folder)) == 1


def test_what_a_consumer_has_only_looked_at_is_kept(folder: Path, opened: Open, clock: HandClock) -> None:
    stream = opened()
    stream.append([record(1)])
    in_hand = stream.poll("slow", ALL)
    clock.tick(48 * HOUR)
    stream.append([record(2)])
    drain(stream, "bronze")
    assert stream.poll("slow", ALL) == in_hand
    assert [row["n"] for row in rows(drain(stream, "slow"))] == [1, 2]


def test_a_file_is_not_removed_while_its_writer_lives(folder: Path, opened: Open, clock: HandClock) -> None:
    with appender(folder, "alive", 1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        [shard] = shards(folder)
        process.send_signal(signal.SIGSTOP)
        clock.now += timedelta(days=10_000)
        reader = opened()
        batches = drain(reader)
        assert batches
        assert shards(folder) == [shard]
        process.send_signal(signal.SIGCONT)
        count = acknowledged(process, at_least=int(batches[-1].last) + 10)
    batches += drain(reader)
    assert len(rows(batches)) >= count
    assert shards(folder) == []


def test_removed_files_are_gone_whole(folder: Path, opened: Open, clock: HandClock) -> None:
    stream = opened()
    stream.append([record(1)])
    clock.tick(48 * HOUR)
    stream.append([record(2)])
    drain(stream)
    [left] = shards(folder)
    names = {path.name.split(".")[0] for path in folder.iterdir()}
    assert names == {left, "positions"}
    with sqlite3.connect(folder / "positions.db") as db:
        assert db.execute("select distinct shard from positions").fetchall() == [(left,)]
        assert db.execute("select distinct shard from cuts").fetchall() == [(left,)]
    db.close()


def test_a_file_that_another_removed_is_no_trouble(folder: Path, opened: Open, clock: HandClock) -> None:
    writer, reader, other = opened(), opened(), opened()
    writer.append([record(1)])
    drain(reader, "bronze")
    assert len(other.tail({}).lines) == 1
    clock.tick(48 * HOUR)
    writer.append([record(2)])
    drain(reader)
    assert other.tail({}).lines == [record(2).data]
    assert len(shards(folder)) == 1
    assert list(other.ends().values()) == [1]


# how much is kept


def fill(stream: AnyStream, each: int = 10_000) -> int:
    """Append until the stream is full; returns how many were acknowledged."""
    acked = 0
    with pytest.raises(StreamFull):
        for acked in range(10_000):
            stream.append([noise(each, acked)])
    return acked


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


BOUND = 4 << 20


def test_a_full_stream_is_about_as_large_as_allowed(folder: Path, opened: Open) -> None:
    stream = opened(max_bytes=BOUND)
    assert fill(stream) > 100
    assert BOUND / 2 < size(folder) < BOUND * 1.5


def test_room_is_made_by_removing_what_is_delivered_the_oldest_first(
    folder: Path, opened: Open, clock: HandClock
) -> None:
    stream = opened(max_bytes=BOUND)
    acked = 0
    delivered: list[Batch] = []
    while acked < 1000:
        clock.tick()
        stream.append([noise(10_000, acked)])
        acked += 1
        delivered += drain(stream)
    assert len(rows(delivered)) == acked
    assert size(folder) < BOUND * 1.5
    kept = stream.seek("bronze", NOON)
    assert 50 < kept < acked
    left = sorted(drain(stream), key=lambda batch: batch.at)
    assert rows(left) == rows(delivered)[-kept:], "what is left is the newest"


def test_a_full_stream_recovers_when_the_worker_catches_up(folder: Path, opened: Open) -> None:
    stream, worker = opened(max_bytes=BOUND), opened(max_bytes=BOUND)
    total, found = 0, []
    for _ in range(3):
        total += fill(stream)
        with pytest.raises(StreamFull):
            stream.append([record(0)])
        found += rows(drain(worker))
        assert len(found) == total
        stream.append([record(total)])
        total += 1
    assert len(found) + len(rows(drain(worker))) == total


def test_a_full_stream_takes_more_when_some_is_delivered(folder: Path, opened: Open, clock: HandClock) -> None:
    stream = opened(max_bytes=BOUND)
    acked = fill(stream, 200_000)
    assert len(shards(folder)) >= 4, "only whole files can be removed"
    delivered = 0
    while delivered < acked / 2:
        batch = stream.poll("bronze", 1)
        assert batch is not None
        stream.commit("bronze", batch)
        delivered += len(batch)
    clock.tick()
    stream.append([record(0)])
    assert stream.lag("bronze").records == acked - delivered + 1


def test_one_large_file_does_not_fill_the_stream_forever(opened: Open) -> None:
    stream = opened(max_bytes=BOUND, rotate_bytes=1 << 40, rotate_seconds=1 << 40)
    for _ in range(3):
        assert fill(stream) > 10
        drain(stream)


def test_undelivered_records_are_never_removed_for_room(opened: Open) -> None:
    stream = opened(max_bytes=BOUND)
    acked = fill(stream)
    for n in range(20):
        with pytest.raises(StreamFull):
            stream.append([record(n)])
    assert len(rows(drain(stream))) == acked


# how it is stored


def test_long_appends_are_compressed_and_short_ones_are_not(folder: Path, opened: Open) -> None:
    stream = opened()
    short, long = [record(n) for n in range(10)], [record(n) for n in range(5000)]
    random_bytes = Record(random.Random(1).randbytes(20_000).replace(b"\n", b""))
    stream.append(short)
    stream.append(long)
    stream.append([random_bytes])
    [shard] = shards(folder)
    with sqlite3.connect(folder / f"{shard}.shard") as db:
        stored = db.execute("select length(data), bytes from log order by first").fetchall()
    db.close()
    assert stored[0][0] == stored[0][1]
    assert stored[1][0] < stored[1][1] / 2
    assert stored[2][0] == stored[2][1], "what does not get smaller is stored as it is"
    [batch] = drain(stream)
    assert batch.data == b"".join(r.data + b"\n" for r in (*short, *long, random_bytes))


def test_a_crowded_append_is_several_rows_and_one_transaction(folder: Path, opened: Open) -> None:
    stream = opened()
    many = [noise(100_000, n) for n in range(100)]
    stream.append(many)
    [shard] = shards(folder)
    with sqlite3.connect(folder / f"{shard}.shard") as db:
        sizes = [size for (size,) in db.execute("select bytes from log order by first")]
    db.close()
    assert len(sizes) == 3
    assert max(sizes) <= stream.max_record_bytes + 200_000
    assert b"".join(batch.data for batch in drain(stream)) == b"".join(r.data + b"\n" for r in many)


def test_files_are_synced(folder: Path, opened: Open) -> None:
    stream = opened()
    stream.append([record(1)])
    assert isinstance(stream, sqlite.SqliteStream)
    for connection in (stream._active_writer()._connection, stream._position._db):
        assert connection.execute("pragma synchronous").fetchone() == (2,)
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("bad", ["sqlite:relative", "sqlite://host/folder", "sqlite:///folder?x=1"])
def test_the_url_is_one_of_a_folder(bad: str) -> None:
    with pytest.raises(SettingsError, match="URL"):
        sqlite.open(bad)


def wal_bytes(folder: Path, shard: str) -> int:
    wal = folder / f"{shard}.shard-wal"
    return wal.stat().st_size if wal.exists() else 0


def test_a_reader_does_not_keep_the_log_from_being_emptied(
    folder: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_shard, "_CHECKPOINT_PAGES", (1 << 20) // _shard._PAGE_BYTES)
    writer, reader = opened(), opened()
    for n in range(40):
        writer.append([noise(400_000, n)])
        assert reader.poll("other", 1) is not None
        drain(reader)
    [shard] = shards(folder)
    assert 0 < wal_bytes(folder, shard) < 2 << 20


def test_a_file_that_is_done_with_has_no_log_although_it_is_read(folder: Path, opened: Open) -> None:
    writer, reader = opened(), opened()
    writer.append([noise(400_000, 1)])
    [shard] = shards(folder)
    assert reader.lag("bronze").records == 1
    assert wal_bytes(folder, shard) > 100_000
    writer.close()
    assert wal_bytes(folder, shard) == 0
    assert len(rows(drain(reader))) == 1


def test_the_log_of_a_killed_writer_is_emptied_by_a_reader(folder: Path, opened: Open) -> None:
    with appender(folder, "killed", 500) as process:
        count = acknowledged(process, at_least=1000)
    [shard] = shards(folder)
    assert wal_bytes(folder, shard) > 10_000
    reader = opened()
    assert reader.lag("bronze").records >= count
    assert wal_bytes(folder, shard) == 0
    assert len(rows(drain(reader))) >= count


def test_to_read_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        _shard.Shard(tmp_path / "gone.shard")
    assert list(tmp_path.iterdir()) == []
