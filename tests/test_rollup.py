"""Gold as part of the way: hours at once, days now and then; what is erased leaves it for good."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hand_clock import NOON, HandClock
from penstock.api import OpenLake
from penstock.gold.refresh import Refreshed
from penstock.pipeline import Pipeline
from penstock.status import status
from penstock.stream import Record


def send(way: Pipeline, number: int, user: str = "u", **fields: object) -> None:
    event = {
        "event_type": "page_view",
        "event_id": f"id-{number}",
        "session_id": f"of-{user}",
        "user_id": user,
        **fields,
    }
    way.stream.append([Record(json.dumps({"page_path": "/", **event}).encode())])
    way.deliver()
    while way.refine():
        pass


def round_(way: Pipeline) -> Refreshed:
    done: Refreshed = way.jobs["rollup"]()
    return done


def test_days_are_made_now_and_then(way: Pipeline, clock: HandClock) -> None:
    send(way, 1)
    assert round_(way) == Refreshed(hours=1, days=1)
    send(way, 2)
    assert round_(way) == Refreshed(hours=1, days=0)
    assert not round_(way)
    clock.tick(14)
    assert not round_(way)
    clock.tick(1)
    assert round_(way) == Refreshed(hours=0, days=1)
    clock.tick(3600)
    assert not round_(way)
    send(way, 3)
    assert round_(way) == Refreshed(hours=1, days=1), "the first after a pause is made at once"


def test_a_refresh_that_is_asked_for_makes_all(way: Pipeline) -> None:
    for number in range(3):
        send(way, number)
        assert way.rollup().days == 1
    assert not way.rollup()


def test_status_says_what_waits_for_gold(way: Pipeline) -> None:
    def waiting() -> str:
        return next(row.waiting for row in status(way) if row.stage == "silver")

    send(way, 1)
    assert waiting() == "1 commits"
    round_(way)
    assert waiting() == "0 commits"
    send(way, 2)
    round_(way)
    assert waiting() == "1 commits", "the days wait"
    way.rollup()
    assert waiting() == "0 commits"
    assert next(row.holds for row in status(way) if row.stage == "gold") == "1 hours, 1 sessions"


def files(way: Pipeline) -> list[Path]:
    return list((way.settings.data / "gold" / "sessions").rglob("*.parquet"))


def sessions_of(way: Pipeline, user: str) -> int:
    """Rows of that user in all files that lie there, also those that the table no longer has."""
    # partitioning=None: the folders' names are no columns here
    return sum(pq.read_table(path, partitioning=None)["user_id"].to_pylist().count(user) for path in files(way))


def test_who_is_erased_is_in_no_file_of_gold(way: Pipeline) -> None:
    for number in range(4):
        send(way, number, user=f"somebody-{number % 2}")
        way.rollup()
    assert len(files(way)) > 1
    assert sessions_of(way, "somebody-1") > 0
    way.erase("user_id", "somebody-1")
    assert len(files(way)) == 1
    assert sessions_of(way, "somebody-1") == 0
    for path in (way.settings.data / "gold").rglob("*"):
        assert path.is_dir() or b"somebody-1" not in path.read_bytes(), path
    with OpenLake(way) as lake:
        assert lake.sql("select user_id, events from sessions").fetchall() == [("somebody-0", 2)]


def test_files_of_sessions_do_not_pile_up(way: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        send(way, number)
        way.rollup()
    assert len(files(way)) == 4
    monkeypatch.setattr("penstock.pipeline._GOLD_KEEPS_HOURS", 0)
    way.maintain()
    assert len(files(way)) == 1


def test_all_of_gold_is_in_sql(way: Pipeline, clock: HandClock) -> None:
    with OpenLake(way) as lake:
        assert lake.sql("select * from sessions, visitors_daily").fetchall() == []
        send(way, 1, event_type="purchase", price="0.10", event_ts="2026-02-01T10:30:00Z", prev_day="2026-01-31")
        send(way, 2, event_type="purchase", price="0.20", event_ts="2026-02-01T11:30:00Z")
        way.rollup()
        assert lake.sql("select bucket, revenue from revenue_hourly order by 1").fetchall() == [
            (datetime(2026, 2, 1, hour, tzinfo=UTC), Decimal(money)) for hour, money in ((10, "0.10"), (11, "0.20"))
        ]
        assert lake.sql("select sum(revenue), sum(purchases) from sessions").fetchall() == [(Decimal("0.30"), 2)]
        [(bucket, prev_day, length)] = lake.sql(
            "select bucket, v.prev_day, end_ts - start_ts from visitors_daily as v join sessions on day = bucket"
        ).fetchall()
        assert (bucket, prev_day, length) == (NOON.date(), date(2026, 1, 31), timedelta(hours=1))


def test_gold_that_is_a_little_late_answers_only_who_lets_it(way: Pipeline, clock: HandClock) -> None:
    send(way, 1)
    way.drain()
    send(way, 2, "v")
    lake = OpenLake(way)
    committed = datetime.now(UTC)
    clock.now = committed + timedelta(seconds=30)
    asked = {"since": NOON.date(), "until": NOON.date(), "whole": True}
    behind, up_to_date = lake.report("traffic", stale=timedelta(minutes=3), **asked), lake.report("traffic", **asked)
    [late], [exact] = behind.rows(), up_to_date.rows()
    assert (late["sessions"], exact["sessions"]) == (1, 2)
    # Delta keeps milliseconds.
    assert behind.as_of is not None and committed - timedelta(seconds=10) <= behind.as_of <= committed
    assert up_to_date.as_of == clock.now
    clock.now = committed + timedelta(minutes=5)
    [over] = lake.report("traffic", stale=timedelta(minutes=3), **asked).rows()
    assert over == exact
