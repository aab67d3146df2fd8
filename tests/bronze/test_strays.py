"""Objects that others wrote into bronze itself → the inbox, without a copy."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from faults import Crash, Fault
from hand_clock import NOON, HandClock
from penstock.bronze.deliver import announce, deliver
from penstock.bronze.drops import Dropped
from penstock.bronze.layout import INBOX, LOADS, from_inbox, inbox_key
from penstock.bronze.load import take
from penstock.bronze.places import place
from penstock.bronze.seen import Seen
from penstock.bronze.store import Bronze
from penstock.bronze.strays import Strays
from penstock.objects import Objects
from penstock.stream import Record, memory

LINES = b'{"n":1}\n'
FOLDER = "year=2026/month=02/day=01/hour=10/"


class Hand:
    def __init__(self, folder: Path) -> None:
        self.root = folder / "bronze"
        self.bronze = Bronze(Objects(self.root.as_uri()))
        self.taken: set[str] = set()
        self.clock = HandClock()
        self.seen = Seen(folder / "drops.db", self.bronze.url)
        self.strays = Strays(
            place(self.bronze.url, "year=", write_once=True), self.seen, lambda keys: self.taken.intersection(keys)
        )

    def put(self, name: str, age: float = 60) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(LINES)
        os.utime(path, ((self.clock() - timedelta(seconds=age)).timestamp(),) * 2)
        return name

    def scan(self, after: float = 60) -> Dropped:
        self.clock.tick(after)
        return self.strays.scan(self.bronze, self.clock())

    @property
    def inbox(self) -> dict[str, int]:
        return {from_inbox(e.key): int(self.bronze.get(e.key)) for e in self.bronze.list(INBOX)}


@pytest.fixture
def hand(tmp_path: Path) -> Hand:
    return Hand(tmp_path)


def test_an_object_of_others_is_announced_where_it_lies(hand: Hand) -> None:
    keys = {hand.put(f"{FOLDER}minute=05/a.jsonl.gz"), hand.put(f"{FOLDER}source=shop/b.json")}
    assert hand.scan() == Dropped(new=2)
    assert hand.inbox == dict.fromkeys(keys, len(LINES))
    assert {e.key for e in hand.bronze.list() if not e.key.startswith(INBOX)} == keys
    for key in keys:
        hand.bronze.delete(inbox_key(key))
    hand.taken = keys
    assert not hand.scan()
    assert hand.inbox == {}


def test_what_is_ours_is_not_announced_again(hand: Hand) -> None:
    stream = memory.open("memory:", clock=lambda: NOON)
    stream.append([Record(LINES.strip())])
    deliver(stream, hand.bronze, limit_bytes=100)
    waiting = take(hand.bronze, LINES, "a.jsonl", NOON).key
    before = hand.inbox
    assert not hand.scan()
    assert hand.inbox == before
    hand.taken = {waiting}
    hand.bronze.delete(inbox_key(waiting))
    hand.strays.seen.forget("")
    hand.scan(after=1000)
    assert waiting not in hand.inbox


def test_what_silver_has_is_not_announced(hand: Hand) -> None:
    hand.taken = {hand.put(f"{FOLDER}a.jsonl")}
    assert not hand.scan()
    assert hand.inbox == {}


def test_what_is_still_being_written_is_left_alone(hand: Hand) -> None:
    hand.put(f"{FOLDER}a.jsonl", age=-58)
    assert hand.scan() == Dropped(waiting=1)
    assert hand.scan(after=4) == Dropped(new=1)


@pytest.mark.parametrize("name", [f"{FOLDER}notes.txt", "year=2026/month=13/a.jsonl"])
def test_what_cannot_be_read_is_refused_once(hand: Hand, name: str) -> None:
    hand.put(name)
    assert hand.scan() == Dropped(refused=1)
    assert not hand.scan()


def test_beside_the_years_nothing_is_looked_at(hand: Hand) -> None:
    for name in (f"{LOADS}abc", "state/merged-until", "a.jsonl", f"{FOLDER}minute=01/b.jsonl.tmp"):
        hand.put(name)
    hand.put(f"{FOLDER}merged-0123456789abcdef.json")
    hand.put(f"{FOLDER}merged-0123456789abcdef.jsonl.gz")
    assert not hand.scan()
    assert hand.inbox == {}


def test_a_round_is_bounded(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.bronze.strays._ROUND_FILES", 2)
    for minute in range(5):
        hand.put(f"{FOLDER}minute=0{minute}/a.jsonl")
    assert [hand.scan(after=1).new for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_any_two_steps(tmp_path: Path, after: bool) -> None:
    for nth in count(1):
        hand = Hand(tmp_path / str(nth))
        keys = {hand.put(f"{FOLDER}minute=0{minute}/a.jsonl") for minute in range(2)}
        announce(hand.bronze, f"{FOLDER}minute=09/coming.jsonl", 5)
        fault = Fault(nth, after=after)
        hand.strays.seen = fault.at(hand.seen)
        with suppress(Crash):
            hand.strays.scan(fault.at(hand.bronze), hand.clock())
        hand.strays.seen = hand.seen
        hand.scan(after=1)
        assert set(hand.inbox) == keys | {f"{FOLDER}minute=09/coming.jsonl"}
        if not fault.happened:
            break
    assert nth > 5
