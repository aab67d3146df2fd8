"""Words and a zone → moments, on days of 23, 24 and 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PenstockError
from penstock.reports.period import Compare, Grain, Period, before, buckets, offsets, period

NOW = datetime(2026, 3, 29, 12, 34, 56, tzinfo=UTC)
"""A Sunday; in Berlin clocks went forward that morning."""


def text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00")


def reach(found: Period) -> tuple[str, str]:
    return text(found.since), text(found.until)


@pytest.mark.parametrize(
    ("since", "until", "zone", "expected"),
    [
        ("30m", None, "UTC", ("2026-03-29T12:04:56", "2026-03-29T12:34:56")),
        ("24h", None, "Europe/Berlin", ("2026-03-28T12:34:56", "2026-03-29T12:34:56")),
        ("1d", None, "UTC", ("2026-03-29T00:00", "2026-03-30T00:00")),
        ("1d", None, "Europe/Berlin", ("2026-03-28T23:00", "2026-03-29T22:00")),
        ("7d", None, "Asia/Kathmandu", ("2026-03-22T18:15", "2026-03-29T18:15")),
        ("7d", None, "America/St_Johns", ("2026-03-23T02:30", "2026-03-30T02:30")),
        (None, None, "UTC", ("2026-03-23T00:00", "2026-03-30T00:00")),
        ("1w", None, "UTC", ("2026-03-23T00:00", "2026-03-30T00:00")),
        ("4w", None, "Europe/Berlin", ("2026-03-01T23:00", "2026-03-29T22:00")),
        ("1mo", None, "UTC", ("2026-03-01T00:00", "2026-04-01T00:00")),
        ("12mo", None, "Europe/Berlin", ("2025-03-31T22:00", "2026-03-31T22:00")),
        ("2026-03-29", "2026-03-29", "Europe/Berlin", ("2026-03-28T23:00", "2026-03-29T22:00")),
        ("2026-10-25", "2026-10-25", "Europe/Berlin", ("2026-10-24T22:00", "2026-10-25T23:00")),
        ("2026-03-01", None, "UTC", ("2026-03-01T00:00", "2026-03-30T00:00")),
        (None, "2026-03-01", "UTC", ("2026-03-01T00:00", "2026-03-02T00:00")),
        ("2026-03-01T12:00", "2026-03-01T13:30", "Europe/Berlin", ("2026-03-01T11:00", "2026-03-01T12:30")),
        ("2026-03-01T12:00Z", "2026-03-01T12:00+00:30", "UTC", None),
        ("2026-03-01T12:00+01:00", "2026-03-01T12:00Z", "UTC", ("2026-03-01T11:00", "2026-03-01T12:00")),
        # where clocks go forward at midnight, the day begins at one; where they go back, it begins once
        ("2026-04-24", "2026-04-24", "Africa/Cairo", ("2026-04-23T22:00", "2026-04-24T21:00")),
        ("2026-11-01", "2026-11-01", "America/Havana", ("2026-11-01T04:00", "2026-11-02T05:00")),
        ("2026-04-05", "2026-04-05", "Australia/Lord_Howe", ("2026-04-04T13:00", "2026-04-05T13:30")),
    ],
)
def test_from_when_to_when(since: str | None, until: str | None, zone: str, expected: tuple[str, str] | None) -> None:
    if expected is None:
        with pytest.raises(PenstockError, match="is empty"):
            period(since, until, zone=zone, now=NOW)
    else:
        assert reach(period(since, until, zone=zone, now=NOW)) == expected


def test_dates_and_moments_of_python() -> None:
    day, moment = date(2026, 3, 1), datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert reach(period(day, day, now=NOW)) == ("2026-03-01T00:00", "2026-03-02T00:00")
    assert reach(period(day, moment, now=NOW)) == ("2026-03-01T00:00", "2026-03-01T12:00")


@pytest.mark.parametrize(
    ("since", "until", "zone"),
    [
        ("7y", None, "UTC"),
        ("0d", None, "UTC"),
        ("", None, "UTC"),
        ("7d", "2026-03-01", "UTC"),
        ("2026-02-30", None, "UTC"),
        ("2026-03-02", "2026-03-01", "UTC"),
        ("999999mo", None, "UTC"),
        ("0001-01-01", None, "UTC"),
        ("9999-12-31", "9999-12-31", "UTC"),
        ("2026-03-01'; drop table events; --", None, "UTC"),
        ("7d", None, "Mars/Olympus"),
        ("7d", None, "../../etc/passwd"),
        ("7d", None, ""),
    ],
)
def test_what_is_no_time_is_refused_in_words(since: str, until: str | None, zone: str) -> None:
    with pytest.raises(PenstockError):
        period(since, until, zone=zone, now=NOW)


@pytest.mark.parametrize(
    ("since", "until", "how", "zone", "expected"),
    [
        # of a day that runs, only as much of the other as has passed
        ("1d", None, "previous", "UTC", ("2026-03-28T00:00", "2026-03-28T12:34:56")),
        ("1d", None, "previous", "Europe/Berlin", ("2026-03-27T23:00", "2026-03-28T13:34:56")),
        ("7d", None, "previous", "UTC", ("2026-03-16T00:00", "2026-03-22T12:34:56")),
        ("1h", None, "previous", "UTC", ("2026-03-29T10:34:56", "2026-03-29T11:34:56")),
        ("1mo", None, "previous", "UTC", ("2026-02-01T00:00", "2026-02-28T12:34:56")),
        ("3mo", None, "previous", "UTC", ("2025-10-01T00:00", "2025-12-29T12:34:56")),
        ("2026-03-10", "2026-03-14", "previous", "UTC", ("2026-03-05T00:00", "2026-03-10T00:00")),
        ("2026-03-10", "2026-03-14", "weekday", "UTC", ("2026-03-03T00:00", "2026-03-08T00:00")),
        ("2026-03-10", "2026-03-20", "weekday", "UTC", ("2026-02-24T00:00", "2026-03-07T00:00")),
        ("2026-02-01", "2026-02-28", "month", "UTC", ("2026-01-01T00:00", "2026-02-01T00:00")),
        ("2026-03-29", "2026-03-29", "month", "UTC", ("2026-02-28T00:00", "2026-02-28T12:34:56")),
        ("2026-03-28", "2026-03-28", "month", "UTC", ("2026-02-28T00:00", "2026-03-01T00:00")),
        ("2026-03-10T12:00", "2026-03-10T18:00", "previous", "UTC", ("2026-03-10T06:00", "2026-03-10T12:00")),
    ],
)
def test_what_to_compare_with(since: str, until: str | None, how: str, zone: str, expected: tuple[str, str]) -> None:
    assert reach(before(period(since, until, zone=zone, now=NOW), Compare(how))) == expected


def test_a_day_that_a_month_lacks_is_not_an_empty_time() -> None:
    found = before(period("2026-03-30", "2026-03-30", now=NOW + timedelta(days=9)), Compare.month)
    assert reach(found) == ("2026-02-28T00:00", "2026-03-01T00:00")


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-03-29", "UTC", 24),
        ("2026-03-29", "Europe/Berlin", 23),
        ("2026-10-25", "Europe/Berlin", 25),
        ("2026-03-08", "America/St_Johns", 23),
        ("2026-11-01", "America/St_Johns", 25),
        ("2026-03-29", "Asia/Kathmandu", 24),
        ("2026-04-24", "Africa/Cairo", 23),
    ],
)
def test_hours_of_a_day(day: str, zone: str, hours: int) -> None:
    found = buckets(period(day, day, zone=zone, now=datetime(2027, 1, 1, tzinfo=UTC)), Grain.hour)
    assert len(found) == hours
    assert {bucket.until - bucket.since for bucket in found} == {timedelta(hours=1)}


@pytest.mark.parametrize(
    ("since", "grain", "expected"),
    [
        ("3d", "day", ["2026-03-27", "2026-03-28", "2026-03-29"]),
        ("2w", "week", ["2026-03-16", "2026-03-23"]),
        ("3mo", "month", ["2026-01-01", "2026-02-01", "2026-03-01"]),
        ("2026-03-24", "week", ["2026-03-23"]),
        ("2026-02-15", "month", ["2026-02-01", "2026-03-01"]),
    ],
)
def test_buckets_up_to_now(since: str, grain: str, expected: list[str]) -> None:
    found = period(since, zone="Europe/Berlin", now=NOW)
    named = buckets(found, Grain(grain))
    assert [str(bucket.start) for bucket in named] == expected
    assert [found.running(bucket) for bucket in named] == [False] * (len(named) - 1) + [True]


zones = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "Asia/Kathmandu",
        "America/St_Johns",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Pacific/Apia",
    ]
)


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(0, 40), zones, st.sampled_from(Grain))
def test_buckets_follow_each_other_and_cover_the_period(day: date, days: int, zone: str, grain: Grain) -> None:
    found = period(day, day + timedelta(days=days), zone=zone, now=datetime(2040, 1, 1, tzinfo=UTC))
    all_buckets = buckets(found, grain)
    assert all_buckets[0].since <= found.since
    assert all_buckets[-1].until >= found.until
    assert all(one.until == other.since for one, other in pairwise(all_buckets))
    assert len({bucket.start for bucket in all_buckets}) == len(all_buckets)


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(0, 60), zones)
def test_the_time_before_ends_where_this_one_begins(day: date, days: int, zone: str) -> None:
    found = period(day, day + timedelta(days=days), zone=zone, now=datetime(2040, 1, 1, tzinfo=UTC))
    assert before(found, Compare.previous).until == found.since
    shifted = before(found, Compare.weekday)
    assert shifted.until <= found.since
    assert shifted.days[0].weekday() == found.days[0].weekday()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca"])
def test_offsets_are_the_clocks(zone: str) -> None:
    asked = period(date(2026, 1, 1), date(2026, 12, 31), zone=zone, now=NOW)
    at = asked.since
    for end, micros in offsets(asked, most=6):
        while at < min(end, asked.until):
            assert at.astimezone(asked.tz).utcoffset() == timedelta(microseconds=micros)
            at += timedelta(minutes=15)
    assert at == asked.until


def test_of_too_many_offsets_there_are_none() -> None:
    years = period(date(1990, 1, 1), date(2026, 12, 31), zone="Europe/Berlin", now=NOW)
    assert offsets(years, most=6) == []
    assert offsets(period(date(2026, 1, 1), date(2026, 12, 31), zone="Europe/Berlin", now=NOW), most=2) == []
