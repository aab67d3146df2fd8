"""Payloads of real systems load without configuration; each ends in a number read from silver."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from support import LakeInHand

TRACKER = {
    "event_type": "page_view",
    "event_id": "550e8400-e29b-41d4-a716-446655440000",
    "session_id": "abc-123-def-456",
    "page_path": "/case-studies/real-time-analytics-pipeline.html",
    "utm_source": "linkedin",
    "utm_campaign": "analytics_case_study",
    "screen_width": 1920,
    "event_ts": "2026-02-01T12:00:00.000Z",
}
CART = {
    "user_id": "U205",
    "product_id": "P1023",
    "product_category": "Electronics",
    "action": "ADD_TO_CART",
    "price": 49999,
    "device": "mobile",
    "timestamp": "2026-02-19T11:05:00",
}
SHOP = {
    "timestamp": "2025-11-18T14:23:45.123Z",
    "user_id": "u_89234",
    "session_id": "s_29384",
    "event_type": "add_to_cart",
    "product_id": "p_5521",
    "quantity": 2,
    "price": 29.99,
    "category": "electronics",
    "search_query": None,
}
SEGMENT = {
    "type": "track",
    "event": "Purchase Completed",
    "messageId": "m1",
    "anonymousId": "a1",
    "timestamp": "2026-11-20T12:00:00.000Z",
    "originalTimestamp": "2026-11-20T12:00:00.000Z",
    "sentAt": "2026-11-20T12:00:05.000Z",
    "context": {
        "page": {"path": "/buy", "referrer": "https://www.google.com/"},
        "campaign": {"source": "news", "name": "launch"},
        "userAgent": "Demo/1.0",
        "locale": "en-GB",
    },
    "properties": {"product_id": "p1", "price": 12.5, "quantity": 2, "colour": "red"},
}


def test_tracker_page_view(hand: LakeInHand) -> None:
    (row,) = hand.rows_of(TRACKER)
    assert row["event_id"] == TRACKER["event_id"]
    assert row["event_ts"] == datetime(2026, 2, 1, 12, tzinfo=UTC)
    assert (row["screen_width"], row["channel"], row["dialect"]) == (1920, "social", "events")
    assert hand.sql("select count(*) as n from events where utm_source = 'linkedin'") == [{"n": 1}]


def test_cart_event_without_id_session_or_zone(hand: LakeInHand) -> None:
    (row,) = hand.rows_of(CART)
    assert (row["event_type"], row["category"], row["device"]) == ("add_to_cart", "electronics", "mobile")
    assert row["price"] == Decimal("49999.00")
    assert row["event_ts"] == datetime(2026, 2, 19, 11, 5, tzinfo=UTC)
    assert row["flags"] == "no_session"
    assert len(row["event_id"]) == 36


def test_typographic_dashes_in_the_time_are_repaired_and_flagged(hand: LakeInHand) -> None:
    dashed = [{**CART, "timestamp": f"2026{dash}02{dash}19T11:05:00"} for dash in "‐‑‒–—―−"]
    rows = hand.rows_of(*dashed)
    assert {row["event_ts"] for row in rows} == {datetime(2026, 2, 19, 11, 5, tzinfo=UTC)}
    assert {row["flags"] for row in rows} == {"no_session,ts_repaired"}
    assert len(rows) == 7


def test_shop_event(hand: LakeInHand) -> None:
    hand.rows_of(SHOP, {**SHOP, "event_type": "purchase"})
    assert hand.sql("select sum(quantity * price) as worth, sum(revenue) as revenue from events") == [
        {"worth": Decimal("119.96"), "revenue": Decimal("59.98")}
    ]


def test_beacon_with_an_empty_body(hand: LakeInHand) -> None:
    hand.put(hand.post(b"", query="page=/posts/some-post&time=2021-03-13T12:34:56Z"))
    hand.refine()
    assert hand.sql("select event_type, page_path, event_ts, ts_flag, dialect from events") == [
        {
            "event_type": "page_view",
            "page_path": "/posts/some-post",
            "event_ts": datetime(2021, 3, 13, 12, 34, 56, tzinfo=UTC),
            "ts_flag": "ts_past",
            "dialect": "beacon",
        }
    ]


def test_segment_track_call(hand: LakeInHand) -> None:
    check_segment(hand, hand.post(SEGMENT, path="/v1/track"))


def test_segment_track_call_posted_as_an_event(hand: LakeInHand) -> None:
    check_segment(hand, hand.post([SEGMENT]))


def test_segment_batch_with_its_time_of_sending_outside(hand: LakeInHand) -> None:
    inner = {key: value for key, value in SEGMENT.items() if key != "sentAt"}
    check_segment(hand, hand.post({"batch": [inner], "sentAt": SEGMENT["sentAt"]}, path="/v1/batch"))


def check_segment(hand: LakeInHand, lines: list[bytes]) -> None:
    hand.put(lines)
    hand.refine()
    (row,) = hand.sql("select * from events")
    assert (row["event_type"], row["event_id"], row["anonymous_id"]) == ("purchase_completed", "m1", "a1")
    assert row["revenue"] == Decimal("25.00")
    assert (row["page_path"], row["referrer_host"], row["channel"]) == ("/buy", "google.com", "search")
    assert (row["utm_source"], row["utm_campaign"], row["language"]) == ("news", "launch", "en-GB")
    assert row["properties"] == '{"product_id":"p1","price":12.5,"quantity":2,"colour":"red"}'
    # sent at 12:00:05 by its clock, received at 12:30:15: the clock is 30:10 behind
    assert row["event_ts"] == datetime(2026, 11, 20, 12, 30, 10, tzinfo=UTC)
    assert row["client_ts"] == datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_files_of_others_need_no_stamp(hand: LakeInHand) -> None:
    lines: list[Any] = [TRACKER, CART, SHOP, SEGMENT]
    hand.put(lines, name="dropped.jsonl.gz")
    done = hand.refine()
    assert done.events == {"stored": 4}
    assert hand.sql("select dialect, count(*) as n from events group by all order by all") == [
        {"dialect": "events", "n": 3},
        {"dialect": "segment", "n": 1},
    ]
    (segment,) = hand.sql("select event_ts, source from events where dialect = 'segment'")
    assert segment == {"event_ts": datetime(2026, 11, 20, 12, tzinfo=UTC), "source": "default"}
