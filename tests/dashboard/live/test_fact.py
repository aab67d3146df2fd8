"""What is shown now of an event is what silver says of it later."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.dashboard.live.fact import Facts
from penstock.silver.schema import Schema
from penstock.simulator.dirt import Dirt
from penstock.simulator.plan import Kind, Plan
from penstock.simulator.write import write
from support import NOW, LakeInHand

CHROME = "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 Safari/604.1"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
VIEW = {"event_type": "page_view", "event_id": "1", "session_id": "s"}
SHOWN = "event_id, event_type, source, coalesce(session_id, ''), coalesce(page_path, ''), coalesce(device, ''), is_bot"

SENT: list[tuple[Any, dict[str, str]]] = [
    ({**VIEW, "page_path": "/a", "referrer": "https://www.news.test/x"}, {"user_agent": CHROME}),
    ({**VIEW, "utm_source": "letter", "country": "DE", "page": "/b"}, {"user_agent": PHONE}),
    ({"event": "Sign Up-Now", "event_id": "2"}, {"user_agent": BOT}),
    ({"action": "x", "messageId": "3", "sessionId": 12, "path": "/c", "device": "TV"}, {}),
    ({"type": "undone", "session_id": "undefined", "event_id": "4"}, {}),
    ({**VIEW, "session_id": "null"}, {}),
    ({"event_type": "page_view", "event_id": "5"}, {}),
    ({"event_type": 7, "event_id": "6"}, {}),
    ({"event_type": "x" * 201, "event_id": "7"}, {}),
    ({"event_type": "", "event_id": "8"}, {}),
    ({**VIEW, "session_id": "ü" * 600}, {}),
    (
        {"type": "track", "event": "Order Completed", "messageId": "9", "context": {"page": {"path": "/d"}}},
        {"path": "/v1/track"},
    ),
    ({"type": "page", "messageId": "10", "context": {"userAgent": BOT, "sessionId": "z"}}, {"path": "/v1/page"}),
    ({"time": "2021-03-13T12:34:56Z"}, {"path": "/v1/pixel.gif", "query": "page=/e"}),
]


NAMES = st.sampled_from(["event_type", "session_id", "page_path", "referrer", "utm_source", "device", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
    max_leaves=8,
)
EVENTS = VALUES | st.dictionaries(NAMES, VALUES)


def shown(hand: LakeInHand, lines: list[bytes]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The same of both: of the window's facts, and of silver's rows."""
    hand.put(lines)
    hand.refine()
    rows = [tuple(row.values()) for row in hand.sql(f"select {SHOWN} from events order by bronze_line")]
    facts = [fact for line in lines if (fact := Facts(Schema()).read(line))]
    return [(f.event_id, f.event_type, f.source, f.session_id, f.page_path, f.device, f.is_bot) for f in facts], rows


@pytest.mark.parametrize(("event", "headers"), SENT, ids=range(len(SENT)))
def test_it_is_what_silver_says(hand: LakeInHand, event: dict[str, Any], headers: dict[str, str]) -> None:
    if headers.get("path") == "/v1/pixel.gif":
        lines = hand.post(b"", path="/v1/events", query=f"{headers['query']}&event_type=page_view")
    else:
        lines = hand.post(event, **headers)
    facts, rows = shown(hand, lines)
    assert facts == rows


def test_of_a_whole_simulated_day(hand: LakeInHand, tmp_path: Path) -> None:
    write(Plan(300, 3_600_000, int(NOW.timestamp() * 1000), 1, Kind.both, 3, Dirt(wrong_types=0.1)), tmp_path / "files")
    [file] = (tmp_path / "files").rglob("*.jsonl.gz")
    events = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    events = [event.get("event", event) for event in events if isinstance(event, dict)]
    lines = [line for event in events for line in hand.post(event)]
    facts, rows = shown(hand, lines)
    assert len(rows) > 250
    stored = {row[0]: row for row in rows}
    assert {fact[0]: fact for fact in facts if fact[0] in stored} == stored
    assert len(facts) - len(stored) < len(facts) / 10


def test_where_it_came_from() -> None:
    hand = LakeInHand(Path("/nowhere"))
    reader = Facts(Schema())
    told = [
        ({"utm_source": "letter", "referrer": "https://x.test/"}, "letter"),
        ({"referrer": "https://www.x.test/path?q"}, "x.test"),
        ({"referrer": "/before"}, ""),
        ({"referrer": ["https://x.test"]}, ""),
        ({}, ""),
    ]
    for more, expected in told:
        [line] = hand.post({**VIEW, **more})
        fact = reader.read(line)
        assert fact is not None
        assert fact.came_from == expected


def test_the_owners_names_and_bots_count() -> None:
    hand = LakeInHand(Path("/nowhere"))
    reader = Facts(Schema(aliases={"session_id": ("visit.id",)}, bots=("OurMonitor",)))
    [line] = hand.post({"event_type": "page_view", "visit": {"id": "v"}}, user_agent="OurMonitor/1")
    fact = reader.read(line)
    assert fact is not None
    assert (fact.session_id, fact.is_bot) == ("v", True)
    assert Facts(Schema()).read(line) is None


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[1]", b'{"penstock":1}', b"\xff", b'"x"', b"[" * 100_000, b'{"event":1}']
)
def test_no_event_is_nothing(line: bytes) -> None:
    assert Facts(Schema()).read(line) is None


@given(EVENTS)
def test_whatever_is_sent_is_read_or_not(event: Any) -> None:
    raw = json.dumps(event).encode()
    line = (
        b'{"penstock":1,"dialect":"events","source":"s","received_at":"2026-02-01T12:00:00.000Z","event":' + raw + b"}"
    )
    fact = Facts(Schema()).read(line)
    assert fact is None or max(map(len, (fact.page_path, fact.came_from, fact.device, fact.country))) <= 200
