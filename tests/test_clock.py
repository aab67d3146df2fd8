"""Times and durations, as text and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.clock import duration, iso, moment, utc_now
from penstock.errors import PenstockError

NOW = datetime(2026, 2, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("4w", timedelta(weeks=4)),
        ("0s", timedelta(0)),
        ("36525d", timedelta(days=36525)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert duration(text) == expected
    assert moment(text, NOW) == NOW - expected


BAD = [
    "",
    "h",
    "24",
    "24 h",
    "1.5h",
    "-1h",
    "+1h",
    "24H",
    "1y",
    "h24",
    "²d",
    "٣d",
    "1e3s",
    "\n1h",
    "99999999999999999999d",
]


@pytest.mark.parametrize("text", [*BAD, "36526d", "99999999w"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(PenstockError, match=r"duration|too long") as caught:
        duration(text)
    assert caught.value.hint
    with pytest.raises(PenstockError):
        moment(text, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01T12:00", datetime(2026, 2, 1, 12, tzinfo=UTC)),
        ("2026-02-01 12:00:01.5", datetime(2026, 2, 1, 12, 0, 1, 500_000, tzinfo=UTC)),
        ("2026-02-01T12:00:00Z", datetime(2026, 2, 1, 12, tzinfo=UTC)),
        ("2026-02-01T12:00:00+02:00", datetime(2026, 2, 1, 10, tzinfo=UTC)),
    ],
)
def test_moments_are_utc_unless_they_say_otherwise(text: str, expected: datetime) -> None:
    found = moment(text, NOW)
    assert found == expected
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30", "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(PenstockError):
        moment(text, NOW)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 2, 1, 12, tzinfo=UTC), "2026-02-01T12:00:00.000Z"),
        (datetime(2026, 2, 1, 12, 0, 0, 999_999, tzinfo=UTC), "2026-02-01T12:00:00.999Z"),
        (datetime(2026, 2, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30))), "2026-02-01T06:30:00.000Z"),
    ],
)
def test_iso(at: datetime, expected: str) -> None:
    assert iso(at) == expected


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))
def test_iso_is_read_back(at: datetime) -> None:
    assert moment(iso(at), NOW) == at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_now_is_utc() -> None:
    assert utc_now().tzinfo is UTC
