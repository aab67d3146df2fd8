"""Labels under a chart stand at round places of the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.dashboard.charts.times import MOST, Start, marks


def days(first: date, many: int, step: int = 1) -> list[Start]:
    return [first + timedelta(days=nth * step) for nth in range(many)]


def minutes(first: datetime, many: int, step: int) -> list[Start]:
    return [first + timedelta(minutes=nth * step) for nth in range(many)]


def months(first: int, many: int) -> list[Start]:
    return [date(2025 + (first - 1 + nth) // 12, (first - 1 + nth) % 12 + 1, 1) for nth in range(many)]


NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
WEDNESDAY = date(2026, 10, 21)


@pytest.mark.parametrize(
    ("starts", "grain", "labels"),
    [
        ([], "day", []),
        (days(WEDNESDAY, 1), "day", ["Wed 21 Oct"]),
        (days(WEDNESDAY, 3), "day", ["Wed 21 Oct", "Thu 22 Oct", "Fri 23 Oct"]),
        (days(WEDNESDAY, 12), "day", ["21 Oct", "23 Oct", "25 Oct", "27 Oct", "29 Oct", "31 Oct"]),
        (days(WEDNESDAY, 28), "day", ["21 Oct", "25 Oct", "29 Oct", "2 Nov", "6 Nov", "10 Nov", "14 Nov"]),
        (days(WEDNESDAY, 50), "day", ["26 Oct", "2 Nov", "9 Nov", "16 Nov", "23 Nov", "30 Nov", "7 Dec"]),
        (days(WEDNESDAY, 91), "day", ["26 Oct", "9 Nov", "23 Nov", "7 Dec", "21 Dec", "4 Jan", "18 Jan"]),
        (days(date(2026, 10, 19), 5, 7), "week", ["19 Oct", "26 Oct", "2 Nov", "9 Nov", "16 Nov"]),
        (months(1, 12), "month", ["2025", "Mar", "May", "Jul", "Sep", "Nov"]),
        (months(11, 3), "month", ["Nov", "Dec", "2026"]),
        (minutes(NOON, 30, 1), "minute", ["12:00", "12:05", "12:10", "12:15", "12:20", "12:25"]),
        (minutes(NOON, 24, 60), "hour", ["12:00", "15:00", "18:00", "21:00", "2 Nov", "03:00", "06:00", "09:00"]),
        (minutes(NOON, 24 * 5, 60), "hour", ["2 Nov", "3 Nov", "4 Nov", "5 Nov", "6 Nov"]),
    ],
)
def test_labels(starts: list[Start], grain: str, labels: list[str]) -> None:
    assert [mark.text for mark in marks(starts, grain)] == labels


def test_hours_are_those_of_the_zone() -> None:
    assert [m.text for m in marks(minutes(NOON, 3, 60), "hour", "Europe/Berlin")] == ["13:00", "14:00", "15:00"]
    found = marks(minutes(NOON, 12, 60), "hour", "Asia/Kolkata")
    assert [m.text for m in found] == ["17:30", "19:30", "21:30", "23:30", "01:30", "03:30"]


def test_every_second_of_many_is_left_out_on_phones() -> None:
    assert [mark.extra for mark in marks(days(WEDNESDAY, 12), "day")] == [False, True] * 3
    assert not any(mark.extra for mark in marks(days(WEDNESDAY, 3), "day"))


@given(
    st.dates(),
    st.integers(1, 300),
    st.sampled_from(["minute", "hour", "day", "week", "month"]),
)
def test_any_buckets_have_some_labels_and_not_too_many(first: date, many: int, grain: str) -> None:
    starts = [first + timedelta(days=nth) for nth in range(min(many, (date.max - first).days + 1))]
    found = marks(starts, grain)
    assert 1 <= len(found) <= MOST
    assert len({mark.place for mark in found}) == len(found)
