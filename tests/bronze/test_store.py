"""A key of bronze stays valid for ever, wherever its bytes lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from bronze_in_hand import HOUR, NOON, body, bronze_at, content, fill, key_of, merge_all, raw
from penstock.bronze.layout import INBOX, inbox_key, is_merged
from penstock.bronze.merged import plan, read_index, write
from penstock.bronze.store import Bronze
from penstock.errors import LakeError
from penstock.objects import Entry


@pytest.fixture
def bronze(tmp_path: Path) -> Bronze:
    return bronze_at(tmp_path)


def index_of(bronze: Bronze) -> str:
    (index,) = [key for key in raw(bronze) if key.endswith(".json")]
    return index


def test_an_object_inside_a_merged_one_is_found_by_its_own_name(bronze: Bronze) -> None:
    made = fill(bronze, 5)
    merge_all(bronze)
    assert not any(bronze.objects.exists(key) for key in made)
    assert all(bronze.exists(key) for key in made)
    assert content(bronze) == made


def test_a_reader_that_remembers_nothing_or_the_time_before_gets_the_same(bronze: Bronze, tmp_path: Path) -> None:
    made = fill(bronze, 5)
    old = bronze_at(tmp_path)
    assert content(old) == made
    assert not old.exists(key_of(5))
    merge_all(bronze)
    for reader in (old, bronze_at(tmp_path)):
        assert {key: reader.get(key) for key in made} == made


def test_a_listing_that_began_before_the_merge_misses_nothing(bronze: Bronze) -> None:
    made = fill(bronze, 5)
    listing = bronze.list()
    seen = [next(listing).key]
    merge_all(bronze)
    assert sorted(seen + [entry.key for entry in listing]) == sorted(made)


def test_a_listing_is_of_one_folder(bronze: Bronze) -> None:
    made = fill(bronze, 5)
    bronze.put(inbox_key("x"), b"1")
    merge_all(bronze)
    minute = f"{HOUR}minute=03/"
    assert list(bronze.list(minute)) == [Entry(key_of(3), len(made[key_of(3)]))]
    assert sorted(entry.key for entry in bronze.list(HOUR)) == sorted(made)
    assert [entry.key for entry in bronze.list(INBOX)] == [inbox_key("x")]
    assert list(bronze.list("year=2025/")) == []


@pytest.mark.parametrize("key", [key_of(9), key_of(1).replace("hour=12", "hour=13"), "loads/abc", f"{HOUR}x"])
def test_what_is_nowhere_is_not_found(bronze: Bronze, key: str) -> None:
    fill(bronze, 3)
    merge_all(bronze)
    assert not bronze.exists(key)
    with pytest.raises(FileNotFoundError):
        bronze.get(key)


def test_the_same_bytes_again_are_not_stored_twice(bronze: Bronze) -> None:
    made = fill(bronze, 3)
    merge_all(bronze)
    before = raw(bronze)
    assert all(bronze.exists(key) and bronze.put(key, data) for key, data in made.items())
    assert raw(bronze) == before
    assert content(bronze) == made


def test_other_bytes_count_from_when_they_are_put(bronze: Bronze) -> None:
    made = fill(bronze, 3)
    merge_all(bronze)
    bronze.put(key_of(1), body(77))
    assert content(bronze) == {**made, key_of(1): body(77)}


def test_a_replay_heals_an_object_that_counts_before_the_merged_one(bronze: Bronze) -> None:
    made = fill(bronze, 3)
    merge_all(bronze)
    bronze.put(key_of(1), b"damaged")
    assert bronze.exists(key_of(2))
    bronze.put(key_of(1), made[key_of(1)])
    assert content(bronze) == made


def test_a_replay_heals_a_damaged_merged_object(bronze: Bronze) -> None:
    made = fill(bronze, 3)
    merge_all(bronze)
    merged = index_of(bronze) + "l.gz"
    bronze.objects.put(merged, b"?" * len(bronze.objects.get(merged)))
    for key, data in made.items():
        bronze.put(key, data)
    assert content(bronze) == made
    merge_all(bronze)
    assert content(bronze) == made


def test_an_index_counts_only_beside_its_merged_object(bronze: Bronze) -> None:
    made = {key_of(n): body(n) for n in range(3)}
    merged = plan(HOUR, made)
    bronze.objects.put(merged.index, merged.encoded)
    assert content(bronze) == {}
    assert not bronze.exists(key_of(1))
    write(bronze.objects, merged, b"".join(made.values()))
    assert content(bronze) == made


def test_an_index_says_what_it_holds(bronze: Bronze) -> None:
    made = fill(bronze, 3)
    merge_all(bronze)
    index = read_index(bronze.objects, index_of(bronze))
    packed = bronze.objects.get(index.key)
    assert {key: packed[part.offset : part.offset + part.size_bytes] for key, part in index.parts.items()} == made
    assert is_merged(index.key)
    assert is_merged(index.index)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"a": 1}', b"\xff"])
def test_a_damaged_index_is_named(bronze: Bronze, tmp_path: Path, damage: bytes) -> None:
    fill(bronze, 3)
    merge_all(bronze)
    index = index_of(bronze)
    bronze.objects.put(index, damage)
    with pytest.raises(LakeError, match=index.rsplit("/", 1)[1]):
        bronze_at(tmp_path).get(key_of(1))


def test_a_merged_object_that_was_renamed_is_found_again(bronze: Bronze, tmp_path: Path) -> None:
    """Erasure writes a merged object again under another name, while somebody remembers the old one."""
    made = fill(bronze, 3)
    merge_all(bronze)
    old = read_index(bronze.objects, index_of(bronze))
    assert bronze.exists(key_of(1))
    other = {key: made[key] for key in reversed(made)}
    write(bronze.objects, plan(HOUR, other), b"".join(other.values()))
    bronze.objects.delete(old.key)
    bronze.objects.delete(old.index)
    assert content(bronze) == made


def test_few_hours_are_remembered(bronze: Bronze) -> None:
    made: dict[str, bytes] = {}
    for hour in range(60):
        made |= fill(bronze, 2, NOON.replace(month=1, day=1 + hour // 24, hour=hour % 24), first=2 * hour)
    merge_all(bronze)
    assert content(bronze) == made
    assert 0 < len(bronze._hours) < 60
