"""Bodies as they come → plain bytes, within bounds that hold for memory too."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest

from penstock.collect.decode import decode, gunzip
from penstock.errors import Refused
from penstock.event import BODY_BYTES, DECOMPRESSED_BYTES


def refused(body: bytes, encoding: str = "gzip") -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        decode(body, encoding)
    return caught.value.status, caught.value.code


@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "x-gzip", "GZIP", " gzip "])
def test_gzip_is_seen_whatever_the_header_says(encoding: str) -> None:
    assert decode(gzip.compress(b"{}"), encoding) == b"{}"


@pytest.mark.parametrize("body", [b"", b"{}", b"\x1f", b"\x00" * 10])
def test_what_is_not_gzip_stays_as_it_is(body: bytes) -> None:
    assert decode(body, "") == body


def test_the_limits_are_inclusive() -> None:
    assert len(decode(bytes(BODY_BYTES), "")) == BODY_BYTES
    assert len(decode(gzip.compress(bytes(DECOMPRESSED_BYTES)), "gzip")) == DECOMPRESSED_BYTES
    assert refused(bytes(BODY_BYTES + 1), "") == (413, "body_too_large")
    assert refused(gzip.compress(bytes(DECOMPRESSED_BYTES + 1))) == (413, "decompressed_too_large")


def test_every_cut_of_a_gzip_body_is_noticed() -> None:
    whole = gzip.compress(b'[{"event_type":"x"}]' * 20)
    found = {refused(whole[:length]) for length in range(len(whole))}
    assert found == {(400, "bad_gzip")}


def test_every_flipped_byte_behind_the_header_is_noticed() -> None:
    whole = gzip.compress(b'[{"event_type":"x"}]' * 20)
    for place in range(10, len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        with pytest.raises(Refused):
            decode(bytes(damaged), "gzip")


def test_members_larger_and_smaller_than_a_piece_are_joined() -> None:
    parts = [b"a" * 100, b"", bytes(range(256)) * 1000, b"b"]
    assert gunzip(b"".join(gzip.compress(part, 0) for part in parts), 1 << 20) == b"".join(parts)


def test_a_bomb_is_given_up_before_it_takes_memory() -> None:
    bomb = gzip.compress(bytes(32 * DECOMPRESSED_BYTES))
    assert len(bomb) < BODY_BYTES
    tracemalloc.start()
    try:
        assert refused(bomb) == (413, "decompressed_too_large")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * DECOMPRESSED_BYTES
