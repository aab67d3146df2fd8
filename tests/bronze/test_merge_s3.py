"""Merging, expiry and rewriting in an S3 bucket: an emulator (moto) on loopback, reached by the real client."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest

from bronze_in_hand import HOUR, NOON, content, fill, key_of, merge_all, raw
from faults import Crash, Fault
from penstock.bronze.expire import Expired, expire
from penstock.bronze.merge import Merged, look_again
from penstock.bronze.rewrite import rewrite
from penstock.bronze.store import Bronze
from penstock.objects import Children, Objects


def bronze_in(bucket: str) -> Bronze:
    return Bronze(Objects(f"{bucket}/bronze"))


def test_objects_are_merged_and_keep_their_names(bucket: str) -> None:
    bronze = bronze_in(bucket)
    made = fill(bronze, 30)
    assert merge_all(bronze) == Merged(30, 1)
    assert len(raw(bronze)) == 2
    assert content(bronze) == content(bronze_in(bucket)) == made
    assert bronze.exists(key_of(3))
    assert not bronze.exists(key_of(77))
    assert [entry.key for entry in bronze.list(f"{HOUR}minute=03/")] == [key_of(3)]
    with pytest.raises(FileNotFoundError):
        bronze.get(key_of(77))
    assert merge_all(bronze) == Merged(0, 0)


@pytest.mark.parametrize("nth", [3, 8, 10, 11, 12, 13, 15])
def test_a_merge_that_was_cut_off_goes_on(bucket: str, nth: int) -> None:
    made = fill(bronze_in(bucket), 4)
    with suppress(Crash):
        merge_all(Bronze(Fault(nth, after=True).at(Objects(f"{bucket}/bronze"))))
    assert content(bronze_in(bucket)) == made
    look_again(bronze_in(bucket), NOON)
    merge_all(bronze_in(bucket))
    assert content(bronze_in(bucket)) == made
    assert len(raw(bronze_in(bucket))) == 2


def test_a_line_is_erased_and_a_day_expires(bucket: str) -> None:
    bronze = bronze_in(bucket)
    fill(bronze, 4)
    merge_all(bronze)
    before = raw(bronze)
    rewrite(bronze, {key_of(2): {1, 2}})
    assert len(raw(bronze)) == 2
    assert not set(raw(bronze)) & set(before)
    assert len(content(bronze)) == 4
    assert expire(bronze, date(2026, 2, 1)) == Expired()
    assert expire(bronze, date(2026, 2, 2))[:2] == (1, 2)
    assert content(bronze) == {}


def folders_and_keys(found: Children) -> tuple[list[str], list[str]]:
    return found.folders, [entry.key for entry in found.objects]


def test_parts_and_children(bucket: str) -> None:
    store = Objects(bucket)
    for key in ("b", "in/z", "in/b/c", "in/a/d", "inside"):
        store.put(key, b"0123456789")
    assert store.get_range("b", 3, 4) == b"3456"
    assert store.get_range("b", 8, 9) == b"89"
    with pytest.raises(FileNotFoundError):
        store.get_range("missing", 0, 1)
    assert folders_and_keys(store.children("in/")) == (["in/a/", "in/b/"], ["in/z"])
    assert folders_and_keys(store.children()) == (["in/"], ["b", "inside"])
    assert store.children("nowhere/") == Children([], [])
    store.settle("in/")
    assert store.exists("in/z")
