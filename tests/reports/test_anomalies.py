"""Anomalies: found where they were put, and nowhere else."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import exp, sin
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from penstock.reports.finish.anomalies import Usual, band

from .rows_in_hand import RowsInHand

HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 30, 10, 30, tzinfo=UTC)
BEGAN = datetime(2026, 2, 16, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def poisson(chance: random.Random, mean: float) -> int:
    """Knuth's way."""
    limit, product, count = exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def day_and_night(hour: datetime) -> float:
    """By the clock of Berlin: 4 to 40 an hour, fewer on Sundays."""
    local = hour.astimezone(ZoneInfo(BERLIN))
    return (22 + 18 * sin((local.hour - 9) / 24 * 6.283)) * (0.5 if local.weekday() == 6 else 1)


def traffic(mean: Callable[[datetime], float], changed: dict[datetime, int], **more: Any) -> list[dict[str, Any]]:
    """Page views of each hour from BEGAN to NOW; `changed` says how many there are in some."""
    chance, rows, hour = random.Random(5), [], BEGAN
    while hour < NOW:
        count = changed.get(hour, poisson(chance, mean(hour)))
        rows += [{"event_type": "page_view", "event_ts": hour, "page_path": "/", **more}] * count
        hour += HOUR
    return rows


SPIKE = datetime(2026, 3, 29, 14, tzinfo=UTC)
SILENCE = datetime(2026, 3, 30, 8, tzinfo=UTC)
LAST_MONTH = {datetime(2026, 3, 22, 14, tzinfo=UTC): 900, datetime(2026, 3, 16, 8, tzinfo=UTC): 0}


@pytest.fixture(scope="module")
def hand() -> RowsInHand:
    return RowsInHand()


def found(hand: RowsInHand, since: str = "2026-03-29", zone: str = BERLIN, **asked: Any) -> list[dict[str, Any]]:
    return hand.rows("anomalies", since=since, until="2026-03-31", zone=zone, now=NOW, **asked)


def test_a_spike_and_a_silence_say_what_and_where(hand: RowsInHand) -> None:
    hand.put(
        [
            *traffic(day_and_night, {SPIKE: 150, SILENCE: 0, **LAST_MONTH}, utm_source="news"),
            *traffic(lambda hour: 10, {}, page_path="/quiet"),
        ]
    )
    rows = found(hand)
    assert {(row["hour"], row["what"], row["value"]) for row in rows} == {
        *((SPIKE, what, value) for what, value in WHERE),
        *((SILENCE, what, value) for what, value in WHERE),
    }
    spike = next(row for row in rows if row["value"] == "/" and row["hour"] == SPIKE)
    assert spike["seen"] == 150 and spike["low"] <= spike["expected"] <= spike["high"] < 150 and spike["deviations"] > 5
    assert spike["says"].startswith("page /: 150 instead of ") and spike["says"].endswith("at Sun 29 Mar 16:00")


WHERE = [("events", "all"), ("event_type", "page_view"), ("page", "/"), ("source", "news")]


@pytest.mark.parametrize("mean", [0.05, 1, 12, 60])
def test_nothing_unusual(hand: RowsInHand, mean: float) -> None:
    hand.put(traffic(lambda hour: mean, {}))
    assert found(hand, since="2026-03-24") == []


def test_the_running_hour_is_left_out(hand: RowsInHand) -> None:
    running = datetime(2026, 3, 30, 10, tzinfo=UTC)
    hand.put(traffic(day_and_night, {running: 1, running - HOUR: 200}))
    assert {row["hour"] for row in found(hand)} == {running - HOUR}


def test_no_history_no_anomaly(hand: RowsInHand) -> None:
    hand.put([row for row in traffic(day_and_night, {SPIKE: 500}) if row["event_ts"] >= SPIKE - timedelta(days=20)])
    assert found(hand) == []
    hand.put([])
    assert found(hand) == []


def test_hours_before_the_first_event_are_not_known_to_be_empty() -> None:
    counts = {NOW.replace(minute=0) - timedelta(weeks=n): 40 for n in range(4)}
    [usual] = band(counts, [max(counts)], min(counts), 5, ZoneInfo("UTC"))
    assert usual is not None and usual.expected == 40
    assert band(counts, [max(counts)], min(counts) + HOUR, 5, ZoneInfo("UTC")) == [None]


def test_what_never_happened_before_is_only_unusual_when_it_is_much(hand: RowsInHand) -> None:
    usual = traffic(day_and_night, {})
    for times, expected in ((3, set()), (40, {("event_type", "signup")})):
        hand.put([*usual, *[{"event_type": "signup", "event_ts": SPIKE}] * times])
        assert {(row["what"], row["value"]) for row in found(hand)} - {("events", "all")} == expected


@pytest.mark.parametrize("spikes", [0, 1, 2])
def test_spikes_of_the_past_do_not_widen_the_band(spikes: int) -> None:
    """Against the band without them; two of five weeks may be spoilt."""
    chance = random.Random(3)
    hours = [datetime(2026, 3, 29, tzinfo=UTC) + HOUR * n for n in range(24)]
    counts = {hour - timedelta(weeks=n): poisson(chance, 50) for hour in hours for n in range(6)}
    spoilt = counts | {hours[5] - timedelta(weeks=n): 5000 for n in range(1, spikes + 1)}
    clean, dirty = (band(some, hours, min(counts), 5, ZoneInfo("UTC"))[5] for some in (counts, spoilt))
    assert clean is not None and dirty is not None
    assert dirty.spread == pytest.approx(clean.spread, rel=0.15)
    assert dirty.limits(4.5)[1] < 120


@pytest.mark.parametrize("expected", [0, 1, 7, 100, 10_000])
@pytest.mark.parametrize("spread", [1.0, 2.5])
def test_limits_are_the_last_counts_within(expected: float, spread: float) -> None:
    usual = Usual(expected, spread)
    low, high = usual.limits(4)
    assert low <= expected <= high
    assert usual.deviations(high) <= 4 < usual.deviations(high + 1)
    assert usual.deviations(low) >= -4 and (low == 0 or usual.deviations(low - 1) < -4)


def test_more_noise_than_chance_makes_a_wider_band() -> None:
    """Half as much again one week, a third less the next."""
    chance = random.Random(4)
    hours = [datetime(2026, 3, 29, tzinfo=UTC) + HOUR * n for n in range(24)]
    counts = {
        h - timedelta(weeks=n): int(100 * chance.choice((0.65, 0.8, 1, 1.2, 1.5))) for h in hours for n in range(6)
    }
    found = band(counts, hours, min(counts), 5, ZoneInfo("UTC"))
    assert median(usual.spread for usual in found if usual) > 2
