"""What a function reads of a line is what silver makes of it: the same events, hours and reasons."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from penstock.bronze.layout import INBOX, from_inbox
from penstock.bronze.lines import read_lines
from penstock.bronze.load import files, load
from penstock.errors import BadFile
from penstock.hosts.awslambda.count import counted
from penstock.hosts.awslambda.files import lines
from penstock.simulator.dirt import MIX
from penstock.simulator.plan import Kind, Plan
from penstock.simulator.write import write
from support import NOW, LakeInHand

TIMES: tuple[Any, ...] = (
    "2026-11-20T12:00:00.000Z", "2026-11-20T12:00:00Z", "2026-11-20 12:00:00", "2026-11-20T12:00:00",
    "2026-11-20T12:59:59.999999Z", "2026-11-20T14:00:00+02:00", "2026-11-20T12:00:00-05:30", "2026-11-20",
    "2026-11-20T12:00:00+16:00", "2026‑11‑20T12:00:00Z", 1795176000, 1795176000000, 1795176000000000, 1795176000.5,
    "1795176000", "1795176000000", 0, -1, "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "tomorrow", "", None, "x2026",
    "2026-13-01T00:00:00Z", "99999-01-01T00:00:00Z", "2027-11-20T12:00:00Z", "2026-11-21T13:00:00Z", "2020-01-01",
    "2026-11-22T12:00:00Z", True, {}, [], "2026-11-20T12:00:00.1Z", "2026-11-20T12:00:00.1234567Z",
)  # fmt: skip
NAMES: tuple[Any, ...] = (
    "x", "X", "Add To-Cart", " x ", "-", "", None, 7, 7.5, True, {}, [], "x" * 200, "x" * 201, "ä" * 101, "null", "{",
    "a\u0000b", "[x", "9",
)  # fmt: skip
IDS: tuple[Any, ...] = ("", None, 7, "x" * 200, "x" * 201, {}, ["a"], False)
SESSIONS: tuple[Any, ...] = (None, "", "null", "undefined", 7, "s" * 1000, "s" * 1001)
SENT: tuple[Any, ...] = (
    None, "2026-11-20T12:30:15Z", "2026-11-20T10:30:00Z", "2026-11-25T12:30:00Z", "2026-11-10", 1795170000, "soon",
)  # fmt: skip

ONLY_SILVER = {
    f"quarantine#{reason}"
    for reason in ("int_out_of_range", "number_out_of_range", "too_deep", "too_many_keys", "bad_property_name")
}


def stamped(hand: LakeInHand) -> list[bytes]:
    """What our collector writes for every combination that has a rule."""
    events: list[dict[str, Any]] = [{"event_type": "x", "event_ts": each} for each in TIMES]
    events += [{"event_type": each} for each in NAMES]
    events += [{"event_type": "x", "event_id": each} for each in IDS]
    events += [{"event_type": kind, "session_id": each} for each in SESSIONS for kind in ("x", "page_view")]
    events += [{"event_type": "x", "event_ts": t, "sent_ts": s} for s in SENT for t in (*TIMES[:6], None)]
    events += [{name: "y", "ts": "2026-11-20T01:00:00Z"} for name in ("action", "event", "type")]
    events += [{"event_type": "", "action": "z", "anonymousId": "a" * 1001}, {"action": "z", "messageId": "m"}]
    events += [{"event_type": "deep", "t": [[[[]]] * 2], "event_id": "twice"}] * 2
    lines = [line for event in events for line in hand.post([event])]
    segment = [
        {"type": "track", "event": "Order Completed", "messageId": "m1", "timestamp": "2026-11-20T11:00:00Z"},
        {"type": "page", "messageId": "m2", "originalTimestamp": "2026-11-20T10:00:00Z"},
        {"type": "screen", "messageId": "m3"},
        {"type": "identify", "messageId": "m4", "context": {"sessionId": "s"}},
        {"type": "track", "messageId": "m5", "event": ""},
    ]
    body = {"batch": segment, "sentAt": "2026-11-20T12:20:00Z"}
    lines += hand.post(body, path="/v1/batch") + hand.post(segment)
    return lines + hand.post(
        b'[{"event_type":"ok"},{"t":"\\ud800"},7,{"event_type":"x","t":' + b"[" * 40 + b"]" * 40 + b"}]"
    )


def of_others() -> list[bytes]:
    """Lines that are not stamped, good and bad."""
    shop = {"timestamp": "2026-11-20T09:00:00", "user_id": "U", "action": "ADD_TO_CART", "price": 1}
    track = {"type": "track", "event": "Signed Up", "messageId": "m", "originalTimestamp": "2026-11-20T08:00:00Z"}
    good = [shop, shop, {**shop, "event_id": "e"}, {**shop, "event_id": "e"}, track, {**track, "messageId": "n"}]
    bad = [b"{", b"7", b"null", b"[1]", b'"text"', b"\xff", b'{"event":"\xc3"}', b"{}", b'{"penstock":1}', b" ", b""]
    broken = [b'{"penstock":1,"dialect":"events","source":"default","received_at":"2026-11-20T12:3']
    return [json.dumps(each).encode() for each in good] + bad + broken


def of_silver(hand: LakeInHand) -> Counter[tuple[str, str]]:
    while True:
        if not any(True for _ in hand.lake.bronze.list(INBOX)):
            break
        hand.refine()
    hour = "strftime({}, '%Y-%m-%dT%H')"
    events = f"select event_type as name, {hour.format('event_ts')} as hour from events"
    bad = f"select 'quarantine#' || reason as name, {hour.format('received_at')} as hour from quarantine"
    rows = hand.sql(f"{events} union all {bad}")
    return Counter((row["name"], row["hour"]) for row in rows)


def by_function(hand: LakeInHand, keys: list[str]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for key in keys:
        found.update(counted(io.BytesIO(hand.lake.bronze.get(key)), key, NOW))
    return found


def compare(hand: LakeInHand, keys: list[str]) -> None:
    expected = of_silver(hand)
    assert expected
    assert by_function(hand, keys) == expected


def test_lines_of_our_collector(hand: LakeInHand) -> None:
    compare(hand, [hand.put(stamped(hand))])


def test_lines_of_others(hand: LakeInHand) -> None:
    compare(hand, [hand.put(of_others(), NOW - timedelta(hours=1))])


@pytest.mark.parametrize("kind", Kind)
def test_simulated_files_with_all_their_dirt(hand: LakeInHand, tmp_path: Path, kind: Kind) -> None:
    write(Plan(2000, 1_800_000, int(NOW.timestamp() * 1000) - 7_200_000, 2, kind=kind, dirt=MIX), tmp_path / "out")
    keys = [load(hand.lake.bronze, path, NOW, tmp_path / "out").key for path in files(tmp_path / "out")]
    silver, counters = of_silver(hand), by_function(hand, keys)
    # What comes again in another file only silver knows, and some reasons: to a function these are events.
    again = sum(counters.values()) - sum(silver.values())
    repeated = hand.sql("select coalesce(sum(events), 0)::bigint as n from ledger where outcome = 'duplicate'")[0]["n"]
    assert 0 <= again <= repeated
    judged = Counter({key: n for key, n in silver.items() if key[0] not in ONLY_SILVER})
    assert judged and not judged - counters


WHOLE = b'{"event":"a","ts":"2026-11-20T01:00:00Z"}'
FILES: dict[str, bytes] = {
    "jsonl": WHOLE + b"\n" + WHOLE + b"\n",
    "no last newline": WHOLE + b"\n" + WHOLE,
    "crlf and blanks": b"\r\n\n" + WHOLE + b"\r\n\r\n" + WHOLE + b"\r\n",
    "array": b"[" + WHOLE + b",\n" + WHOLE + b"]",
    "array after blanks": b"\n\n  \n[" + WHOLE + b"," + WHOLE + b"]",
    "firehose": WHOLE + WHOLE + WHOLE,
    "firehose broken": WHOLE + WHOLE + b'{"half":',
    "pretty": b'{\n  "event": "a"\n}\n{\n  "event": "b"\n}\n',
    "first line bad": b"{\n" + WHOLE + b"\n",
    "first line no object": b"7\n" + WHOLE + b"\n",
    "empty": b"",
    "blank": b"\n \n",
    "bytes": b"\xff\xfe\n" + WHOLE + b"\n",
    "array of bytes": b'["\xff"]',
    "too long": WHOLE + b"\n" + b'{"event":"' + b"x" * (3 << 20) + b'"}\n' + WHOLE + b"\n",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", ["plain", "gzip", "two members", "cut", "damaged", "twice"])
def test_any_file_has_the_lines_that_bronze_finds(name: str, packed: str) -> None:
    plain = FILES[name]
    data = {
        "plain": plain,
        "gzip": gzip.compress(plain),
        "two members": gzip.compress(plain[:30]) + gzip.compress(plain[30:]),
        "cut": gzip.compress(plain)[:-3],
        "damaged": gzip.compress(plain)[:-6] + b"\x00" * 6 if plain else b"\x1f\x8b garbage",
        "twice": gzip.compress(gzip.compress(plain)),
    }[packed]
    try:
        found = read_lines(data)
        expected = sorted(
            [*(text.encode().rstrip(b"\r\n") for text in found.text.to_pylist()), *(bad[2] for bad in found.bad)]
        )
    except BadFile as bad:
        with pytest.raises(BadFile) as raised:
            list(lines(io.BytesIO(data)))
        assert raised.value.reason == bad.reason
        return
    cut = 2 << 20
    assert sorted(line[:cut] for line in lines(io.BytesIO(data))) == [line[:cut] for line in expected]


def test_zstd_is_left_to_silver() -> None:
    with pytest.raises(BadFile, match="only silver"):
        list(lines(io.BytesIO(b"\x28\xb5\x2f\xfd\x00")))


def test_the_markers_of_the_inbox_are_not_data(hand: LakeInHand) -> None:
    key = hand.put([WHOLE])
    assert [from_inbox(entry.key) for entry in hand.lake.bronze.list(INBOX)] == [key]
