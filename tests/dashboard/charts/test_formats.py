"""Numbers, times and changes, as they are written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from penstock.dashboard.charts import formats
from penstock.dashboard.charts.formats import Unit, delta

SUNDAY = date(2026, 11, 1)
MIDNIGHT = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
NOT_NUMBERS = (None, float("nan"), float("inf"), -float("inf"), "12", b"1", True, SUNDAY, Decimal("NaN"), 10**400)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1234, "1,234"),
        (-1234, "−1,234"),
        (1e12, "1,000,000,000,000"),
        (12.5, "12.5"),
        (0.25, "0.25"),
        (1234.567, "1,234.57"),
        (0.00001234, "1.2e-05"),
        (Decimal("12.50"), "12.5"),
        (-0.0004, "−0.0004"),
        (10**30, "1e+30"),
    ],
)
def test_count(value: Any, text: str) -> None:
    assert formats.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (4000, "4,000"),
        (9999, "9,999"),
        (9999.6, "10 k"),
        (12_345, "12.3 k"),
        (-12_345, "−12.3 k"),
        (999_949, "999.9 k"),
        (999_999, "1 M"),
        (2_500_000, "2.5 M"),
        (1e12, "1 T"),
        (1.25e15, "1,250 T"),
        (1e20, "1e+20"),
        (0.5, "0.5"),
    ],
)
def test_compact(value: float, text: str) -> None:
    assert formats.compact(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.1234, "12.3 %"), (0.12, "12 %"), (0, "0 %"), (-0.05, "−5 %"), (-0.00001, "0 %"), (12.345, "1,234.5 %")],
)
def test_percent(share: float, text: str) -> None:
    assert formats.percent(share) == text


def test_percents_one_under_the_other_have_as_many_places() -> None:
    assert formats.percent(0.19, even=True) == "19.0 %"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,234.50"), (0, "0.00"), (-3, "−3.00"), (Decimal("9999999999999999.99"), "9,999,999,999,999,999.99")],
)
def test_money(value: Any, text: str) -> None:
    assert formats.money(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.25, "0.25 s"),
        (8.54, "8.5 s"),
        (9.97, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 m"),
        (80, "1 m 20 s"),
        (3599.9, "1 h"),
        (7500, "2 h 5 m"),
        (3600, "1 h"),
        (273_600, "3 d 4 h"),
        (-80, "−1 m 20 s"),
        (1e15, "1e+15 s"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (999, "999 B"), (999.9, "1 kB"), (12_345, "12.3 kB"), (1.5e9, "1.5 GB"), (2e15, "2 PB")],
)
def test_size(value: float, text: str) -> None:
    assert formats.size(value) == text


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
def test_what_is_no_number_is_a_dash(value: Any) -> None:
    for unit in Unit:
        assert formats.show(value, unit) == formats.short(value, unit) == formats.NOTHING
    assert delta(value, 1).text == delta(1, value).text == formats.NOTHING


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(list(Unit)))
def test_every_finite_number_is_written_shortly(value: float, unit: Unit) -> None:
    assert formats.show(value, unit) != formats.NOTHING
    assert len(formats.short(value, unit)) <= 20


@pytest.mark.parametrize(
    ("now", "before", "text", "kind"),
    [
        (1123, 1000, "▲ +12.3 %", "good"),
        (960, 1000, "▼ −4 %", "bad"),
        (5, 5, "±0 %", "neutral"),
        (0, 0, "±0 %", "neutral"),
        (1_000_001, 1_000_000, "±0 %", "neutral"),
        (3, 0, "new", "good"),
        (0, 3, "▼ −100 %", "bad"),
        (30, 10, "▲ +200 %", "good"),
        (-5, -10, "▲ +50 %", "good"),
        (1e300, 1e-200, "–", "neutral"),
    ],
)
def test_delta(now: float, before: float, text: str, kind: str) -> None:
    assert delta(now, before) == (text, kind)


def test_up_may_be_bad_or_neither() -> None:
    assert delta(2, 1, up_is_good=False).kind == delta(1, 0, up_is_good=False).kind == "bad"
    assert delta(1, 2, up_is_good=False).kind == "good"
    assert {delta(2, 1, up_is_good=None).kind, delta(1, 2, up_is_good=None).kind} == {"neutral"}


def test_delta_in_a_template_has_its_class() -> None:
    assert escape(delta(2, 1)) == '<span class="delta good">▲ +100 %</span>'


@pytest.mark.parametrize(
    ("grain", "full", "short"),
    [
        ("minute", "Sun 1 Nov 2026, 00:30", "1 Nov, 00:30"),
        ("hour", "Sun 1 Nov 2026, 00:30", "1 Nov, 00:30"),
        ("day", "Sun 1 Nov 2026", "1 Nov"),
        ("week", "Week of 1 Nov 2026", "1 Nov"),
        ("month", "November 2026", "Nov 2026"),
    ],
)
def test_buckets_are_named_on_the_clock_of_the_zone(grain: str, full: str, short: str) -> None:
    assert formats.when(MIDNIGHT, grain, "Europe/Berlin") == full
    assert formats.brief(MIDNIGHT, grain, "Europe/Berlin") == short


def test_dates_and_times_without_a_zone_stay() -> None:
    assert formats.when(SUNDAY, "day", "America/Los_Angeles") == "Sun 1 Nov 2026"
    assert formats.clock(datetime(2026, 11, 1, 9, 5), "Asia/Tokyo") == "09:05"


def test_moments_that_no_other_zone_can_hold_stay() -> None:
    assert formats.day(datetime.max.replace(tzinfo=UTC), "Asia/Tokyo") == "31 Dec"
    assert formats.day(datetime.min.replace(tzinfo=UTC), "America/New_York") == "1 Jan"


@pytest.mark.parametrize(("value", "text"), [(0, "0 hours"), (1, "1 hour"), (2, "2 hours"), (1234, "1,234 hours")])
def test_so_many_of_a_thing(value: int, text: str) -> None:
    assert formats.counted(value, "hour") == text


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("page_path", "Page path"),
        ("utm_source", "UTM source"),
        ("os", "OS"),
        ("views_before", "Views before"),
        ("", ""),
    ],
)
def test_names_of_columns_for_people(name: str, title: str) -> None:
    assert formats.titled(name) == title
