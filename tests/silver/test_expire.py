"""What is older than it is kept: gone from all three tables at one moment, and the ledger still balances."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from penstock.bronze.expire import expire as expire_bronze
from penstock.pipeline import Pipeline
from penstock.settings import Settings
from penstock.silver import rebuild
from penstock.silver.commit import Table
from penstock.silver.compact import compact
from penstock.silver.compare import compare
from penstock.silver.expire import Expired, expire
from penstock.verify import verify
from support import NOW, LakeInHand

KEPT = NOW.date() - timedelta(days=3)


def fill(hand: LakeInHand) -> None:
    """A week, one object a day; each also has an event of the week before, which lies in the same hour as others."""
    for ago in range(7, -1, -1):
        at = NOW - timedelta(days=ago)
        late = (NOW - timedelta(days=9)).isoformat()
        hand.put(
            [
                {"event_id": f"e{ago}", "event_type": "thing", "event_ts": at.isoformat()},
                {"event_id": f"late{ago}", "event_type": "thing", "event_ts": late},
                {"event_id": "late7", "event_type": "thing", "event_ts": late},
                "bad",
            ],
            at,
        )
        hand.refine()
    compact(hand.lake.silver.events, "event_ts", many=2)


def days(hand: LakeInHand, table: str) -> set[date]:
    rows = hand.sql(f"select distinct regexp_extract(bronze_file, 'day=(\\d\\d)', 1)::int as day from {table}")
    return {NOW.date().replace(day=row["day"]) for row in rows}


def check(hand: LakeInHand, kept: date = KEPT) -> None:
    wanted = {kept + timedelta(days=n) for n in range((NOW.date() - kept).days + 1)}
    assert days(hand, "events") == days(hand, "quarantine") == days(hand, "ledger") == wanted
    way = Pipeline(Settings(data=hand.folder))
    try:
        found = verify(way)
    finally:
        way.close()
    assert found.problems == []
    assert found.ledger.total("received") == 4 * len(wanted)


def test_all_three_tables_lose_the_same_days(hand: LakeInHand) -> None:
    fill(hand)
    assert expire(hand.lake.silver, KEPT) == Expired(dropped=4, rewritten=1)
    check(hand)
    expire_bronze(hand.lake.bronze, KEPT)
    check(hand)


def test_a_second_time_there_is_nothing_to_do(hand: LakeInHand) -> None:
    fill(hand)
    expire(hand.lake.silver, KEPT)
    versions = [table.version() for table, _ in hand.lake.silver.tables]
    assert expire(hand.lake.silver, KEPT) == Expired()
    assert [table.version() for table, _ in hand.lake.silver.tables] == versions


def test_what_is_gone_does_not_come_back_with_a_longer_time(hand: LakeInHand) -> None:
    fill(hand)
    expire(hand.lake.silver, KEPT)
    expire(hand.lake.silver, KEPT - timedelta(days=2))
    check(hand)


def test_nothing_is_old_enough(hand: LakeInHand) -> None:
    fill(hand)
    before = hand.sql("select * from events order by all")
    expire(hand.lake.silver, NOW.date() - timedelta(days=30))
    assert hand.sql("select * from events order by all") == before


class Crash(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("nth", range(1, 7))
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_on_the_way(hand: LakeInHand, monkeypatch: pytest.MonkeyPatch, nth: int, after: bool) -> None:
    fill(hand)
    count = 0

    def crashing(original: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == nth and not after:
                raise Crash
            done = original(*args, **options)
            if count == nth:
                raise Crash
            return done

        return counted

    with monkeypatch.context() as patch:
        for name in ("cut", "make_durable"):
            patch.setattr(Table, name, crashing(getattr(Table, name)))
        with pytest.raises(Crash):
            expire(hand.lake.silver, KEPT)
    hand = LakeInHand(hand.folder)
    assert days(hand, "events") == days(hand, "quarantine") == days(hand, "ledger")
    expire(hand.lake.silver, KEPT)
    check(hand)


def test_bronze_alone_may_go_earlier_and_a_rebuild_carries_the_rest_over(hand: LakeInHand) -> None:
    fill(hand)
    before = hand.sql("select * from events order by all")
    expire_bronze(hand.lake.bronze, KEPT)
    check(hand, NOW.date() - timedelta(days=7))
    begun = rebuild.begin(hand.lake, NOW)
    rebuild.fill(hand.lake, begun, batch_bytes=1 << 30)
    assert compare(hand.lake.generation(""), hand.lake.generation(begun.generation)).none
    rebuild.show(hand.lake, begun)
    assert hand.sql("select * from events order by all") == before
    check(hand, NOW.date() - timedelta(days=7))


def test_the_job_does_both_as_the_settings_say(hand: LakeInHand) -> None:
    fill(hand)
    way = Pipeline(Settings(data=hand.folder, retention={"days": 3}), clock=lambda: NOW)
    try:
        way.maintain()
        objects = {entry.key for entry in way.lake.bronze.list("year=2026/")}
    finally:
        way.close()
    check(hand)
    assert len(objects) == 4
