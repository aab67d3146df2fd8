"""An address says all of what is shown, and what it says badly is told and left out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penstock.dashboard.state import Site, State, read
from penstock.reports.filters import Filter, Op
from penstock.reports.period import Compare, Grain
from penstock.silver.columns import EVENTS

COLUMNS = {column.name: column.type for column in EVENTS}
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NEWS = (Filter("utm_source", Op.equal, "newsletter"),)
SITE = Site(COLUMNS, "Europe/Berlin", date(2026, 3, 1), NOW, {"readers": NEWS})


def state(query: str, own: tuple[str, ...] = ("metric", "step")) -> State:
    return read("/", parse_qsl(query, keep_blank_values=True), SITE, own)


def again(found: State, link: str) -> State:
    return read(urlsplit(link).path, parse_qsl(urlsplit(link).query, keep_blank_values=True), SITE, ("metric", "step"))


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("utm_source=linkedin", [("utm_source", "=", "linkedin")]),
        ("utm_source=", [("utm_source", "=", "")]),
        ("page_path!=/about", [("page_path", "!=", "/about")]),
        ("page_path*=/guides/", [("page_path", "*=", "/guides/")]),
        ("page_path~=^/b.*g$", [("page_path", "~", "^/b.*g$")]),
        ("properties.plan=pro&device=mobile", [("properties.plan", "=", "pro"), ("device", "=", "mobile")]),
        ("device=mobile&device=mobile", [("device", "=", "mobile")]),
        ("filter=page_path&is=*%3D&value=x", [("page_path", "*=", "x")]),
        ("filter=device&value=", [("device", "=", "")]),
    ],
)
def test_filters(query: str, filters: list[tuple[str, str, str]]) -> None:
    found = state(query)
    assert [tuple(map(str, one)) for one in found.filters] == filters
    assert found.notices == ()
    assert again(found, found.link()).filters == found.filters


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("nothing=1", "nothing"),
        ("utm_source~=[", "regular expression"),
        ("screen_width=wide", "screen_width"),
        ("period=fortnight", "fortnight"),
        ("period=custom", "period"),
        ("period=custom&from=2026-02-30", "2026-02-30"),
        ("period=custom&from=9999-01-01&to=0001-01-01", "28 days"),
        ("from=2026-01-01' or 1=1", "28 days"),
        ("compare=everything", "everything"),
        ("grain=second", "second"),
        ("segment=writers", "writers"),
        (f"page_path={'x' * 5000}", "too long"),
        ('"; drop table events; --=1', "drop"),
    ],
)
def test_what_is_not_understood_is_told_and_left_out(query: str, told: str) -> None:
    found = state(query)
    assert len(found.notices) == 1
    assert told in found.notices[0]
    assert found.filters == ()
    assert (found.period.days[1] - found.period.days[0]).days == 27


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("", ("2026-10-24", "2026-11-20")),
        ("period=today", ("2026-11-20", "2026-11-20")),
        ("period=yesterday", ("2026-11-19", "2026-11-19")),
        ("period=7d", ("2026-11-14", "2026-11-20")),
        ("period=month", ("2026-11-01", "2026-11-30")),
        ("period=last_month", ("2026-10-01", "2026-10-31")),
        ("period=year", ("2026-01-01", "2026-12-31")),
        ("period=12mo", ("2025-12-01", "2026-11-30")),
        ("period=all", ("2026-03-01", "2026-11-20")),
        ("period=custom&from=2026-05-01&to=2026-05-03", ("2026-05-01", "2026-05-03")),
        ("from=2026-05-01&to=2026-05-03", ("2026-05-01", "2026-05-03")),
    ],
)
def test_periods(query: str, days: tuple[str, str]) -> None:
    found = state(query)
    assert found.notices == ()
    assert tuple(map(str, found.period.days)) == days
    assert again(found, found.link()).period == found.period


@pytest.mark.parametrize(
    ("query", "before", "after"),
    [
        ("period=7d", ("2026-11-07", "2026-11-13"), None),
        ("period=last_month", ("2026-09-01", "2026-09-30"), ("2026-11-01", "2026-11-30")),
        ("from=2026-05-01&to=2026-05-03", ("2026-04-28", "2026-04-30"), ("2026-05-04", "2026-05-06")),
        ("from=2026-02-01&to=2026-02-28", ("2026-01-01", "2026-01-31"), ("2026-03-01", "2026-03-31")),
    ],
)
def test_arrows(query: str, before: tuple[str, str], after: tuple[str, str] | None) -> None:
    found = state(query)
    for later, days in ((False, before), (True, after)):
        link = found.step(later=later)
        assert (link and tuple(map(str, again(found, link).period.days))) == days


@pytest.mark.parametrize(
    ("query", "grain"),
    [("period=today", "hour"), ("period=7d", "day"), ("period=91d", "day"), ("period=12mo", "week"),
     ("from=2020-01-01&to=2026-01-01", "month"), ("period=7d&grain=hour", "hour")],
)  # fmt: skip
def test_buckets(query: str, grain: str) -> None:
    assert state(query).buckets == Grain(grain)


def test_a_link_keeps_what_it_does_not_change() -> None:
    found = state("period=7d&compare=weekday&device=mobile&metric=views&segment=readers")
    assert found.link() == "/?period=7d&compare=weekday&segment=readers&device=mobile&metric=views"
    assert again(found, found.link(metric="sessions")) == again(found, found.link().replace("views", "sessions"))
    assert again(found, found.link(compare=None)).compare is None
    assert found.link("/funnels") == "/funnels?period=7d&compare=weekday&segment=readers&device=mobile"
    assert found.cleared() == "/?period=7d&compare=weekday&metric=views"
    assert found.where == ("utm_source=newsletter", "device=mobile")
    assert found.compare is Compare.weekday


def test_a_filter_that_is_there_already_is_taken_away() -> None:
    found = state("device=mobile&os=iOS")
    assert found.filtered("device", "mobile") == "/?os=iOS"
    assert found.without(found.filters[0]) == "/?os=iOS"


def test_filters_commute() -> None:
    parts = ["device=mobile", "os!=iOS", "utm_source=a", "utm_source=b"]
    wanted = frozenset(state("&".join(parts)).filters)
    assert {frozenset(state("&".join(order)).filters) for order in permutations(parts)} == {wanted}


def test_a_shared_page_links_only_to_itself() -> None:
    found = read("/", [("device", "mobile")], SITE, share="/share/abc")
    assert found.cleared() == found.link("/funnels", period="7d") == "/share/abc"
    assert found.link("/export/overview/pages.csv") == "/share/abc/export/overview/pages.csv"


@given(some.lists(some.tuples(some.text(max_size=30), some.text(max_size=30)), max_size=8))
def test_any_address_gives_a_page_and_its_link_gives_the_same(pairs: list[tuple[str, str]]) -> None:
    found = read("/", pairs, SITE, ("metric", "step"))
    there = again(found, found.link())
    assert (there.filters, there.period, there.compare) == (found.filters, found.period, found.compare)
    assert there.notices == ()
