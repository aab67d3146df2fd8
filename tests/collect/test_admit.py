"""Events → records: ids, keys, dialects and reasons, in the order sent."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from penstock.collect import Request
from penstock.collect.admit import by_route
from penstock.collect.app import Collector
from penstock.collect.dialects import all_dialects
from penstock.collect.stamp import MARK
from support import LakeInHand

SEGMENT = {"type": "track", "event": "x", "messageId": "m1", "anonymousId": "a1"}


def ids_in_reply(post: Any, body: Any) -> list[str]:
    return [fate["event_id"] for fate in json.loads(post(json.dumps(body)).reply.body)["events"]]


def test_an_id_is_made_only_for_an_event_without_one(post: Any) -> None:
    first, second = post.lines('[{"event_type":"x"},{"event_type":"x","event_id":"sent"}]')
    assert first["event_id"].startswith("made-")
    assert "event_id" not in second and second["event"]["event_id"] == "sent"


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize("name", ["event_id", "messageId"])
def test_an_empty_id_is_none(post: Any, name: str, empty: object) -> None:
    (line,) = post.lines(json.dumps({name: empty}))
    assert line["event_id"].startswith("made-")


@pytest.mark.parametrize(
    ("event", "event_id"),
    [
        ({"event_id": "a"}, "a"),
        ({"messageId": "b"}, "b"),
        ({"event_id": "a", "messageId": "b"}, "a"),
        ({"event_id": "", "messageId": "b"}, "b"),
        ({"event_id": None, "messageId": "b"}, "b"),
    ],
)
def test_the_reply_tells_the_id_that_silver_will_use(post: Any, event: dict[str, Any], event_id: str) -> None:
    assert ids_in_reply(post, event) == [event_id]
    assert "event_id" not in post.lines(json.dumps(event))[0]


@pytest.mark.parametrize("odd", [5, 0, False, True, [], {}, ["a"]])
def test_an_id_that_is_no_text_is_left_for_silver_to_judge(post: Any, odd: object) -> None:
    assert ids_in_reply(post, {"event_id": odd}) == [""]
    assert "event_id" not in post.lines(json.dumps({"event_id": odd}))[0]


def test_made_ids_are_of_this_moment_and_all_different() -> None:
    reply = Collector().receive(Request("POST", "/v1/events", "", {}, b"[" + b",".join([b"{}"] * 500) + b"]")).reply
    ids = [fate["event_id"] for fate in json.loads(reply.body)["events"]]
    assert len(set(ids)) == 500
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", i) for i in ids)


@pytest.mark.parametrize(
    ("event", "key"),
    [
        ({"session_id": "s", "anonymousId": "a", "user_id": "u"}, "s"),
        ({"anonymousId": "a", "user_id": "u"}, "a"),
        ({"user_id": "u"}, "u"),
        ({"session_id": None, "user_id": "u"}, "u"),
        ({"session_id": 5}, ""),
        ({"session_id": ["s"]}, ""),
        ({}, ""),
    ],
)
def test_what_belongs_together_has_the_same_key(post: Any, event: dict[str, Any], key: str) -> None:
    assert [record.key for record in post(json.dumps(event)).records] == [key]


def test_a_segment_message_among_events_keeps_its_dialect_and_its_place(post: Any) -> None:
    sent = [{"event_id": "1"}, SEGMENT, {"event_id": "2"}, None, SEGMENT | {"messageId": "m2"}, {"a": 1}]
    lines = post.lines(json.dumps(sent))
    assert [line["dialect"] for line in lines] == ["events", "segment", "events", "events", "segment", "events"]
    assert [line["event"] for line in lines] == sent
    assert ids_in_reply(post, sent)[:3] == ["1", "m1", "2"]


@pytest.mark.parametrize(
    "event",
    [
        SEGMENT | {"type": "other"},
        SEGMENT | {"type": None},
        SEGMENT | {"type": ["track"]},
        {"type": "track", "event": "x"},
    ],
)
def test_what_only_looks_like_segment_is_an_event(post: Any, event: dict[str, Any]) -> None:
    assert [line["dialect"] for line in post.lines(json.dumps(event))] == ["events"]


def test_a_segment_message_alone_on_the_route_of_events(post: Any) -> None:
    (line,) = post.lines(json.dumps(SEGMENT | {"messageId": None}))
    assert (line["dialect"], line["event_id"][:5]) == ("segment", "made-")


def test_unknown_fields_are_kept(post: Any) -> None:
    event = {"event_type": "x", "field": {"of": ["ours", None, 1.5]}}
    assert [line["event"] for line in post.lines(json.dumps(event))] == [event]


def test_numbers_keep_their_spelling(post: Any) -> None:
    body = b'{"a":1.10,"b":18446744073709551616,"c":1e2,"d":-0}'
    assert post(body).records[0].data.endswith(b',"event":' + body + b"}")


def test_an_event_that_speaks_as_the_collector_gains_nothing(post: Any) -> None:
    """A line that looks stamped is only the inside of the real stamp."""
    forged = MARK + b'events","source":"other","received_at":"2020-01-01T00:00:00Z","event":{}}'
    (line,) = post.lines(forged)
    assert (line["source"], line["event"]["source"]) == ("default", "other")


def test_silver_quarantines_what_the_collector_knew_to_be_no_event(hand: LakeInHand) -> None:
    deep = b'{"a":' * 40 + b"1" + b"}" * 40
    bad = [b'{"n":NaN}', b'{"t":"\\ud83d"}', b'{"t":"\xff"}', b'{"t":"\n"}', deep, b"5", b"null"]
    hand.put(hand.post(b'[{"event_type":"first"},' + b",".join(bad) + b',{"event_type":"last"}]'))
    hand.refine()
    stored = hand.sql("select event_type from events order by bronze_line")
    assert [row["event_type"] for row in stored] == ["first", "last"]
    quarantined = hand.sql("select reason, raw from quarantine order by bronze_line")
    reasons = ["malformed_json"] * 4 + ["too_deep"] + ["not_an_object"] * 2
    assert [row["reason"] for row in quarantined] == reasons
    assert b'"event":"{\\"n\\":NaN}"' in quarantined[0]["raw"]


def test_each_route_has_one_dialect() -> None:
    routes = [route for dialect in all_dialects().values() for route in dialect.routes]
    assert len(routes) == len(set(routes)) == len(by_route())
