"""For whatever is sent: an answer from the documented set, as many records as the answer says, and lines kept whole."""

from __future__ import annotations

import gzip
import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from penstock.collect import REFUSALS, Intake, Request
from penstock.collect.app import Collector
from penstock.collect.keys import Source
from penstock.collect.stamp import MARK, one_line

relaxed = settings(deadline=None)
OPEN = Collector()
KEYED = Collector([Source("shop", "key-of-the-shop", origins=("https://shop.example",)), Source("off", "off", False)])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
known_names = st.sampled_from(["event_id", "messageId", "session_id", "user_id", "type", "event", "batch", "sentAt"])
events = st.dictionaries(known_names | st.text(max_size=8), json_values | st.just("track"), max_size=6)
texts = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode(),
    events | json_values,
    st.booleans(),
    st.sampled_from([None, 1]),
)
unreadable = st.sampled_from(
    [
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'"\\ud800"',
        b'{"a":"\xff"}',
        b'{"a":"\n"}',
        b'{"a":"\\q"}',
        b"{x}",
        b"{} {}",
        b"01",
    ]
)
blanks = st.sampled_from([b"", b" ", b"\n", b"\r\n\t "])

paths = st.sampled_from(["/v1/events", "/v1/events/", "/v1/batch", "/v1/b", "/v1/track", "/v1/t", "/", "/health"])
methods = st.sampled_from(["POST", "POST", "POST", "GET", "HEAD", "OPTIONS", "PUT", "TRACE", "BREW"])
header_names = st.sampled_from(
    ["x-write-key", "authorization", "origin", "content-encoding", "user-agent", "access-control-request-headers"]
)
header_values = st.text(max_size=40) | st.sampled_from(
    ["gzip", "identity", "Basic b2ZmOg==", "Basic é", "Basic", "Bearer off", "off", "key-of-the-shop", "null"]
)
headers = st.dictionaries(header_names, header_values, max_size=4)
queries = st.text(max_size=60) | st.sampled_from(
    ["page=/post&time=2021-03-13T12:34:56Z", "writeKey=off", "page=%ff%00", "&".join(f"a{n}=1" for n in range(80))]
)
bodies = st.one_of(
    st.binary(max_size=200),
    texts,
    st.lists(texts, max_size=5).map(lambda some: b"[" + b",".join(some) + b"]"),
    st.lists(texts, max_size=5).map(lambda some: b'{"batch":[' + b",".join(some) + b"]}"),
)
packed = st.one_of(bodies, bodies.map(gzip.compress), bodies.map(lambda body: gzip.compress(body)[:-3]))


def check(intake: Intake) -> None:
    """What every answer keeps to."""
    reply = intake.reply
    if reply.status == 200:
        assert intake.refused == ""
    else:
        answer = json.loads(reply.body)
        assert REFUSALS[answer["error"]] == reply.status
        assert intake.refused == answer["error"]
        assert intake.records == []
    assert all(name == name.lower() for name, _ in reply.headers)
    for record in intake.records:
        assert record.data.startswith(MARK)
        assert b"\n" not in record.data and b"\r" not in record.data
        assert json.loads(record.data)["penstock"] == 1


@relaxed
@given(methods, paths, queries, headers, packed)
@example("POST", "/v1/events", "&".join(f"a{n}=1" for n in range(80)), {}, b"")
@example("POST", "/v1/events", "", {"authorization": "Basic é"}, b"{}")
@example("POST", "/v1/events", "page=%ed%a0%80", {}, b"")
def test_always_an_answer_from_the_documented_set(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    for collector in (OPEN, KEYED):
        check(collector.receive(Request(method, path, query, headers, body)))


@relaxed
@given(texts, st.data())
def test_one_byte_changed_anywhere(text: bytes, data: st.DataObject) -> None:
    body = bytearray(b"[" + text + b',{"event_type":"x"}]')
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    for path in ("/v1/events", "/v1/batch"):
        check(OPEN.receive(Request("POST", path, "", {}, bytes(body))))


@relaxed
@given(st.lists(st.tuples(blanks, texts, blanks), max_size=6))
def test_every_event_is_kept_byte_for_byte_but_line_breaks(parts: list[tuple[bytes, bytes, bytes]]) -> None:
    intake = OPEN.receive(Request("POST", "/v1/events", "", {}, b"[" + b",".join(map(b"".join, parts)) + b"]"))
    check(intake)
    answer = json.loads(intake.reply.body)
    assert answer["accepted"] + answer["quarantined"] == len(intake.records) == len(parts)
    assert answer["quarantined"] == intake.quarantined
    for (_, text, _), record, fate in zip(parts, intake.records, answer["events"], strict=True):
        assert record.data.endswith(b',"event":' + one_line(text) + b"}")
        stamped = json.loads(record.data)
        assert stamped["event"] == json.loads(text)
        assert (fate["status"] == "accepted") == isinstance(stamped["event"], dict)
        assert stamped.get("reason") == fate.get("reason")


@relaxed
@given(st.lists(texts, min_size=1, max_size=4), unreadable, st.integers(0, 4))
def test_an_unreadable_event_costs_no_neighbour(good: list[bytes], bad: bytes, place: int) -> None:
    place = min(place, len(good))
    body = b"[" + b",".join([*good[:place], bad, *good[place:]]) + b"]"
    intake = OPEN.receive(Request("POST", "/v1/events", "", {}, body))
    check(intake)
    lines = [record.data for record in intake.records]
    kept = json.loads(lines.pop(place))
    assert kept["reason"] == "malformed_json"
    assert kept["event"] == bad.decode(errors="backslashreplace")
    assert [line.endswith(one_line(text) + b"}") for line, text in zip(lines, good, strict=True)] == [True] * len(good)


@relaxed
@given(st.lists(events, max_size=5), st.none() | st.text(max_size=20))
def test_a_segment_batch_keeps_every_message(messages: list[dict[str, Any]], sent_at: str | None) -> None:
    body = json.dumps({"batch": messages, "sentAt": sent_at}).encode()
    intake = OPEN.receive(Request("POST", "/v1/batch", "", {}, body))
    check(intake)
    stamped = [json.loads(record.data) for record in intake.records]
    assert [line["event"] for line in stamped] == messages
    assert [line.get("sent_ts") for line in stamped] == [sent_at] * len(messages)
