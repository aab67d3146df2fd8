"""The same in a bucket: an emulator (moto) on loopback, reached over real HTTP by the real client."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import from_url

from penstock.bronze.drops import Drop, Dropped
from penstock.bronze.layout import INBOX, LOADS, arrival, inbox_key, source
from penstock.bronze.places import place
from penstock.bronze.seen import Seen
from penstock.bronze.store import Bronze
from penstock.bronze.strays import Strays
from penstock.objects import Objects

NOW = datetime.now(UTC)
LINES = b'{"n":1}\n{"n":2}\n'


class Hand:
    def __init__(self, folder: Path, bucket: str) -> None:
        self.bronze = Bronze(Objects((folder / "bronze").as_uri()))
        self.place: Any = place(bucket)
        self.seen = Seen(folder / "drops.db", self.place.url)
        self.store = from_url(bucket)
        self.drop = Drop(self.place, self.seen)

    def put(self, key: str, data: bytes = LINES, **attributes: str) -> None:
        obstore.put(self.store, key, data, attributes={k.replace("_", "-"): v for k, v in attributes.items()})

    def scan(self, after: float = 0) -> Dropped:
        return self.drop.scan(self.bronze, NOW + timedelta(seconds=after))

    @property
    def objects(self) -> dict[str, bytes]:
        return {e.key: self.bronze.get(e.key) for e in self.bronze.list() if not e.key.startswith((INBOX, LOADS))}


@pytest.fixture
def hand(tmp_path: Path, bucket: str) -> Hand:
    return Hand(tmp_path, bucket)


def test_segments_layout_with_its_content_encoding(hand: Hand) -> None:
    packed = gzip.compress(LINES, mtime=0)
    hand.put(
        "segment-logs/web/1769904000000/1769904001.1aaa.gz", packed, content_encoding="gzip", content_type="text/plain"
    )
    hand.put("segment-logs/app/1769904000000/1769904002.1aaa.gz", b'{"n":3}\n', content_encoding="gzip")
    assert hand.scan() == Dropped(new=2)
    found = {source(key): (arrival(key), data) for key, data in hand.objects.items()}
    day = datetime(2026, 2, 1, tzinfo=UTC)
    assert found == {"web": (day, packed), "app": (day, b'{"n":3}\n')}


def test_an_object_is_taken_once_and_when_it_is_rewritten(hand: Hand) -> None:
    hand.put("a.jsonl")
    assert hand.scan() == Dropped(new=1)
    assert not hand.scan(after=1000)
    hand.put("a.jsonl", LINES * 2)
    hand.put("b.jsonl", LINES)
    assert hand.scan(after=2000) == Dropped(new=1, known=1)
    assert not hand.scan(after=3000)
    recent = {at for key in hand.objects if (at := arrival(key)) and datetime.now(UTC) - at < timedelta(minutes=5)}
    assert len(recent) == 1


def test_a_short_look_lists_only_the_end_of_each_series(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.bronze.seen._SERIES_TAIL", 2)
    monkeypatch.setattr("penstock.bronze.drops._FILES_PER_SECOND", 0.01)
    for who in ("web", "app"):
        for day in range(5):
            hand.put(f"segment-logs/{who}/{1769904000000 + day * 86_400_000}/a.gz", b'{"%s":%d}' % (who.encode(), day))
    assert hand.scan() == Dropped(new=10)
    listed: list[str] = []
    real = Objects.list

    def counting(self: Objects, *args: Any, **kwargs: Any) -> Iterator[Any]:
        for entry in real(self, *args, **kwargs):
            listed.append(entry.key)
            yield entry

    monkeypatch.setattr(Objects, "list", counting)
    assert not hand.scan(after=1)
    assert len(listed) == 4
    hand.put(f"segment-logs/web/{1769904000000 + 5 * 86_400_000}/a.gz", b'{"new":1}')
    hand.put("segment-logs/web/1769904000000/late.gz", b'{"late":1}')
    assert hand.scan(after=2) == Dropped(new=1)
    assert hand.scan(after=4000) == Dropped(new=1), "a full look finds what came late into an old folder"
    assert not hand.scan(after=4001)


def test_bronze_itself_is_looked_at_from_the_years_on(tmp_path: Path, bucket: str) -> None:
    bronze = Objects(f"{bucket}/bronze")
    for key in ("inbox/x", f"{LOADS}y", "state/z", "year=2026/month=02/day=01/a.jsonl"):
        bronze.put(key, LINES)
    assert [entry.key for entry in bronze.list(after="year=")] == ["year=2026/month=02/day=01/a.jsonl"]
    strays = Strays(place(bronze.url, "year="), Seen(tmp_path / "drops.db", bronze.url), lambda keys: ())
    assert strays.scan(Bronze(bronze), NOW) == Dropped(new=1)
    assert bronze.exists(inbox_key("year=2026/month=02/day=01/a.jsonl"))
    assert not strays.scan(Bronze(bronze), NOW + timedelta(seconds=60))
