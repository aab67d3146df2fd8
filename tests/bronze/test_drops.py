"""Files that others put into a folder → bronze, each content once, with its time of arrival."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from faults import Crash, Fault
from hand_clock import NOON, HandClock
from penstock.bronze.drops import Drop, Dropped, Drops
from penstock.bronze.layout import INBOX, LOADS, arrival, from_inbox, source
from penstock.bronze.places import place
from penstock.bronze.seen import Seen
from penstock.bronze.store import Bronze
from penstock.hosts.supervisor import free_port
from penstock.objects import Objects

LINES = b'{"n":1}\n{"n":2}\n'
UUID = "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
OLD = NOON - timedelta(hours=1)


class Hand:
    """A drop in hand: put files, look, and see what bronze has."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder / "drop"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bronze = Bronze(Objects((folder / "bronze").as_uri()))
        self.clock = HandClock()
        self.told: list[tuple[str, str]] = []
        self.seen_path = folder / "drops.db"
        self._options = options
        self.open()

    def open(self) -> None:
        """As in a new process."""
        self.seen = Seen(self.seen_path, self.folder.as_uri())
        self.place: Any = place(self.folder.as_uri())
        self.drop = Drop(self.place, self.seen, **self._options)

    def put(self, name: str, data: bytes = LINES, at: datetime = OLD) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (at.timestamp(), at.timestamp()))
        return path

    def scan(self, after: float = 1) -> Dropped:
        self.clock.tick(after)
        return self.drop.scan(self.bronze, self.clock(), lambda *told: self.told.append(told))

    @property
    def objects(self) -> dict[str, bytes]:
        return {e.key: self.bronze.get(e.key) for e in self.bronze.list() if not e.key.startswith((INBOX, LOADS))}

    @property
    def inbox(self) -> set[str]:
        return {from_inbox(entry.key) for entry in self.bronze.list(INBOX)}


@pytest.fixture
def hand(tmp_path: Path) -> Hand:
    return Hand(tmp_path)


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


PLACES = [
    ("year=2026/month=02/day=01/hour=10/minute=35/a.jsonl.gz", "2026-02-01T10:35", "default"),
    ("year=2026/month=02/day=01/hour=10/a.jsonl", "2026-02-01T10:00", "default"),
    ("raw/year=2026/month=2/day=1/hour=9/a.json", "2026-02-01T09:00", "default"),
    ("year=2026/month=02/day=01/a.jsonl", "2026-02-01T00:00", "default"),
    ("year=2026/month=02/a.jsonl", "2026-02-28T23:59", "default"),
    ("year=2025/a.jsonl", "2025-12-31T23:59", "default"),
    ("source=shop/year=2026/month=02/day=01/a.jsonl", "2026-02-01T00:00", "shop"),
    ("segment-logs/4R3ZaJRfi9/1769904000000/1769904001.1aaa.1.gz", "2026-02-01T00:00", "4R3ZaJRfi9"),
    ("some/prefix/segment-logs/web/1769904000000/x.gz", "2026-02-01T00:00", "web"),
    (f"2026/02/01/11/stream-1-2026-02-01-11-05-00-{UUID}", "2026-02-01T11:00", "default"),
    (f"stream-1-2026-02-01-11-05-00-{UUID}", "2026-02-01T11:05", "default"),
    (f"my.stream-1-2026-02-01-11-05-00-{UUID}", "2026-02-01T11:05", "default"),
    ("a.jsonl", "2026-02-01T11:00", "default"),
    ("year=2026/month=13/a.jsonl", "2026-02-01T11:00", "default"),
    ("segment-logs/web/99/a.gz", "2026-02-01T11:00", "default"),
]


@pytest.mark.parametrize(("name", "at", "who"), PLACES, ids=[case[0] for case in PLACES])
def test_the_place_says_when_it_came_and_from_whom(hand: Hand, name: str, at: str, who: str) -> None:
    hand.put(name)
    assert hand.scan().new == 1
    [key] = hand.objects
    assert arrival(key) == datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert source(key) == who
    assert hand.inbox == {key}
    assert hand.told == [(name, "loaded")]
    assert (hand.folder / name).read_bytes() == LINES


def test_a_configured_source_wins(tmp_path: Path) -> None:
    hand = Hand(tmp_path, source="import")
    hand.put("segment-logs/web/1769904000000/x.gz")
    hand.scan()
    assert [source(key) for key in hand.objects] == ["import"]


KINDS = [
    ("plain.jsonl", LINES),
    ("plain.ndjson", LINES),
    ("array.json", b'[{"n":1},{"n":2}]'),
    ("a.jsonl.gz", gz(LINES)),
    ("a.zst", pa.Codec("zstd").compress(LINES, asbytes=True)),
    ("plain-inside.gz", LINES),
    ("packed-inside.jsonl", gz(LINES)),
    ("no-ending", b'{"n":1}{"n":2}'),
    ("no-ending-packed", gz(b'{"n":1}{"n":2}')),
    ("damaged.gz", gz(LINES)[:-9]),
    ("empty.jsonl", b""),
]


@pytest.mark.parametrize(("name", "data"), KINDS, ids=[case[0] for case in KINDS])
def test_the_bytes_are_taken_as_they_are(hand: Hand, name: str, data: bytes) -> None:
    hand.put(name, data)
    assert hand.scan().new == 1
    assert list(hand.objects.values()) == [data]


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.jsonl.bak", "README", "no-ending"])
def test_another_kind_is_refused_once_and_told(hand: Hand, name: str) -> None:
    hand.put(name, b"this is no event")
    hand.put("good.jsonl")
    done = hand.scan()
    assert done.refused == 1
    assert [refusal.split(":")[0] for refusal in done.refusals] == [name]
    assert [told for told in hand.told if told[0] == name]
    assert len(hand.objects) == 1
    assert not hand.scan()


@pytest.mark.parametrize(
    "name", [".hidden.jsonl", "_SUCCESS", "_temporary/0/a.jsonl", "a.jsonl.tmp", "a.jsonl.gz.part"]
)
def test_what_its_writer_hides_is_left_alone(hand: Hand, name: str) -> None:
    path = hand.put(name)
    assert not hand.scan()
    assert hand.told == []
    path.rename(hand.folder / "shown.jsonl")
    assert hand.scan().new == 1


def test_links_and_pipes_are_left_alone(hand: Hand, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.jsonl").write_bytes(LINES)
    (hand.folder / "link.jsonl").symlink_to(tmp_path / "elsewhere/a.jsonl")
    (hand.folder / "folder").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(hand.folder / "pipe.jsonl")
    assert not hand.scan()


def test_a_name_that_is_no_text(hand: Hand) -> None:
    path = os.fsencode(hand.folder) + b"/caf\xe9.jsonl"
    with open(path, "wb") as file:  # noqa: PTH123 - a Path cannot have this name
        file.write(LINES)
    assert hand.scan().waiting == 1
    assert hand.scan(after=10).new == 1
    hand.open()
    assert not hand.scan()


def test_the_same_again_adds_nothing(hand: Hand) -> None:
    hand.put("a.jsonl")
    hand.scan()
    before = hand.objects
    hand.put("b.jsonl")
    hand.put("year=2026/month=02/day=01/hour=10/a.jsonl")
    assert hand.scan() == Dropped(known=2)
    assert not hand.scan()
    assert hand.objects == before
    assert hand.told[-1] == ("year=2026/month=02/day=01/hour=10/a.jsonl", "already loaded")


def in_place(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def by_renaming(path: Path, data: bytes) -> None:
    path.with_suffix(".tmp").write_bytes(data)
    path.with_suffix(".tmp").rename(path)


@pytest.mark.parametrize("write", [in_place, by_renaming])
def test_other_content_under_the_same_name_is_another_object(hand: Hand, write: Callable[[Path, bytes], None]) -> None:
    path = hand.put("a.jsonl")
    hand.scan()
    write(path, LINES * 2)
    os.utime(path, (OLD.timestamp() + 1, OLD.timestamp() + 1))
    assert hand.scan(after=1000).new == 1
    assert sorted(hand.objects.values()) == [LINES, LINES * 2]


def test_a_file_that_went_and_came_back(hand: Hand) -> None:
    path = hand.put("a.jsonl")
    hand.scan()
    path.unlink()
    assert not hand.scan()
    assert hand.seen.count() == 0
    hand.put("a.jsonl")
    assert hand.scan() == Dropped(known=1)


def test_a_folder_that_went_is_forgotten(hand: Hand) -> None:
    hand.put("year=2026/month=02/day=01/a.jsonl")
    hand.put("b.jsonl", LINES * 2)
    hand.scan()
    shutil.rmtree(hand.folder / "year=2026")
    assert not hand.scan()
    assert hand.seen.count() == 1
    assert set(hand.seen.folders()) == {""}


# a file that is still being written


def test_a_file_that_changed_just_now_is_left_alone(hand: Hand) -> None:
    hand.put("a.jsonl", at=hand.clock())
    assert hand.scan() == Dropped(waiting=1)
    hand.put("a.jsonl", LINES * 2, at=hand.clock())
    assert hand.scan(after=4) == Dropped(waiting=1)
    hand.put("a.jsonl", LINES * 3, at=hand.clock())
    assert hand.scan(after=4.9) == Dropped(waiting=1)
    assert hand.scan(after=0.2) == Dropped(new=1)
    assert list(hand.objects.values()) == [LINES * 3]


def test_a_clock_that_is_ahead_does_not_hold_a_file_back(hand: Hand) -> None:
    hand.put("a.jsonl", at=datetime(2100, 1, 1, tzinfo=UTC))
    assert hand.scan() == Dropped(waiting=1)
    assert hand.scan(after=4) == Dropped(waiting=1)
    assert hand.scan(after=2) == Dropped(new=1)


def test_a_file_that_changes_while_it_is_read_is_left_alone(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    path = hand.put("a.jsonl")
    real = os.open

    def grow_then_open(name: Any, *args: Any) -> int:
        if os.fspath(name) == str(path):
            path.write_bytes(LINES * 2)
        return real(name, *args)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", grow_then_open)
        assert hand.scan() == Dropped(waiting=1)
    os.utime(path, (OLD.timestamp(), OLD.timestamp()))
    assert hand.scan() == Dropped(new=1)
    assert list(hand.objects.values()) == [LINES * 2]


# trouble


def test_a_file_that_cannot_be_read_does_not_stop_the_others(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = hand.put("a.jsonl")
    hand.put("b.jsonl", LINES * 2)
    real = os.open

    def refuse(name: Any, *args: Any) -> int:
        if os.fspath(name) == str(bad):
            raise PermissionError(13, "Permission denied", name)
        return real(name, *args)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        assert hand.scan() == Dropped(new=1, problems=["a.jsonl: Permission denied"])
    assert hand.scan() == Dropped(new=1)


def test_a_folder_that_cannot_be_listed_does_not_stop_the_others(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    hand.put("a/1.jsonl")
    hand.put("b/2.jsonl", LINES * 2)
    real = os.scandir

    def refuse(path: str) -> Any:
        if path.endswith("/a/"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        [problem] = Drops([hand.drop]).scan(hand.bronze, NOON).problems
        assert "Permission denied" in problem
    assert list(hand.objects.values()) == [LINES * 2]
    assert hand.scan() == Dropped(new=1)


def test_a_bucket_that_does_not_answer_is_a_problem(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.bronze.places._RETRY_SECONDS", 0)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    url = "s3://nowhere/at-all"
    away = Drop(place(url), Seen(hand.seen_path, url))
    hand.put("a.jsonl")
    done = Drops([away, hand.drop]).scan(hand.bronze, NOON)
    assert done.new == 1
    [problem] = done.problems
    assert problem.startswith(url)
    away.seen.close()


def test_a_place_that_is_not_there_does_not_stop_the_others(tmp_path: Path) -> None:
    hand = Hand(tmp_path)
    hand.put("a.jsonl")
    gone = (tmp_path / "gone").as_uri()
    drops = Drops([Drop(place(gone), Seen(hand.seen_path, gone)), hand.drop])
    done = drops.scan(hand.bronze, NOON, only_if_due=True)
    assert done.new == 1
    assert done.problems == [f"{gone}: there is no folder {tmp_path / 'gone'}"]
    hand.put("b.jsonl", LINES * 2)
    assert drops.scan(hand.bronze, NOON + timedelta(seconds=2), only_if_due=True) == Dropped(new=1)
    (tmp_path / "gone").mkdir()
    assert drops.scan(hand.bronze, NOON + timedelta(seconds=3)) == Dropped()
    drops.close()


def test_a_place_is_looked_at_when_it_is_due(hand: Hand) -> None:
    drops = Drops([hand.drop])
    assert not drops.scan(hand.bronze, NOON, only_if_due=True)
    hand.put("a.jsonl")
    assert not drops.scan(hand.bronze, NOON + timedelta(seconds=0.5), only_if_due=True)
    assert drops.scan(hand.bronze, NOON + timedelta(seconds=1), only_if_due=True)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("what", ["bronze", "seen", "place"])
def test_a_crash_between_any_two_steps(tmp_path: Path, what: str, after: bool) -> None:
    for nth in count(1):
        hand = Hand(tmp_path / str(nth))
        for name in ("year=2026/month=02/day=01/hour=10/a.jsonl", "b.jsonl", "c.jsonl"):
            hand.put(name, LINES + name.encode())
        fault = Fault(nth, after=after)
        target = fault.at(getattr(hand, what))
        hand.drop = Drop(target if what == "place" else hand.place, target if what == "seen" else hand.seen)
        with suppress(Crash):
            hand.drop.scan(target if what == "bronze" else hand.bronze, hand.clock())
        hand.open()
        hand.scan()
        assert not hand.scan()
        assert sorted(hand.objects.values()) == sorted(
            LINES + e.encode() for e in ("b.jsonl", "c.jsonl", "year=2026/month=02/day=01/hour=10/a.jsonl")
        )
        assert hand.inbox == set(hand.objects)
        if not fault.happened:
            break
    assert nth > 3


def test_what_was_seen_may_be_lost(hand: Hand) -> None:
    hand.put("a.jsonl")
    hand.put("year=2026/b.jsonl", LINES * 2)
    hand.scan()
    before = hand.objects
    hand.seen.close()
    for path in hand.seen_path.parent.glob("drops.db*"):
        path.unlink()
    hand.open()
    assert hand.scan() == Dropped(known=2)
    assert hand.objects == before


# cost


def history(hand: Hand, folders: int, each: int) -> None:
    """Files that were seen, without the work of loading them."""
    for number in range(folders):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
        folder = hand.folder / at.strftime("year=%Y/month=%m/day=%d/hour=%H/minute=%M")
        folder.mkdir(parents=True)
        for file in range(each):
            (folder / f"{file}.jsonl").touch()
    hand.clock.now = datetime.now(UTC) + timedelta(minutes=5)
    for listing in hand.place.look(hand.seen, hand.clock().timestamp(), full=True):
        hand.seen.record(
            listing.folder, [(f.name.rsplit("/", 1)[-1], f.stamp) for f in listing.new], (), listing.folders
        )
    hand.seen.fully_seen(hand.clock().timestamp())


def test_a_round_with_nothing_new_asks_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 files in 4,000 folders: what is asked of the disk is counted, not timed."""
    hand = Hand(tmp_path)
    history(hand, folders=4000, each=5)
    assert hand.seen.count() == 20_000
    asked = {"stat": 0, "scandir": 0, "open": 0}
    for name in asked:
        real = getattr(os, name)

        def counting(*args: Any, name: str = name, real: Any = real, **kwargs: Any) -> Any:
            asked[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, counting)
    assert hand.scan() == Dropped()
    assert asked["scandir"] == asked["open"] == 0
    assert asked["stat"] < 1200

    path = hand.put("year=2026/month=11/day=20/hour=12/minute=00/new.jsonl")
    assert hand.scan() == Dropped(new=1)
    assert asked["scandir"] < 12
    cold = hand.folder / "year=2026/month=01/day=01/hour=00/minute=00"
    path.rename(cold / "late.jsonl")
    assert hand.scan(after=600) == Dropped(known=1), "a full look finds what came late into an old folder"


def test_a_full_look_reads_no_known_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = Hand(tmp_path)
    for number in range(50):
        hand.put(f"{number}.jsonl", b'{"n":%d}\n' % number)
    assert hand.scan().new == 50
    hand.open()
    monkeypatch.setattr(hand.place, "read", None)
    assert not hand.scan(after=10_000)


def test_a_round_is_bounded(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.bronze.drops._ROUND_FILES", 3)
    for number in range(4):
        hand.put(f"{number}.jsonl", b'{"n":%d}\n' % number)
        hand.put(f"year=2026/{number}.jsonl", b'{"m":%d}\n' % number)
    rounds = [hand.scan() for _ in range(4)]
    assert [(done.new, done.more) for done in rounds] == [(3, True), (3, True), (2, False), (0, False)]
    assert len(hand.objects) == 8
