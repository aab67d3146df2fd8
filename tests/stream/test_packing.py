"""Packing: what belongs together shares a payload, in order, and nothing is lost or torn."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from penstock.stream import Record
from penstock.stream._packing import lines, pack, text

RECORDS = st.lists(
    st.builds(Record, st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"")), st.sampled_from("ab"))
)


@given(RECORDS, st.integers(1, 60))
def test_of_each_key_all_comes_in_order_and_fits(records: list[Record], room: int) -> None:
    payloads = list(pack(records, room))
    for key in "ab":
        found = [line for payload in payloads if payload.key == key for line in lines(payload.data)]
        assert found == [record.data for record in records if record.key == key]
    for payload in payloads:
        assert len(payload.data) <= room or len(lines(payload.data)) == 1


def test_as_many_as_there_is_room_for() -> None:
    [first, second] = pack([Record(b"x" * 9, "k")] * 5, room_bytes=40)
    assert (len(first.data), len(second.data)) == (40, 10)


@given(st.text())
def test_text_for_a_queue_is_the_same_json(value: str) -> None:
    value = value.encode(errors="replace").decode()
    line = json.dumps(value, ensure_ascii=False).encode()
    carried = text(line)
    assert json.loads(carried) == value
    assert not {chr(0), chr(0xFFFE), chr(0xFFFF)} & set(carried)
