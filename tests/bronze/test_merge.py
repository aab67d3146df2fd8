"""Merging bronze changes no object that anybody can name: not before, not during, and not if it is cut off."""

from __future__ import annotations

import gzip
import threading
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bronze_in_hand import HOUR, LATER, NOON, body, bronze_at, content, fill, key_of, merge_all, raw
from faults import Crash, Fault
from penstock.bronze.deliver import CONSUMER, announce, deliver
from penstock.bronze.layout import inbox_key, load_key, span
from penstock.bronze.merge import Merged, look_again, merge, merge_hour
from penstock.bronze.merged import plan
from penstock.bronze.rewrite import rewrite
from penstock.bronze.store import Bronze
from penstock.errors import LakeError
from penstock.objects import Objects
from penstock.stream import Record, memory


@pytest.fixture
def bronze(tmp_path: Path) -> Bronze:
    return bronze_at(tmp_path)


def merged_keys(bronze: Bronze) -> list[str]:
    return [key for key in raw(bronze) if key.endswith(".gz") and "/merged-" in key]


def test_many_small_objects_become_one(bronze: Bronze, tmp_path: Path) -> None:
    made = fill(bronze, 30)
    assert merge(bronze, LATER) == Merged(30, 1)
    assert content(bronze) == made
    (merged,) = merged_keys(bronze)
    assert raw(bronze) == sorted([merged, merged.replace(".jsonl.gz", ".json")])
    assert merged.startswith(f"{HOUR}merged-")
    assert not list((tmp_path / "bronze").rglob("minute=*")), "empty folders are removed"


def test_other_tools_read_it(bronze: Bronze) -> None:
    made = fill(bronze, 30)
    merge_all(bronze)
    (merged,) = merged_keys(bronze)
    assert bronze.objects.get(merged) == b"".join(made.values())
    assert gzip.decompress(bronze.objects.get(merged)) == b"".join(gzip.decompress(data) for data in made.values())


def test_a_second_round_has_nothing_to_do(bronze: Bronze) -> None:
    fill(bronze, 30)
    merge_all(bronze)
    before = raw(bronze)
    assert merge_all(bronze) == Merged(0, 0)
    assert merge(bronze, LATER + timedelta(days=2), many=2) == Merged(0, 0)
    assert raw(bronze) == before


@pytest.mark.parametrize(
    ("before", "merged"),
    [
        (NOON, False),
        (NOON + timedelta(minutes=59), False),
        (NOON + timedelta(hours=1), True),
        (LATER, True),
    ],
)
def test_only_hours_that_are_over(bronze: Bronze, before: object, merged: bool) -> None:
    fill(bronze, 30)
    assert bool(merge(bronze, before).objects_before) == merged  # type: ignore[arg-type]


def test_few_objects_are_left_alone(bronze: Bronze) -> None:
    fill(bronze, 23)
    assert merge(bronze, LATER) == Merged(0, 0)


def test_only_what_the_stream_wrote_is_merged(bronze: Bronze) -> None:
    loaded = load_key("0" * 64, "a-000000000000-000000000001.jsonl.gz", NOON)
    foreign = f"{HOUR}minute=00/events-1.jsonl.gz"
    for key in (loaded, foreign):
        bronze.put(key, body(1))
    fill(bronze, 3)
    assert merge_all(bronze) == Merged(3, 1)
    assert {loaded, foreign} < set(raw(bronze))


def test_an_hour_waits_until_silver_has_taken_all_of_it(bronze: Bronze) -> None:
    made = fill(bronze, 3, NOON - timedelta(hours=1)) | fill(bronze, 3, first=10) | fill(bronze, 3, LATER, first=20)
    announce(bronze, key_of(11), 1)
    announce(bronze, load_key("1" * 64, "x.jsonl", NOON - timedelta(hours=9)), 1)
    announce(bronze, key_of(99, NOON - timedelta(hours=8)), 1)  # is not there yet
    assert merge(bronze, LATER + timedelta(hours=1), many=2) == Merged(3, 1)
    assert all(bronze.objects.exists(key_of(n)) for n in (10, 11, 12))
    bronze.delete(inbox_key(key_of(11)))
    assert merge(bronze, LATER + timedelta(hours=1), many=2) == Merged(6, 2)
    assert content(bronze) == made


def test_a_merged_object_is_bounded(bronze: Bronze) -> None:
    made = fill(bronze, 30)
    size = max(map(len, made.values()))
    big = key_of(40)
    bronze.put(big, bytes(6 * size))
    done = merge(bronze, LATER, most_bytes=10 * size)
    assert done.objects_before == 30
    assert done.objects_after >= 3
    assert all(len(bronze.objects.get(key)) <= 10 * size for key in merged_keys(bronze))
    assert bronze.objects.exists(big)
    assert content(bronze) == {**made, big: bytes(6 * size)}


def test_a_round_may_be_short(bronze: Bronze) -> None:
    for hour in range(5):
        fill(bronze, 2, NOON - timedelta(hours=hour), first=2 * hour)
    done = [merge(bronze, LATER, many=2, hours=2).objects_after for _ in range(4)]
    assert done == [2, 2, 1, 0]


def test_hours_that_were_done_are_not_looked_at(bronze: Bronze, tmp_path: Path) -> None:
    fill(bronze, 30)
    merge_all(bronze)
    fill(bronze, 5, first=30)
    fault = Fault(10**9)
    calls = fault.left
    assert merge(Bronze(fault.at(Objects(bronze.url))), LATER, many=2) == Merged(0, 0)
    assert calls - fault.left <= 2, "the inbox and the mark"
    look_again(bronze, NOON)
    assert merge_all(bronze) == Merged(5, 1)
    assert len(merged_keys(bronze)) == 2


def test_looking_again_never_skips(bronze: Bronze) -> None:
    look_again(bronze, LATER)
    made = fill(bronze, 3)
    merge_all(bronze)
    look_again(bronze, LATER + timedelta(days=1))
    made |= fill(bronze, 3, LATER, first=10)
    assert merge(bronze, LATER + timedelta(hours=1), many=2) == Merged(3, 1)
    assert content(bronze) == made


def test_what_a_replay_brings_again_is_not_doubled(bronze: Bronze) -> None:
    stream = memory.open("memory:", clock=lambda: NOON)
    stream.append([Record(b'{"n":%d}' % n) for n in range(100)])
    deliver(stream, bronze, limit_bytes=40)
    for key in (made := {k: v for k, v in content(bronze).items() if span(k)}):
        bronze.delete(inbox_key(key))
    merge_all(bronze)
    lost, before = next(iter(made)), raw(bronze)
    stream.seek(CONSUMER, NOON)
    deliver(stream, bronze, limit_bytes=40)
    assert raw(bronze) == before
    assert not list(bronze.list("inbox/"))
    assert bronze.get(lost) == made[lost]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_any_two_steps(tmp_path: Path, after: bool, times: int) -> None:
    for nth in count(1):
        folder = tmp_path / str(nth)
        made = fill(bronze_at(folder), 4) | fill(bronze_at(folder), 3, NOON + timedelta(hours=1), first=10)
        faults = [Fault(nth, after=after) for _ in range(times)]
        for index, fault in enumerate(faults):
            with suppress(Crash):
                merge_all(Bronze(fault.at(Objects(bronze_at(folder).url))))
            assert content(bronze_at(folder)) == made
            late = 20 + index
            made |= fill(bronze_at(folder), 1, first=late)
        look_again(bronze_at(folder), NOON)
        merge_all(bronze_at(folder), many=1 + times)
        assert content(bronze_at(folder)) == made
        assert not any(bronze_at(folder).objects.exists(key_of(n)) for n in range(4)), "all were merged"
        assert_no_rest(bronze_at(folder))
        if not any(fault.happened for fault in faults):
            break
    assert nth > 25, "every step of two hours was tried"


def assert_no_rest(bronze: Bronze) -> None:
    """Every merged object has its index."""
    for key in merged_keys(bronze):
        assert bronze.objects.exists(key.replace(".jsonl.gz", ".json"))


def test_a_merged_object_that_reads_differently_replaces_nothing(bronze: Bronze) -> None:
    made = fill(bronze, 4)

    class Liar(Objects):
        def get(self, key: str) -> bytes:
            return super().get(key)[:-1] if "/merged-" in key and key.endswith(".gz") else super().get(key)

    with pytest.raises(LakeError, match="reads differently"):
        merge_all(Bronze(Liar(bronze.url)))
    assert content(bronze) == made
    assert all(bronze.objects.exists(key) for key in made)
    assert merge_all(bronze) == Merged(4, 1)


def test_an_object_that_changed_after_the_plan_stays(bronze: Bronze) -> None:
    made = fill(bronze, 4)
    old = plan(HOUR, made)
    bronze.objects.put(old.index, old.encoded)
    bronze.put(key_of(2), body(50))
    made[key_of(2)] = body(50)
    assert merge_all(bronze) == Merged(4, 1)
    assert content(bronze) == made


def test_a_damaged_merged_object_replaces_no_original(bronze: Bronze) -> None:
    made = fill(bronze, 4)
    merge_all(bronze)
    (merged,) = merged_keys(bronze)
    bronze.objects.put(merged, bytes(len(bronze.objects.get(merged))))
    bronze.objects.put(key_of(1), made[key_of(1)])
    look_again(bronze, NOON)
    assert merge_all(bronze) == Merged(0, 0)
    assert bronze.get(key_of(1)) == made[key_of(1)]


def test_what_was_announced_is_left_alone(bronze: Bronze) -> None:
    fill(bronze, 4)
    assert merge_hour(bronze, HOUR, {key_of(2)}, many=2) == Merged(3, 1)
    assert bronze.objects.exists(key_of(2))


def test_two_workers_at_once(bronze: Bronze, tmp_path: Path) -> None:
    made = fill(bronze, 40)
    gate = threading.Barrier(3)
    failed: list[BaseException] = []

    def work() -> None:
        mine = bronze_at(tmp_path)
        gate.wait()
        try:
            merge_all(mine)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    gate.wait()
    reader = bronze_at(tmp_path)
    while any(thread.is_alive() for thread in threads):
        assert {key: reader.get(key) for key in made} == made
        assert content(reader) == made
    for thread in threads:
        thread.join()
    assert failed == []
    assert content(bronze_at(tmp_path)) == made


STEP = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 12)),
    st.tuples(st.just("other"), st.integers(0, 12)),
    st.tuples(st.just("erase"), st.integers(0, 12)),
    st.tuples(st.just("merge"), st.integers(1, 40)),
    st.tuples(st.just("get"), st.integers(0, 12)),
)


@settings(max_examples=60)
@given(st.lists(STEP, max_size=25), st.booleans())
def test_whatever_happens_a_key_has_its_bytes(steps: list[tuple[str, int]], after: bool) -> None:
    with TemporaryDirectory() as folder:
        bronze = bronze_at(Path(folder))
        made: dict[str, bytes] = {}
        for what, number in steps:
            key = key_of(number, NOON + timedelta(hours=number % 2))
            if what in ("put", "other"):
                made[key] = body(number if what == "put" else 100 + number)
                bronze.put(key, made[key])
                look_again(bronze, NOON)
            elif what == "erase" and key in made:
                rewrite(bronze, {key: {1}})
                made[key] = bronze.get(key)
                assert gzip.decompress(made[key]).startswith(b"\n{")
            elif what == "merge":  # and is cut off at that step
                with suppress(Crash):
                    merge_all(Bronze(Fault(number, after=after).at(Objects(bronze.url))))
            elif key in made:
                assert bronze.get(key) == made[key]
            assert content(bronze) == made
        look_again(bronze, NOON)
        merge_all(bronze)
        assert content(bronze_at(Path(folder))) == made
