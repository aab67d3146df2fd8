"""Reading objects: kinds of files, damage, and lines that cost only themselves."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bronze import lines as module
from penstock.bronze.deliver import compress
from penstock.bronze.lines import read_lines
from penstock.errors import BadFile

THREE = b'{"a":1}\n{"a":2}\n{"a":3}\n'


def texts(data: bytes) -> list[str]:
    return [line.strip() for line in read_lines(data).text.to_pylist()]


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    "data",
    [
        THREE,
        THREE.rstrip(b"\n"),
        THREE.replace(b"\n", b"\r\n"),
        THREE.replace(b"\n", b"\n\n\r\n"),
        THREE.replace(b"\n", b"\n \n\t \t\r\n   \n") + b"     ",
        THREE.replace(b"{", b"  {").replace(b"\n", b" \n"),
        gzip.compress(THREE),
        compress(THREE),
        gzip.compress(b'{"a":1}\n') + gzip.compress(b'{"a":2}\n{"a":3}\n'),
        zstd(THREE),
        b'[{"a":1},{"a":2},{"a":3}]',
        json.dumps([{"a": 1}, {"a": 2}, {"a": 3}], indent=2).encode(),
        b'{"a":1}{"a":2}{"a":3}',
        gzip.compress(b'{"a":1}{"a":2}{"a":3}'),
    ],
    ids=range(14),
)
def test_every_kind_gives_the_same_lines(data: bytes) -> None:
    assert [json.loads(text)["a"] for text in texts(data)] == [1, 2, 3]


def test_one_indented_object_is_one_event() -> None:
    assert [json.loads(text) for text in texts(json.dumps({"a": {"b": 1}}, indent=2).encode())] == [{"a": {"b": 1}}]


def test_a_brace_alone_is_one_bad_line_among_others() -> None:
    lines = read_lines(b'{\n{"a": 1}\n{"b": 2}\n')
    assert lines.text.to_pylist() == ["{\n", '{"a": 1}\n', '{"b": 2}\n']


def test_line_numbers_count_blank_lines() -> None:
    assert read_lines(b'{"a":1}\n\n{"a":3}\n').number.to_pylist() == [1, 3]


@given(st.lists(st.text(" \t\r\v\fx", max_size=4), max_size=8))
def test_a_line_of_blanks_only_is_skipped_wherever_it_lies(given: list[str]) -> None:
    """Whatever begins or ends with a blank, and is none, stays; a file of one line may lack its end."""
    data = "\n".join(["{}", *given]).encode()
    lines = read_lines(data)
    expected = [(number, text) for number, text in enumerate(["{}", *given], start=1) if text.strip()]
    found = zip(lines.number.to_pylist(), (text.removesuffix("\n") for text in lines.text.to_pylist()), strict=True)
    assert (list(found), lines.bad) == (expected, [])


def test_an_empty_file_has_no_lines() -> None:
    assert len(read_lines(b"")) == 0
    assert len(read_lines(gzip.compress(b""))) == 0


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


PACKED = gzip.compress(THREE * 50)


@pytest.mark.parametrize("cut", range(2, len(PACKED)))
def test_a_gzip_cut_anywhere_is_refused_whole(cut: int) -> None:
    with pytest.raises(BadFile) as caught:
        read_lines(PACKED[:cut])
    assert caught.value.reason in ("gz_truncated", "bad_gzip")


@pytest.mark.parametrize(
    "data",
    [flipped(PACKED, len(PACKED) - 8), flipped(PACKED, len(PACKED) - 3), PACKED + b"garbage" * 9],
    ids=["crc", "length", "garbage behind"],
)
def test_damage_that_duckdb_would_not_see(data: bytes) -> None:
    with pytest.raises(BadFile, match="damaged") as caught:
        read_lines(data)
    assert caught.value.reason == "bad_gzip"


def test_damaged_zstd() -> None:
    with pytest.raises(BadFile) as caught:
        read_lines(zstd(THREE * 100)[:-9])
    assert caught.value.reason == "bad_zstd"


@pytest.mark.parametrize("outer", [gzip.compress, zstd])
@pytest.mark.parametrize("inner", [gzip.compress, zstd])
def test_compressed_twice(outer: Callable[[bytes], bytes], inner: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BadFile) as caught:
        read_lines(outer(inner(THREE)))
    assert caught.value.reason == "compressed_twice"


def test_a_bomb_is_refused_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILE_BYTES", 1 << 20)
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = bomb.compress(bytes(64 << 20)) + bomb.flush()
    for packed in (data, zstd(bytes(64 << 20)), bytes(2 << 20)):
        with pytest.raises(BadFile) as caught:
            read_lines(packed)
        assert caught.value.reason == "file_too_large"


def test_a_line_that_is_not_utf8_costs_itself() -> None:
    read = read_lines(b'{"a":1}\n{"a":"\xff"}\n{"a":3}\n')
    assert [json.loads(text)["a"] for text in read.text.to_pylist()] == [1, 3]
    assert read.bad == [(2, "bad_encoding", b'{"a":"\xff"}')]


def test_a_huge_line_costs_itself() -> None:
    huge = b'{"a":"' + b"x" * module.LINE_BYTES + b'"}'
    read = read_lines(b'{"a":1}\n' + huge + b'\n{"a":3}')
    assert [json.loads(text)["a"] for text in read.text.to_pylist()] == [1, 3]
    ((number, reason, raw),) = read.bad
    assert (number, reason, len(raw)) == (2, "line_too_long", module.LINE_BYTES)


def test_line_separators_inside_text_do_not_split() -> None:
    assert len(read_lines('{"a":"x\u2028y\x85z"}\n'.encode())) == 1


def test_a_broken_element_ends_the_array_but_keeps_what_was_before() -> None:
    read = read_lines(b'[{"a":1},{"a":]')
    assert read.text.to_pylist() == ['{"a":1}']
    assert [reason for _, reason, _ in read.bad] == ["malformed_json"]


@given(st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line), max_size=30))
def test_every_line_is_good_or_bad_and_none_is_lost(rows: list[bytes]) -> None:
    data = b'{"first":1}\n' + b"".join(row + b"\n" for row in rows)
    read = read_lines(data)
    wanted = {number for number, row in enumerate(data.split(b"\n"), 1) if row.strip()}
    assert set(read.number.to_pylist()) | {number for number, _, _ in read.bad} >= wanted
    for number, text in zip(read.number.to_pylist(), read.text.to_pylist(), strict=True):
        assert text.rstrip("\n").encode() == data.split(b"\n")[number - 1]
