"""What `clean.sql` makes of one event: columns, flags, or a reason; a table of cases for each rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from support import NOW, LakeInHand

Event = dict[str, Any]


def event(**fields: Any) -> Event:
    return {"event_type": "thing", "session_id": "s1", **fields}


def reason_of(hand: LakeInHand, sent: Event) -> str | None:
    """The quarantine reason, or None if the event became a row."""
    hand.put(hand.post([sent]))
    done = hand.refine()
    assert done.read == 1
    return next(iter(done.reasons), None)


REASONS: list[tuple[Event, str | None]] = [
    (event(), None),
    ({"session_id": "s1"}, "bad_event_name"),
    (event(event_type=""), "bad_event_name"),
    (event(event_type=None), "bad_event_name"),
    (event(event_type=5), "bad_event_name"),
    (event(event_type="5"), None),
    (event(event_type=["a"]), "bad_event_name"),
    (event(event_type={"a": 1}), "bad_event_name"),
    (event(event_type="n" * 200), None),
    (event(event_type="n" * 201), "bad_event_name"),
    (event(event_type="{{7*7}}"), None),
    (event(event_id=""), None),
    (event(event_id="e" * 201), "bad_event_id"),
    (event(event_id={"a": 1}), "bad_event_id"),
    (event(event_id=["a"]), "bad_event_id"),
    (event(event_id="{550e8400-e29b-41d4-a716-446655440000}"), None),
    (event(event_id=17), None),
    (event(user_id="u" * 1001), "id_too_long"),
    (event(user_id="ü" * 400), None),
    (event(event_type="page_view", session_id=None), "missing_session_id"),
    (event(event_type="scroll_depth", session_id=""), "missing_session_id"),
    (event(event_type="purchase", session_id=None), None),
    (event(event_ts="yesterday"), "bad_timestamp"),
    (event(event_ts="2026-02-30"), "bad_timestamp"),
    (event(event_ts="2026-02-01T12:00:60Z"), "bad_timestamp"),
    (event(event_ts="2026-02-01T12:00:00+25:00"), "bad_timestamp"),
    (event(event_ts="0001-01-01T00:00:00Z"), "bad_timestamp"),
    (event(event_ts=-1), "bad_timestamp"),
    (event(event_ts="infinity"), "bad_timestamp"),
    (event(event_ts="1969-12-31T23:59:59Z"), "bad_timestamp"),
    (event(event_ts={"a": 1}), "bad_timestamp"),
    (event(event_ts="1970-01-01T00:00:00Z"), None),
    (event(quantity=2**63), "int_out_of_range"),
    (event(quantity=2**64), "int_out_of_range"),
    (event(quantity=-(2**63) - 1), "int_out_of_range"),
    (event(screen_width=3_000_000_000), "int_out_of_range"),
    (event(price=1e17), "number_out_of_range"),
    (event(price="12"), None),
    (event(properties={"": 1}), "bad_property_name"),
    (event(properties={"k" * 201: 1}), "bad_property_name"),
    (event(properties={'a"b' + "x" * 60: 1}), "bad_property_name"),
    (event(properties={"a.b$c": "x" * 60}), None),
    (event(properties={"__proto__": 1, "constructor": "x" * 60}), None),
]


@pytest.mark.parametrize(("sent", "reason"), REASONS, ids=lambda value: str(value)[:60])
def test_reason(hand: LakeInHand, sent: Event, reason: str | None) -> None:
    assert reason_of(hand, sent) == reason


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b", "..", "C:\\x", "%2e%2e", "'; drop table events;--", "${jndi:x}", "<img src=x>"]
)
def test_hostile_names_are_plain_text(hand: LakeInHand, name: str) -> None:
    (row,) = hand.rows_of(event(event_type=name))
    assert row["event_type"] == name.lower().replace(" ", "_").replace("-", "_")


def test_nul_is_replaced_not_cut(hand: LakeInHand) -> None:
    (row,) = hand.rows_of(event(page_title="before\x00after"))
    assert row["page_title"] == "before�after"


SENT = ["2026-11-20T12:30:05Z", "2026-11-20T18:00:05+05:30", 1795177805, 1795177805000]


@pytest.mark.parametrize("sent", SENT, ids=str)
def test_spellings_of_the_time_of_sending(hand: LakeInHand, sent: Any) -> None:
    (row,) = hand.rows_of(event(event_ts="2026-11-20T12:00:00Z", sent_ts=sent))
    assert row["event_ts"] == datetime(2026, 11, 20, 12, 0, 10, tzinfo=UTC)


TIMES: list[tuple[Any, datetime]] = [
    ("2026-11-20T11:00:00.123Z", datetime(2026, 11, 20, 11, 0, 0, 123000, UTC)),
    ("2026-11-20T11:00:00", datetime(2026, 11, 20, 11, tzinfo=UTC)),
    ("2026-11-20 11:00:00.5", datetime(2026, 11, 20, 11, 0, 0, 500000, UTC)),
    ("2026-11-20T11:00:00+05:30", datetime(2026, 11, 20, 5, 30, tzinfo=UTC)),
    ("2026-11-20T03:00:00-08:00", datetime(2026, 11, 20, 11, tzinfo=UTC)),
    ("2026-11-20T11:00:00.123456+00:00", datetime(2026, 11, 20, 11, 0, 0, 123456, UTC)),
    ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
    (1795172400, datetime(2026, 11, 20, 11, tzinfo=UTC)),
    (1795172400.25, datetime(2026, 11, 20, 11, 0, 0, 250000, UTC)),
    (1795172400123, datetime(2026, 11, 20, 11, 0, 0, 123000, UTC)),
    (1795172400123456, datetime(2026, 11, 20, 11, 0, 0, 123456, UTC)),
    ("1795172400", datetime(2026, 11, 20, 11, tzinfo=UTC)),
]


@pytest.mark.parametrize(("sent", "expected"), TIMES, ids=str)
def test_spellings_of_time(hand: LakeInHand, sent: Any, expected: datetime) -> None:
    (row,) = hand.rows_of(event(event_ts=sent))
    assert (row["event_ts"], row["client_ts"], row["ts_flag"]) == (expected, expected, None)


def iso(moment: datetime) -> str:
    return moment.isoformat()


SKEWS: list[tuple[str, timedelta, timedelta | None, timedelta, str | None]] = [
    # name, client clock - received, sent - received, expected - received, flag
    ("just now", timedelta(0), None, timedelta(0), None),
    ("a little ahead", timedelta(minutes=10), None, timedelta(minutes=10), None),
    ("a day ahead", timedelta(hours=24), None, timedelta(hours=24), None),
    ("more than a day ahead", timedelta(hours=24, seconds=1), None, timedelta(0), "ts_future"),
    ("eight days late", timedelta(days=-8), None, timedelta(days=-8), None),
    ("35 days late", timedelta(days=-35), None, timedelta(days=-35), None),
    ("36 days late", timedelta(days=-36), None, timedelta(days=-36), "ts_past"),
    ("clock an hour behind", timedelta(hours=-1, seconds=-9), timedelta(hours=-1), timedelta(seconds=-9), None),
    ("clock two hours ahead", timedelta(hours=2), timedelta(hours=2, seconds=3), timedelta(seconds=-3), None),
    ("clock ten years ahead", timedelta(days=3650), timedelta(days=3650), timedelta(0), "ts_future"),
    ("clock ten years behind", timedelta(days=-3650), timedelta(days=-3650), timedelta(days=-3649), "ts_past"),
    ("kept offline for 30 h", timedelta(hours=-30), timedelta(seconds=-1), timedelta(hours=-30, seconds=1), None),
]


@pytest.mark.parametrize(("name", "client", "sent", "expected", "flag"), SKEWS, ids=[case[0] for case in SKEWS])
def test_clock_skew(
    hand: LakeInHand, name: str, client: timedelta, sent: timedelta | None, expected: timedelta, flag: str | None
) -> None:
    sending = {} if sent is None else {"sent_ts": iso(NOW + sent)}
    (row,) = hand.rows_of(event(event_ts=iso(NOW + client), **sending))
    assert row["event_ts"] - NOW == expected
    assert row["client_ts"] == NOW + client
    assert row["ts_flag"] == flag


def test_year_9999_is_received_now_and_flagged(hand: LakeInHand) -> None:
    rows = hand.rows_of(event(event_ts="9999-12-31T00:00:00Z"), event(event_ts="292278994-08-17T07:12:55Z"))
    assert [(row["event_ts"], row["ts_flag"], row["client_ts"]) for row in rows] == [(NOW, "ts_future", None)] * 2


def test_an_event_without_time_happened_when_it_arrived(hand: LakeInHand) -> None:
    (row,) = hand.rows_of(event())
    assert (row["event_ts"], row["ts_flag"]) == (NOW, "ts_missing")


def test_partition_is_the_hour_of_the_event_and_none_if_it_came_too_late(hand: LakeInHand) -> None:
    rows = hand.rows_of(event(event_ts="2026-11-20T11:59:59Z"), event(event_ts="1970-01-01T00:00:00Z"))
    assert [(row["year"], row["month"], row["day"], row["hour"]) for row in rows] == [
        (2026, 11, 20, 11),
        (None, None, None, None),
    ]


def test_a_file_of_last_year_is_placed_in_its_own_hours(hand: LakeInHand) -> None:
    hand.put([event(event_ts="2025-01-02T03:04:05Z")], name="old.jsonl.gz")
    hand.refine()
    assert hand.sql("select year, month, day, hour, ts_flag from events") == [
        {"year": 2025, "month": 1, "day": 2, "hour": 3, "ts_flag": None}
    ]


@pytest.mark.parametrize("value", [{"a": 1}, [1], "twelve", True], ids=str)
def test_a_wrong_type_is_null_and_flagged(hand: LakeInHand, value: Any) -> None:
    (row,) = hand.rows_of(event(price=value))
    assert (row["price"], row["flags"]) == (None, "type_conflict")


def test_placeholders_are_nobody(hand: LakeInHand) -> None:
    nobody = ["null", "undefined", "00000000-0000-0000-0000-000000000000"]
    rows = hand.rows_of(*(event(user_id=name) for name in nobody))
    assert [(row["user_id"], row["flags"]) for row in rows] == [(None, "placeholder_id")] * 3


def test_aliases_and_types(hand: LakeInHand) -> None:
    (row,) = hand.rows_of(
        {
            "action": " Order Completed ",
            "userId": 42,
            "sessionId": "s",
            "product_category": " Garden ",
            "price": "3.335",
            "quantity": "2",
            "first_day": "2026-10-01",
            "seq": 3,
            "variants": {"headline": "B"},
        }
    )
    assert (row["event_type"], row["user_id"], row["category"]) == ("order_completed", "42", "garden")
    assert (row["price"], row["quantity"], row["seq"]) == (Decimal("3.34"), 2, 3)
    assert row["revenue"] == Decimal("6.68")
    assert (row["first_day"], row["variants"]) == (date(2026, 10, 1), '{"headline":"B"}')


@pytest.mark.parametrize("quantity", [3, -3, 2147483647])
def test_revenue_that_fits_no_column_is_unknown(hand: LakeInHand, quantity: int) -> None:
    """Price and quantity each fit; what they come to does not, and neighbours are stored all the same."""
    sent = {"event_type": "purchase", "session_id": "s", "price": "9999999999999999.99"}
    huge, one = hand.rows_of({**sent, "quantity": quantity}, {**sent, "quantity": 1})
    assert (huge["price"], huge["quantity"], huge["revenue"]) == (Decimal("9999999999999999.99"), quantity, None)
    assert one["revenue"] == Decimal("9999999999999999.99")


def test_agent_and_bot(hand: LakeInHand) -> None:
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604.1"
    hand.put(hand.post(event(), user_agent=phone))
    hand.put(hand.post(event(), user_agent="Mozilla/5.0 (compatible; Googlebot/2.1)"))
    hand.put(hand.post(event(), user_agent="curl/8.1"))
    hand.refine()
    assert hand.sql("select device, os, is_bot from events order by bronze_file") == [
        {"device": "mobile", "os": "iOS", "is_bot": False},
        {"device": "desktop", "os": None, "is_bot": True},
        {"device": None, "os": None, "is_bot": False},
    ]


def test_unknown_fields_cost_nothing(hand: LakeInHand) -> None:
    (row,) = hand.rows_of(event(**{f"field_{i}": i for i in range(100)}))
    assert row["event_type"] == "thing"
