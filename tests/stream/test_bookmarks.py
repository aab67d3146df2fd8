"""Bookmarks beside the lake, on a disk and in a bucket: no move of two processes is lost, batches are known again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

import aws_in_hand
from penstock.objects import Objects
from penstock.stream._bookmarks import Bookmarks, Cut, Positions, total

HOUR = 3_600_000
NOON = 1_769_947_200_000
FIRST = 49680408605916344738341342460622203607409776769563099138


@pytest.fixture(params=["disk", "bucket"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "disk":
        yield f"file://{tmp_path}/positions"
        return
    with aws_in_hand.aws(monkeypatch):
        client = boto3.client("s3")
        name = f"lake-{tmp_path.name.replace('_', '-')}"
        client.create_bucket(Bucket=name)
        client.close()
        yield f"s3://{name}/positions"


def opened(url: str) -> Bookmarks:
    return Bookmarks(Objects(url), keep_seconds=3600, idle_seconds=0)


def test_what_one_moves_another_sees(url: str) -> None:
    one, other = opened(url), opened(url)
    assert one.positions("c") == {}
    for moves in (1, 1, 2, 5):  # it looks after each move, and after several
        for _ in range(moves):
            one.move("c", lambda positions: {**positions, "shard": positions.get("shard", FIRST) + 1})
        assert other.positions("c") == one.positions("c")
    assert opened(url).positions("c") == other.positions("c") == {"shard": FIRST + 9}
    assert one.positions("another") == {}
    assert not one.move("c", lambda positions: None)


def test_of_moves_at_the_same_moment_none_is_lost(url: str) -> None:
    def count(marks: Bookmarks) -> None:
        for _ in range(20):
            marks.move("c", lambda positions: {"n": positions.get("n", 0) + 1})

    threads = [threading.Thread(target=count, args=(opened(url),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened(url).positions("c") == {"n": 60}


def test_who_slept_takes_no_number_that_was_removed(url: str) -> None:
    sleeper, other = opened(url), opened(url)
    sleeper.move("c", lambda positions: {"n": 1})

    def after_a_long_sleep(positions: Positions) -> Positions:
        if positions == {"n": 1}:
            for n in range(2, 40):
                other.move("c", lambda _, n=n: {"n": n})
        return {"n": positions["n"] + 1000}

    sleeper.move("c", after_a_long_sleep)
    assert opened(url).positions("c") == other.positions("c") == {"n": 1039}


def test_a_batch_is_what_it_was_first(url: str) -> None:
    cut = Cut(0, FIRST, FIRST + 5, NOON, 6)
    assert opened(url).freeze("c", "shard", cut) == cut
    assert opened(url).freeze("c", "shard", cut._replace(last=FIRST + 9)) == cut
    assert opened(url).cut("c", "shard", FIRST, NOON) == cut
    assert opened(url).cut("c", "shard", FIRST + 1, NOON) is None
    assert opened(url).cut("another", "shard", FIRST, NOON) is None


def test_the_batches_since(url: str) -> None:
    marks = opened(url)
    cuts = [Cut(n * 10, n * 10 + 1, n * 10 + 10, NOON + n * HOUR // 2, 10) for n in range(4)]
    for cut in reversed(cuts):
        marks.freeze("c", "shard", cut)
    assert marks.since("c", "shard", 15) == cuts[1:]
    assert total(marks.since("c", "shard", 15), until=30) == 20
    assert marks.since("c", "shard", 41) == []
    assert opened(url).since("c", "another", 1) == []


def test_what_is_forgotten_stays_forgotten(url: str) -> None:
    marks = opened(url)
    assert marks.forgotten() == 0
    marks.forget(NOON)
    marks.forget(NOON - 1)
    assert opened(url).forgotten() == NOON
