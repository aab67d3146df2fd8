"""Copies of a store's files: fetched once, bounded, and never another file's bytes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from penstock.cache import Cache
from penstock.errors import LakeError, Transient
from penstock.objects import Objects

MOST = 1600
SIZE = 100


@pytest.fixture
def store(tmp_path: Path) -> Objects:
    found = Objects((tmp_path / "store").as_uri())
    for n in range(40):
        found.put(f"day={n}/x.parquet", bytes([n]) * SIZE)
    return found


def here(cache: Cache, store: Objects, *numbers: int) -> list[bytes]:
    return [path.read_bytes() for path in cache.here(store, {f"day={n}/x.parquet": SIZE for n in numbers}).values()]


def size(cache: Cache) -> int:
    return sum(path.stat().st_size for path in cache.folder.rglob("*") if path.is_file())


def test_a_file_is_fetched_once_and_again_if_it_is_not_whole(tmp_path: Path, store: Objects) -> None:
    cache = Cache(tmp_path / "cache", MOST)
    assert here(cache, store, 1, 2) == [b"\x01" * SIZE, b"\x02" * SIZE]
    store.delete("day=1/x.parquet")
    assert here(cache, store, 1) == [b"\x01" * SIZE]
    cache.path(store.url, "day=2/x.parquet").write_bytes(b"torn")
    assert here(cache, store, 2) == [b"\x02" * SIZE]


def test_it_stays_bounded_and_keeps_what_was_used_last(tmp_path: Path, store: Objects) -> None:
    cache = Cache(tmp_path / "cache", MOST)
    for n in range(40):
        here(cache, store, n)
        os.utime(cache.path(store.url, f"day={n}/x.parquet"), (time.time() - 1000 + n,) * 2)
        assert size(cache) <= MOST
        here(cache, store, 0)  # used again and again
    store.delete_all(["day=0/x.parquet", "day=1/x.parquet"])
    assert here(cache, store, 0) == [b"\x00" * SIZE]
    with pytest.raises(Transient, match="gone"):
        here(cache, store, 1)


def test_a_question_that_does_not_fit_is_refused(tmp_path: Path, store: Objects) -> None:
    cache = Cache(tmp_path / "cache", MOST)
    with pytest.raises(LakeError, match="1,700"):
        here(cache, store, *range(17))
    assert size(cache) == 0


def test_what_nobody_used_for_a_day_goes(tmp_path: Path, store: Objects) -> None:
    here(Cache(tmp_path / "cache", MOST), store, 1, 2)
    cache = Cache(tmp_path / "cache", MOST)
    old = cache.path(store.url, "day=1/x.parquet")
    os.utime(old, (time.time() - 100_000,) * 2)
    here(cache, store, 3)
    assert not old.exists() and size(cache) == 2 * SIZE


def test_what_was_written_is_here_and_can_be_forgotten(tmp_path: Path, store: Objects) -> None:
    cache = Cache(tmp_path / "cache", MOST)
    (tmp_path / "new").write_bytes(b"new" * 10)
    cache.add(store, "new", tmp_path / "new")
    assert cache.here(store, {"new": 30})["new"].read_bytes() == b"new" * 10
    cache.forget(store.url)
    assert size(cache) == 0


@pytest.mark.parametrize("url", ["s3://bucket/a/../../../b", "s3://bucket/it's", "s3://../x"])
def test_copies_lie_in_its_folder(tmp_path: Path, url: str) -> None:
    cache = Cache(tmp_path / "cache", MOST)
    assert cache.path(url, "k").resolve().is_relative_to(cache.folder)
