"""What a hostile or broken sender may post → status, error code, and the fate of each event; nothing raises.

An envelope that cannot be read is refused as a whole. A bad event in a batch is kept with its reason and costs no
neighbour; posted alone it is refused. What only silver can judge (names, times, numbers) is accepted here.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from typing import Any

import pytest

from penstock.event import BODY_BYTES, DECOMPRESSED_BYTES, EVENT_BYTES

OK = None
"""The fate of an event that is no other's."""

GOOD = b'{"event_type":"x"}'


def nested(depth: int, opener: bytes = b"[", closer: bytes = b"]") -> bytes:
    """An event of this depth."""
    return b'{"a":' + opener * (depth - 1) + closer * (depth - 1) + b"}"


def nested_objects(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


def with_keys(count: int) -> bytes:
    return b"{" + b",".join(b'"%d":0' % i for i in range(count)) + b"}"


def sized(size: int) -> bytes:
    """An event of this many bytes."""
    return b'{"event_type":"x","a":"' + b"a" * (size - 25) + b'"}'


def zipped(*bodies: bytes) -> bytes:
    return b"".join(map(gzip.compress, bodies))


def batch(*events: bytes) -> bytes:
    return b"[" + b",".join(events) + b"]"


def event(**fields: Any) -> bytes:
    return json.dumps({"event_type": "x", **fields}).encode()


GZIP = {"content_encoding": "gzip"}

REFUSED: list[tuple[str, bytes, dict[str, str], int, str]] = [
    # name, body, headers, status, code
    ("1 empty", b"", {}, 400, "empty_body"),
    ("1 blank", b" \r\n\t ", {}, 400, "empty_body"),
    ("1 empty gzip", zipped(b""), GZIP, 400, "empty_body"),
    ("2 truncated", b'{"a":1', {}, 400, "malformed_json"),
    ("2 truncated list", b'[{"a":1},{"b"', {}, 400, "malformed_json"),
    ("2 truncated in a string", b'[{"a":1},{"b":"', {}, 400, "malformed_json"),
    ("2 truncated after a comma", b'[{"a":1},', {}, 400, "malformed_json"),
    ("3 two values", b'{"a":1}{"a":2}', {}, 400, "malformed_json"),
    ("3 two lists", b'[{"a":1}][{"a":2}]', {}, 400, "malformed_json"),
    ("3 trailing comma", b'{"a":1,}', {}, 400, "malformed_json"),
    ("3 trailing comma in a list", b'[{"a":1},]', {}, 400, "malformed_json"),
    ("3 comment", b'{"a":1} // one', {}, 400, "malformed_json"),
    ("3 True", b'{"a":True}', {}, 400, "malformed_json"),
    ("3 hexadecimal", b'{"a":0x10}', {}, 400, "malformed_json"),
    ("3 line break in a string", b'{"a":"x\ny"}', {}, 400, "malformed_json"),
    ("3 NUL in a string", b'{"a":"x\0y"}', {}, 400, "malformed_json"),
    ("3 single quotes", b"{'a':1}", {}, 400, "malformed_json"),
    ("3 brackets crossed", b'[{"a":[1}]]', {}, 400, "malformed_json"),
    ("4 NaN", b'{"a":NaN}', {}, 400, "malformed_json"),
    ("4 Infinity", b'{"a":-Infinity}', {}, 400, "malformed_json"),
    ("4 1e999", b'{"a":1e999}', {}, 400, "malformed_json"),
    ("5 integer of 5,000 digits", b'{"a":' + b"9" * 5000 + b"}", {}, 400, "malformed_json"),
    ("7 depth 33", nested(33), {}, 400, "too_deep"),
    ("7 depth 33, objects", nested_objects(33), {}, 400, "too_deep"),
    ("7 depth 255", nested(255), {}, 400, "too_deep"),
    ("7 depth 1,000", nested(1000), {}, 400, "too_deep"),
    ("7 depth 100,000", nested(100_000), {}, 400, "too_deep"),
    ("7 depth 100,000, objects", nested_objects(100_000), {}, 400, "too_deep"),
    ("7 depth 100,000, only opened", b"[" * 100_000, {}, 400, "too_deep"),
    ("8 a byte too many", b" " * BODY_BYTES + b"1", {}, 413, "body_too_large"),
    ("10 bomb", gzip.compress(bytes(DECOMPRESSED_BYTES + 1)), GZIP, 413, "decompressed_too_large"),
    ("10 bomb in members", zipped(*[bytes(1 << 20)] * 9), GZIP, 413, "decompressed_too_large"),
    ("10 bomb, not announced", gzip.compress(bytes(1 << 24)), {}, 413, "decompressed_too_large"),
    ("11 gzip of gzip", zipped(zipped(GOOD)), GZIP, 415, "unsupported_encoding"),
    ("11 gzip, gzip", zipped(GOOD), {"content_encoding": "gzip, gzip"}, 415, "unsupported_encoding"),
    ("12 cut off", zipped(GOOD)[:-1], GZIP, 400, "bad_gzip"),
    ("12 only the magic", b"\x1f\x8b", GZIP, 400, "bad_gzip"),
    ("12 bad check sum", zipped(GOOD)[:-8] + b"\0\0\0\0" + zipped(GOOD)[-4:], GZIP, 400, "bad_gzip"),
    ("12 bad length", zipped(GOOD)[:-4] + b"\0\0\0\0", GZIP, 400, "bad_gzip"),
    ("12 garbage behind", zipped(GOOD) + b"garbage", GZIP, 400, "bad_gzip"),
    ("12 zeros behind", zipped(GOOD) + bytes(16), GZIP, 400, "bad_gzip"),
    ("12 second member cut off", zipped(GOOD) + zipped(b" ")[:-1], GZIP, 400, "bad_gzip"),
    ("13 says gzip, is not", GOOD, GZIP, 400, "bad_gzip"),
    ("13 br", GOOD, {"content_encoding": "br"}, 415, "unsupported_encoding"),
    ("13 zstd", GOOD, {"content_encoding": "zstd"}, 415, "unsupported_encoding"),
    ("13 deflate", zlib.compress(GOOD), {"content_encoding": "deflate"}, 415, "unsupported_encoding"),
    ("13 a word", GOOD, {"content_encoding": "../../etc/passwd"}, 415, "unsupported_encoding"),
    ("14 XML", b"<event/>", {"content_type": "application/xml"}, 400, "malformed_json"),
    ("14 form", b"event_type=x", {"content_type": "application/x-www-form-urlencoded"}, 400, "malformed_json"),
    ("15 not UTF-8", b'{"a":"\xff"}', {}, 400, "malformed_json"),
    ("15 overlong", b'{"a":"\xc0\xaf"}', {}, 400, "malformed_json"),
    ("15 surrogate in UTF-8", b'{"a":"\xed\xa0\x80"}', {}, 400, "malformed_json"),
    ("15 UTF-16", '{"a":1}'.encode("utf-16"), {}, 400, "malformed_json"),
    ("15 byte order mark", b"\xef\xbb\xbf" + GOOD, {}, 400, "malformed_json"),
    ("16 lone surrogate", b'{"a":"\\ud800"}', {}, 400, "malformed_json"),
    ("20 257 keys", with_keys(257), {}, 400, "too_many_keys"),
    ("20 257 keys, nested", b'{"event_type":"x","p":' + with_keys(255) + b"}", {}, 400, "too_many_keys"),
    ("20 100,000 keys", with_keys(100_000), {}, 413, "event_too_large"),
    ("33 event id of a megabyte", event(event_id="i" * 1_000_000), {}, 413, "event_too_large"),
    ("35 a byte too many in an event", sized(EVENT_BYTES + 1), {}, 413, "event_too_large"),
    ("35 501 events", batch(*[b"{}"] * 501), {}, 413, "too_many_events"),
    ("35 a million events, zipped", zipped(batch(*[b"0"] * 1_000_000)), GZIP, 413, "too_many_events"),
    ("36 null", b"null", {}, 400, "not_an_object"),
    ("36 a number", b"5", {}, 400, "not_an_object"),
    ("36 a text", b'"x"', {}, 400, "not_an_object"),
    ("37 user id of a megabyte", event(user_id="u" * 1_000_000), {}, 413, "event_too_large"),
]


@pytest.mark.parametrize(("body", "headers", "status", "code"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_refused(post: Any, body: bytes, headers: dict[str, str], status: int, code: str) -> None:
    assert post.error(body, **headers) == (status, code)


TAKEN: list[tuple[str, bytes, dict[str, str], Sequence[str | None]]] = [
    # name, body, headers, the reason of each event, in order
    ("an event", GOOD, {}, [OK]),
    ("no events", b"[]", {}, []),
    ("blanks around", b"\r\n [ " + GOOD + b" ,\n" + GOOD + b"]\n", {}, [OK, OK]),
    ("many blanks before", b" " * 1000 + batch(GOOD), {}, [OK]),
    ("4 NaN in a batch", batch(GOOD, b'{"a":NaN}', GOOD), {}, [OK, "malformed_json", OK]),
    ("4 1e999 in a batch", batch(b'{"a":1e999}', GOOD), {}, ["malformed_json", OK]),
    ("5 5,000 digits in a batch", batch(GOOD, b'{"a":' + b"9" * 5000 + b"}"), {}, [OK, "malformed_json"]),
    ("6 2^64, 2^63, -2^63-1", batch(event(a=2**64), event(a=2**63), event(a=-(2**63) - 1)), {}, [OK] * 3),
    ("7 depth 32", nested(32), {}, [OK]),
    ("7 depth 32, objects", nested_objects(32), {}, [OK]),
    ("7 depth 32 in a batch", batch(nested(32), nested_objects(32)), {}, [OK, OK]),
    ("7 depth 33 in a batch", batch(GOOD, nested(33), nested_objects(33)), {}, [OK, "too_deep", "too_deep"]),
    ("7 brackets in text are no depth", event(a="[{" * 100), {}, [OK]),
    (
        "7 depth hidden by numbers",
        batch(nested(400), *[b"1"] * 400),
        {},
        ["too_deep"] + ["not_an_object"] * 400,
    ),
    ("7 depth 1,000 in a batch", batch(GOOD, nested(1000), GOOD), {}, [OK, "too_deep", OK]),
    ("7 depth 100,000 in a batch", batch(GOOD, nested(100_000), GOOD), {}, [OK, "too_deep", OK]),
    ("8 a megabyte", batch(*[sized(60_000)] * 17) + b" " * (BODY_BYTES - 17 * 60_001 - 1), {}, [OK] * 17),
    ("10 8 MiB, zipped", zipped(batch(*[sized(60_000)] * 100)), GZIP, [OK] * 100),
    ("12 two members", zipped(b"[" + GOOD, b"," + GOOD + b"]"), GZIP, [OK, OK]),
    ("12 two thousand members", zipped(*[b" "] * 2000, GOOD), GZIP, [OK]),
    ("13 x-gzip", zipped(GOOD), {"content_encoding": "x-gzip"}, [OK]),
    ("13 gzip, not announced", zipped(GOOD), {}, [OK]),
    ("13 gzip, said to be plain", zipped(GOOD), {"content_encoding": "identity"}, [OK]),
    ("13 odd spelling", zipped(GOOD), {"content_encoding": " GZip "}, [OK]),
    ("14 text/plain", GOOD, {"content_type": "text/plain;charset=UTF-8"}, [OK]),
    ("14 form that is JSON", GOOD, {"content_type": "application/x-www-form-urlencoded"}, [OK]),
    ("14 multipart that is JSON", GOOD, {"content_type": "multipart/form-data"}, [OK]),
    ("14 XML that is JSON", GOOD, {"content_type": "application/xml"}, [OK]),
    ("15 not UTF-8 in a batch", batch(GOOD, b'{"a":"\xff"}'), {}, [OK, "malformed_json"]),
    ("16 half an emoji in a batch", batch(GOOD, b'{"a":"\\ud83d"}'), {}, [OK, "malformed_json"]),
    ("16 a whole emoji", b'{"event_type":"\\ud83d\\ude00"}', {}, [OK]),
    ("3 line break in a string, in a batch", batch(GOOD, b'{"a":"x\n\0y"}'), {}, [OK, "malformed_json"]),
    ("17 NUL, escaped", b'{"event_type":"a\\u0000b"}', {}, [OK]),
    ("18 a key twice", b'{"user":1,"user":2}', {}, [OK]),
    ("19 names of JavaScript", event(__proto__=1, constructor=2, toString=3, hasOwnProperty=4), {}, [OK]),
    ("20 256 keys", with_keys(256), {}, [OK]),
    ("20 257 keys in a batch", batch(GOOD, with_keys(257)), {}, [OK, "too_many_keys"]),
    ("20 many keys in lists", batch(b"[" + with_keys(200) + b"]"), {}, ["not_an_object"]),
    ("20 a new key per event", batch(*[b'{"k%d":1}' % i for i in range(500)]), {}, [OK] * 500),
    ("21 odd keys", event(**{"k" * 10_000: 1, "": 2, "a.b": 3, "$c": 4, '"': 5, "\n": 6}), {}, [OK]),
    (
        "22 odd event names",
        b'[{"event_type":""},{"event_type":5},{"event_type":null},{"event_type":[1]}]',
        {},
        [OK] * 4,
    ),
    ("22 event name of 10 KB", event(event_type="n" * 10_000), {}, [OK]),
    *[
        (f"23-25 {name!r}", event(event_type=name), {}, [OK])
        for name in (
            "../../etc/passwd",
            "a/b",
            "C:\\x",
            "%2e%2e",
            "\0",
            "'; DROP TABLE events;--",
            "${jndi:ldap://x}",
            "{{7*7}}",
            "%s%n",
            "<img src=x onerror=alert(1)>",
            "javascript:alert(1)",
            "\u202e",
        )
    ],
    ("26 formulas", event(a="=HYPERLINK(1)", b="+1", c="-1+cmd", d="@SUM", e="\t1", f="\r1"), {}, [OK]),
    ("27 a forged line", event(a='\r\n{"level":"info"}'), {"user_agent": "a\r\n{}"}, [OK]),
    *[
        (f"28-32 {time}", event(event_ts=time, sent_ts="2036-01-01T00:00:00Z"), {}, [OK])
        for time in ("9999-01-01", "0001-01-01", "292278994-01-01", -1, 0, "yesterday", "2026-02-30", "24:00", "+25:00")
    ],
    ("33 odd ids", b'[{"event_id":""},{"event_id":5},{"event_id":null},{"event_id":{}},{"event_id":[]}]', {}, [OK] * 5),
    ("33 a long id", event(event_id="i" * 60_000), {}, [OK]),
    ("34 one id 500 times", batch(*[event(event_id="same")] * 500), {}, [OK] * 500),
    ("35 500 events", batch(*[b"{}"] * 500), {}, [OK] * 500),
    ("35 an event of 64 KiB", sized(EVENT_BYTES), {}, [OK]),
    ("35 one too large among ten", batch(*[GOOD] * 9, sized(EVENT_BYTES + 1)), {}, [OK] * 9 + ["event_too_large"]),
    ("36 not objects", batch(GOOD, b"null", b"5", b"[]"), {}, [OK] + ["not_an_object"] * 3),
    ("36 only not objects", batch(b"null", b"5", b"[]", b'"x"', b"true"), {}, ["not_an_object"] * 5),
    ("37 placeholders", batch(*[event(user_id=u) for u in ("null", "undefined", "😀", "\u200f")]), {}, [OK] * 4),
    ("37 accents", event(user_id="e" + "\u0301" * 10_000), {}, [OK]),
    ("38 other types", b'[{"price":"12"},{"price":{"a":1}},{"price":[1]},{"price":true}]', {}, [OK] * 4),
]


@pytest.mark.parametrize(("body", "headers", "reasons"), [r[1:] for r in TAKEN], ids=[r[0] for r in TAKEN])
def test_taken(post: Any, body: bytes, headers: dict[str, str], reasons: Sequence[str | None]) -> None:
    intake = post(body, **headers)
    answer = json.loads(intake.reply.body)
    assert intake.reply.status == 200, answer
    assert [fate.get("reason") for fate in answer["events"]] == list(reasons)
    assert (answer["accepted"], answer["quarantined"]) == (reasons.count(OK), len(reasons) - reasons.count(OK))
    assert len(intake.records) == len(reasons)
    assert intake.quarantined == answer["quarantined"]


@pytest.mark.parametrize(("body", "headers", "reasons"), [r[1:] for r in TAKEN], ids=[r[0] for r in TAKEN])
def test_each_record_is_one_line_with_its_reason(
    post: Any, body: bytes, headers: dict[str, str], reasons: Sequence[str | None]
) -> None:
    records = post(body, **headers).records
    assert not [record for record in records if b"\n" in record.data or b"\r" in record.data]
    stamps = [json.loads(record.data.partition(b',"event":')[0] + b"}") for record in records]
    assert [stamp.get("reason") for stamp in stamps] == list(reasons)


@pytest.mark.parametrize("path", ["/", "", "/v1", "/sql", "/admin", "/export", "/v1/events/../admin", "/v1//events"])
def test_the_port_has_nothing_but_collection(post: Any, path: str) -> None:
    """Row 40: there is no page here that a token could open."""
    assert post.error(GOOD, path, authorization="Bearer secret") == (404, "not_found")


def test_an_error_repeats_nothing_that_was_sent(post: Any) -> None:
    intake = post(b'{"secret-in-body', query="secret-in-query=1", user_agent="secret-in-header")
    assert intake.reply.status == 400
    assert b"secret" not in intake.reply.body
