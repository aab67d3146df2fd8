"""One row for each session, of the day on which it began, whatever comes late; and a bound on how long one lasts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count, permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.gold import sessions
from penstock.gold.stores.sqlite import SQLite
from support import NOW, LakeInHand

from . import reference
from .conftest import GoldInHand, fill, in_hand

MIDNIGHT = NOW.replace(hour=0, minute=0, second=0)
YESTERDAY, TODAY = (date(2026, 11, day) for day in (19, 20))
_numbers = count()


def at(hours: float, session: str | None = "s", kind: str = "view", **fields: Any) -> dict[str, Any]:
    """So many hours after today began."""
    return {
        "event_id": f"id-{next(_numbers)}",
        "event_type": kind,
        "session_id": session,
        "event_ts": (MIDNIGHT + timedelta(hours=hours)).isoformat(),
        **fields,
    }


def shown(gold: GoldInHand) -> list[tuple[date, float, float, int]]:
    """Of each session, its day, first and last hour (after today began), and how many events it has."""
    gold.refresh()
    gold.assert_is_silver()
    hours = (
        (row, *((row[end] - MIDNIGHT) / timedelta(hours=1) for end in ("start_ts", "end_ts")))
        for row in gold.sessions()
    )
    return sorted((row["day"], first, last, row["events"]) for row, first, last in hours)


def test_a_session_over_midnight_is_of_the_day_it_began(gold: GoldInHand) -> None:
    fill(gold.hand, at(-0.5), at(0), at(0.5))
    assert shown(gold) == [(YESTERDAY, -0.5, 0.5, 3)]


def test_what_happens_twice_at_once_over_midnight(gold: GoldInHand) -> None:
    """In steps these are the same row, so a second one is no new row, but one more."""
    for _ in range(2):
        fill(gold.hand, at(-0.5), at(0.5), at(0.5, "other"))
        gold.refresh()
        gold.assert_is_silver()
    assert gold.rows("overnight_daily") == [
        (on, str(reference.short("s")), events) for on, events in ((YESTERDAY, 2), (TODAY, 2))
    ]


@pytest.mark.parametrize("again", [1, 3, 30])
def test_a_session_that_comes_again_is_no_longer_of_one_day(gold: GoldInHand, again: int) -> None:
    fill(gold.hand, at(-24 * again, kind="page_view", page_path="/"))
    gold.refresh()
    assert gold.rows("overnight_daily") == [] and len(gold.rows("pages_one_day")) == 1
    fill(gold.hand, at(1, kind="page_view", page_path="/"))
    gold.refresh()
    gold.assert_is_silver()
    assert len(gold.rows("overnight_daily")) == 2 and gold.rows("pages_one_day") == []


@pytest.mark.parametrize("order", list(permutations([-0.5, 0.25, 0.5])))
def test_in_whatever_order_its_events_come(gold: GoldInHand, order: Sequence[float]) -> None:
    for hours in order:
        fill(gold.hand, at(hours))
        gold.refresh()
    assert shown(gold) == [(YESTERDAY, -0.5, 0.5, 3)]


def test_a_late_first_event_moves_the_session_to_another_day(gold: GoldInHand) -> None:
    fill(gold.hand, at(1, kind="page_view", prev_day="2026-11-01"), at(2))
    assert shown(gold) == [(TODAY, 1, 2, 2)]
    assert [row[:3] for row in gold.rows("visitors_daily")] == [(TODAY, date(2026, 11, 1), 1)]
    fill(gold.hand, at(-1))
    assert shown(gold) == [(YESTERDAY, -1, 2, 3)]
    assert [row[:3] for row in gold.rows("visitors_daily")] == [(YESTERDAY, date(2026, 11, 1), 1)]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param([-23, 0.9], [(YESTERDAY, -23, 0.9, 2)], id="just under a day"),
        pytest.param([-23, 1], [(YESTERDAY, -23, -23, 1), (TODAY, 1, 1, 1)], id="a day"),
        pytest.param([-23, 0.5, 1, 5], [(YESTERDAY, -23, 0.5, 2), (TODAY, 1, 5, 2)], id="the first 24 hours"),
        pytest.param(
            [-25, -23, 0.5, 23],
            [(date(2026, 11, 18), -25, -23, 2), (TODAY, 0.5, 23, 2)],
            id="three days in a row: the first 24 hours, then day by day",
        ),
        pytest.param(
            [-47, -23.5, -1, 0.5],
            [(date(2026, 11, 18), -47, -23.5, 2), (YESTERDAY, -1, -1, 1), (TODAY, 0.5, 0.5, 1)],
            id="what is left of the second day takes nothing from the third",
        ),
        pytest.param([-30, 1, 2], [(date(2026, 11, 18), -30, -30, 1), (TODAY, 1, 2, 2)], id="a day without the id"),
    ],
)  # fmt: skip
def test_a_session_lasts_at_most_a_day(gold: GoldInHand, hours: list[float], expected: list[Any]) -> None:
    fill(gold.hand, *map(at, hours))
    assert shown(gold) == expected


def test_a_late_event_between_makes_one_of_two_days(gold: GoldInHand) -> None:
    """The id was there two days before, so the day between now belongs to that; then it no longer does."""
    fill(gold.hand, at(-2), at(3))
    assert shown(gold) == [(YESTERDAY, -2, 3, 2)]
    fill(gold.hand, at(-30))
    assert shown(gold) == [(date(2026, 11, 18), -30, -30, 1), (YESTERDAY, -2, -2, 1), (TODAY, 3, 3, 1)]


def test_the_same_id_from_two_sources_or_a_crawler_is_another_session(gold: GoldInHand) -> None:
    crawler = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    fill(gold.hand, at(1), user_agent=crawler)
    lines = gold.hand.post([at(2)])
    gold.hand.put([lines[0].replace(b'"source":"default"', b'"source":"shop"'), *gold.hand.post([at(3)])])
    gold.hand.refine()
    assert shown(gold) == [(TODAY, 1, 1, 1), (TODAY, 2, 2, 1), (TODAY, 3, 3, 1)]
    assert {(row["source"], row["is_bot"]) for row in gold.sessions()} == {
        ("default", True), ("shop", False), ("default", False),
    }  # fmt: skip


def test_events_without_a_session_are_in_none(gold: GoldInHand) -> None:
    fill(gold.hand, at(1, None, "order"), at(2))
    assert shown(gold) == [(TODAY, 2, 2, 1)]


def test_what_a_visit_came_to(gold: GoldInHand) -> None:
    fill(
        gold.hand,
        at(1, kind="page_view", page_path="/", utm_source="mail", first_day="2026-11-01", seq=1, variants={"a": "A"}),
        at(1, kind="page_view", page_path="/b", referrer="https://www.google.com/", seq=2, utm_source="other"),
        at(1.1, kind="scroll_depth", properties={"percent": 25}),
        at(1.1, kind="scroll_depth", properties={"percent": 75}),
        *(at(1.2, kind="time_on_page", page_path="/b", properties={"seconds": n}) for n in (30, 60, 180)),
        at(1.2, kind="time_on_page", page_path="/", properties={"seconds": 30}),
        at(1.3, kind="purchase", page_path="/pay", price=9.5, quantity=2, user_id="u", variants={"a": "A", "b": "B"}),
    )
    gold.refresh()
    gold.assert_is_silver()
    [row] = gold.sessions()
    expected = {
        "user_id": "u", "anonymous_id": None, "entry_page": "/", "exit_page": "/b", "views": 2, "events": 9,
        "max_scroll": 75, "engaged_seconds": 210, "utm_source": "mail", "referrer_host": "google.com",
        "first_day": date(2026, 11, 1), "prev_day": None, "purchases": 1, "revenue": Decimal("19.00"),
        "converted": True, "bounced": False, "variants": '{"a":"A","b":"B"}',
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert [row[1:4] for row in gold.rows("variants_daily")] == [("a", "A", 1), ("b", "B", 1)]


def test_a_visit_of_one_page_bounces_unless_it_converts(gold: GoldInHand) -> None:
    page = {"kind": "page_view", "page_path": "/"}
    fill(gold.hand, at(1, "one", **page), at(1, "two", **page), at(2, "two", **page))
    fill(gold.hand, at(1, "sold", **page), at(2, "sold", "cta_click"), at(3, "none"))
    gold.refresh()
    assert {row["session_id"]: (row["bounced"], row["converted"]) for row in gold.sessions()} == {
        "one": (True, False), "two": (False, False), "sold": (False, True), "none": (False, False),
    }  # fmt: skip


def test_two_events_at_the_same_time_have_an_order(gold: GoldInHand) -> None:
    pages = [at(1, kind="page_view", page_path=f"/{n}", seq=n and 5 - n) for n in (3, 2, 4, 1)]
    fill(gold.hand, *pages)
    gold.refresh()
    [row] = gold.sessions()
    assert (row["entry_page"], row["exit_page"]) == ("/4", "/1")
    gold.assert_is_silver()


def test_more_money_than_one_purchase_can_cost(gold: GoldInHand) -> None:
    most = "9999999999999999.99"
    fill(gold.hand, *(at(n, kind="purchase", product_id="p", category="c", price=most) for n in range(3)))
    gold.refresh()
    gold.assert_is_silver()
    assert [row["revenue"] for row in gold.sessions()] == [3 * Decimal(most)]


def test_days_around_a_change_are_those_it_can_reach() -> None:
    """Whatever a session did before, an event more or less changes no session of a day that is left alone."""
    times = [MIDNIGHT + timedelta(hours=6 * n) for n in range(-16, 17)]
    key = ("default", "s", False)
    for bits in range(1, 1 << 7):
        days = [times[4 * n : 4 * n + 4] for n in range(8)]
        had = [day[(bits >> n) & 3] for n, day in enumerate(days[:7]) if bits >> n & 1]
        for new in times:
            before, after = (parts(key, some) for some in (had, sorted([*had, new])))
            changed = {day for day in before.keys() | after.keys() if before.get(day) != after.get(day)}
            assert changed <= sessions.around([new.astimezone(UTC).date()])


def parts(key: Any, times: Sequence[datetime]) -> dict[date, list[datetime]]:
    found = reference.parts([{"event_ts": each} for each in times])
    return {day: [event["event_ts"] for event in events] for day, events in found.items()}


VISITS = st.lists(
    st.tuples(st.floats(-130, 12, width=16), st.sampled_from("stu"), st.sampled_from(["page_view", "purchase"])),
    min_size=1,
    max_size=12,
)


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(st.lists(VISITS, min_size=1, max_size=4))
def test_sessions_are_what_they_are_in_any_order(make_any: Any, batches: list[Any]) -> None:
    gold = make_any()
    for batch in batches:
        fill(gold.hand, *(at(hours, session, kind) for hours, session, kind in batch))
        gold.refresh()
        gold.assert_is_silver()
    rows = gold.sessions()
    assert len({(row["source"], row["session_id"], row["is_bot"], row["day"]) for row in rows}) == len(rows)
    assert all(row["start_ts"].astimezone(UTC).date() == row["day"] for row in rows)
    assert all(row["end_ts"] - row["start_ts"] < timedelta(days=1) for row in rows)
    assert sum(row["events"] for row in rows) == sum(map(len, batches))
    gold.store.close()


@pytest.fixture
def make_any(tmp_path_factory: pytest.TempPathFactory) -> Any:
    def make() -> GoldInHand:
        hand = LakeInHand(tmp_path_factory.mktemp("any") / "lake")
        return in_hand(hand, SQLite(hand.folder / "gold" / "rollups.db"))

    return make
