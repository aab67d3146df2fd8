"""Lines go, every other keeps its number, and nothing of the old bytes stays."""

from __future__ import annotations

import gzip
from contextlib import suppress
from itertools import count
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bronze_in_hand import HOUR, bronze_at, content, fill, key_of, merge_all
from faults import Crash, Fault
from penstock.bronze.deliver import compress
from penstock.bronze.lines import decompress, read_lines
from penstock.bronze.rewrite import rewrite, without_lines
from penstock.bronze.store import Bronze
from penstock.errors import BadFile, PermanentError
from penstock.objects import Objects

LINES = b'{"n":1}\n{"n":2}\n{"n":3}\n'
PACKINGS = {
    "plain": lambda data: data,
    "gzip": compress,
    "members": lambda data: compress(data[:9]) + compress(data[9:]),
    "zstd": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}


@pytest.fixture
def bronze(tmp_path: Path) -> Bronze:
    return bronze_at(tmp_path)


@pytest.mark.parametrize(
    ("data", "drop", "left"),
    [
        (LINES, {2}, b'{"n":1}\n\n{"n":3}\n'),
        (LINES, {1, 3}, b'\n{"n":2}\n\n'),
        (LINES, {1, 2, 3}, b"\n\n\n"),
        (LINES, set(), LINES),
        (LINES[:-1], {3}, b'{"n":1}\n{"n":2}\n\n'),
        (LINES[:-1], {1}, b'\n{"n":2}\n{"n":3}\n'),
        (b'\r\n{"n":1}\r\n{"n":2}\r\n', {2}, b'\r\n\n{"n":2}\r\n'),
        (b'{"n":1}\nnonsense\n\xff\n', {2}, b'{"n":1}\n\n\xff\n'),
        (b'{"n":1}\nnonsense\n\xff\n', {3}, b'{"n":1}\nnonsense\n\n'),
        (b'[{"n":1},\n {"n":\n2}, {"n":3}]', {1}, b'\n{"n": 2}\n{"n":3}\n'),
        (b'{"n":1}{"n":2}{"n":3}', {2, 3}, b'{"n":1}\n\n\n'),
        (b'[{"n":1}]', {1}, b"\n"),
    ],
)
@pytest.mark.parametrize("packing", PACKINGS)
def test_lines_become_empty(data: bytes, drop: set[int], left: bytes, packing: str) -> None:
    packed = PACKINGS[packing](data)
    new = without_lines(packed, drop)
    assert bytes(decompress(new)) == left
    assert new[:2] == packed[:2] or packing == "plain"
    assert without_lines(new, drop) == new, "a second time changes nothing"


@given(
    st.lists(st.sampled_from(["{}", '{"a": "}{"}', '{"b":[1]}', "x", "", " ", "[1]", '"t"', '{"a"']), max_size=8),
    st.sampled_from(["\n", "", ","]),
    st.sets(st.integers(1, 8)),
)
def test_the_other_lines_stay_as_they_are(parts: list[str], between: str, drop: set[int]) -> None:
    data = between.join(parts).encode()
    data = b"[" + data + b"]" if between == "," else data
    try:
        new = without_lines(data, drop)
    except PermanentError:
        return
    old_lines, new_lines = read_lines(data), read_lines(new)
    kept = [
        (number, text.strip())
        for number, text in zip(old_lines.number.to_pylist(), old_lines.text.to_pylist(), strict=True)
        if number not in drop
    ]
    assert kept == [
        (n, text.strip()) for n, text in zip(new_lines.number.to_pylist(), new_lines.text.to_pylist(), strict=True)
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (compress(LINES)[:-3], "gz_truncated"),
        (compress(LINES)[:-5] + b"wrong", "bad_gzip"),
        (b'[{"n":1}, {"n":', "malformed_json"),
    ],
)
def test_a_damaged_file_is_left_alone(bronze: Bronze, data: bytes, reason: str) -> None:
    key = f"{HOUR}minute=00/load-x"
    bronze.put(key, data)
    with pytest.raises(BadFile) as caught:
        rewrite(bronze, {key: {1}})
    assert caught.value.reason == reason
    assert bronze.get(key) == data


@pytest.mark.parametrize("line", [0, 4, -1])
def test_a_line_that_is_not_there(line: int) -> None:
    with pytest.raises(PermanentError, match=f"3 lines, none has number {line}"):
        without_lines(LINES, {1, line})


def test_a_file_that_would_be_read_otherwise_is_refused() -> None:
    with pytest.raises(PermanentError, match="read differently"):
        without_lines(b'{"n":1}\n[{"n":2},{"n":3}]\n', {1})


@pytest.mark.parametrize("merged", [False, True])
def test_an_object_keeps_its_name(bronze: Bronze, merged: bool, tmp_path: Path) -> None:
    made = fill(bronze, 4)
    if merged:
        merge_all(bronze)
    reader = bronze_at(tmp_path)
    content(reader)
    rewrite(bronze, {key_of(2): {1}})
    expected = {**made, key_of(2): compress(b'\n{"n":3}\n')}
    for each in (bronze, reader, bronze_at(tmp_path)):
        assert content(each) == expected
    assert b'"n":2' not in gzip.decompress(bronze.get(key_of(2)))
    before = sorted(path for path in tmp_path.rglob("*"))
    rewrite(bronze, {key_of(2): {1}})
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_of_what_is_nowhere(bronze: Bronze) -> None:
    for key in (key_of(1), "year=2026/x"):
        with pytest.raises(FileNotFoundError):
            rewrite(bronze, {key: {1}})


def test_a_damaged_merged_object_is_left_alone(bronze: Bronze) -> None:
    fill(bronze, 3)
    merge_all(bronze)
    (merged,) = bronze.merged(HOUR)
    bronze.objects.put(merged.key, bronze.objects.get(merged.key)[:-1])
    with pytest.raises(BadFile, match="damaged"):
        rewrite(bronze, {key_of(0): {1}})


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_any_two_steps(tmp_path: Path, after: bool) -> None:
    """Also with two merged objects and an original that hold the same, as crashes and two workers may leave."""
    for nth in count(1):
        bronze = bronze_at(tmp_path / str(nth))
        made = fill(bronze, 3)
        merge_all(bronze)
        fill(bronze_at(tmp_path / str(nth)), 2)
        expected = {**made, key_of(1): compress(b'{"n":1}\n\n')}
        fault = Fault(nth, after=after)
        with suppress(Crash):
            rewrite(Bronze(fault.at(Objects(bronze.url))), {key_of(1): {2}})
        for again in (content(bronze_at(tmp_path / str(nth))), content(bronze)):
            assert again in (made, expected)
        rewrite(bronze, {key_of(1): {2}})
        assert content(bronze_at(tmp_path / str(nth))) == expected
        assert made[key_of(1)] not in b"".join(bronze.objects.get(entry.key) for entry in bronze.objects.list())
        if not fault.happened:
            break
    assert nth > 8
