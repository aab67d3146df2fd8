"""Retention: which cohorts are shown, their numbers and means, users by where they came from first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from starlette.testclient import TestClient

import penstock
from dashboard.pages.by_hand import QUOTES, cohorts, lake_of
from dashboard.pages.test_overview import weight
from penstock.dashboard import state
from penstock.dashboard.charts.formats import count, percent
from penstock.dashboard.charts.heat import Cell, Cohort
from penstock.dashboard.pages import retention
from penstock.dashboard.state import Site, State
from penstock.errors import PenstockError
from penstock.settings import Settings
from site_in_hand import HOSTILE, NOW, Seen, visit

FIRST = date(2024, 3, 5)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def asked(query: str, first: date = FIRST, zone: str = "UTC") -> State:
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part)]
    return state.read("/retention", pairs, Site({}, zone, first, NOON), retention.PAGE.own)


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with visit(lake_of(tmp_path_factory.mktemp("cohorts"), list(cohorts()))) as client:
        yield client


def cells(client: TestClient, query: str = "") -> list[list[str]]:
    """The rows of the heat-map, of what is over."""
    answer = client.get(f"/retention?{query}")
    assert answer.status_code == 200, answer.text
    texts = Seen(answer.text).texts
    if "Cohort" not in texts:
        return []
    body = texts[texts.index("Cohort") : texts.index("Users whose first")]
    rows: list[list[str]] = [[]]
    for text in body:
        if text == "All" or (text[0].isdigit() and text.endswith((" Nov", " Oct", "2026"))):
            rows.append([])
        rows[-1].append(text)
    return rows


@pytest.mark.parametrize(
    ("query", "begins"),
    [
        ("", date(2026, 9, 28)),  # eight weeks, for four would be too few
        ("period=91d", date(2026, 8, 17)),  # the Monday before
        ("period=today", date(2026, 9, 28)),
        ("period=all", date(2026, 5, 25)),  # the last 26
        ("grain=day", date(2026, 10, 24)),
        ("grain=day&period=7d", date(2026, 11, 7)),
        ("grain=day&period=12mo", date(2026, 10, 24)),
        ("grain=month", date(2026, 6, 1)),
        ("grain=month&period=all", date(2024, 12, 1)),
        ("grain=hour", date(2026, 9, 28)),  # there is none by hour
        ("period=year", date(2026, 5, 25)),  # the year is not over
        ("from=2026-01-10&to=2026-01-12", date(2025, 11, 24)),
        ("from=2031-01-01&to=2031-01-12", date(2026, 9, 28)),
    ],
)
def test_whole_cohorts_and_enough_of_them(query: str, begins: date) -> None:
    assert retention.begins(asked(query)) == begins


def test_no_cohorts_from_before_the_first_event() -> None:
    assert retention.begins(asked("period=all", date(2026, 11, 4))) == date(2026, 11, 2)
    assert retention.begins(asked("grain=month", date(2026, 10, 30))) == date(2026, 10, 1)


def test_a_cohort_begins_at_midnight_of_the_zone() -> None:
    ask = retention.asks(asked("", zone="America/New_York"))["cohorts"]
    assert ask.asked["since"] == datetime(2026, 9, 28, 4, tzinfo=UTC)


def test_the_mean_is_of_what_is_over() -> None:
    found = [
        Cohort(FIRST, 100, [Cell(100), Cell(50), Cell(10)]),
        Cohort(FIRST, 300, [Cell(300), Cell(30), Cell(0, False)]),
        Cohort(FIRST, 0, [Cell(0), Cell(0, False)]),
    ]
    assert [retention.mean(found, nth) for nth in range(4)] == [1.0, 0.2, 0.1, None]


def test_cohorts_by_hand(by_hand: TestClient) -> None:
    assert cells(by_hand) == [
        ["Cohort", "Size", "W0", "W1", "W2"],
        ["2 Nov", "4", "100 %", "75 %", "not over"],
        ["9 Nov", "0", "–", "not over"],
        ["16 Nov", "0", "not over"],
        ["All", "4", "100 %", "75 %", "–"],
    ]


@pytest.mark.parametrize("people", ["visitors", "users"])
def test_counts(by_hand: TestClient, people: str) -> None:
    assert cells(by_hand, f"show=count&people={people}")[1] == ["2 Nov", "4", "4", "3", "not over"]


@pytest.mark.parametrize(
    ("first", "row"),
    [
        ("linkedin", ["2 Nov", "2", "100 %", "100 %", "not over"]),
        (QUOTES, ["2 Nov", "2", "100 %", "50 %", "not over"]),
    ],
)
def test_users_by_their_first_source(by_hand: TestClient, first: str, row: list[str]) -> None:
    """What came later says nothing about it."""
    shown = Seen(by_hand.get("/retention", params={"first": first}).text)
    assert not [each for each in shown.all("script") if not each.get("src")]
    texts = shown.texts
    assert texts[texts.index("2 Nov") :][: len(row)] == row
    assert first in [each.get("value") for each in shown.all("input")]
    assert cells(by_hand, "first=later") == []
    assert cells(by_hand, "first=(none)") == []


def test_visitors_have_no_first_source(settings: Settings) -> None:
    with penstock.open(settings.data) as lake:
        lake.pipeline.clock = lambda: NOW
        with pytest.raises(PenstockError, match="not known later"):
            lake.report("retention", since="2026-11-01", first="linkedin")


@pytest.mark.parametrize("query", ["", "grain=day", "people=users", "grain=month&people=users", "utm_medium=social"])
def test_numbers_are_those_of_the_report(client: TestClient, settings: Settings, query: str) -> None:
    told = dict(part.split("=", 1) for part in query.split("&") if part)
    where = [f"utm_medium={medium}"] if (medium := told.pop("utm_medium", "")) else []
    told.setdefault("grain", "week")
    begins = {"week": "2026-10-26", "day": "2026-11-07", "month": "2026-11-01"}[told["grain"]]
    with penstock.open(settings.data) as lake:
        lake.pipeline.clock = lambda: NOW
        rows = lake.report("retention", since=begins, until="2026-11-20", where=where, **told).rows()
    complete = [row for row in rows if row["complete"] and row["share"] is not None]
    shown = client.get(f"/retention?{query}&period=7d&show=count").text
    said = [each["title"] for each in Seen(shown).all("td") if "tabindex" in each]
    assert [f"{count(row['people'])} of {count(row['size'])} ({percent(row['share'], 0)})" in text
            for row, text in zip(complete, said, strict=True)] == [True] * len(complete)  # fmt: skip


def test_notes_say_what_is_exact(client: TestClient) -> None:
    told = " ".join(Seen(client.get("/retention?utm_source=x").text).texts)
    assert "Visitors are counted by the days" in told
    assert "With filters, a visitor is counted" in told
    assert "anonymous_id" in " ".join(Seen(client.get("/retention?people=users").text).texts)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_text(client: TestClient, value: str) -> None:
    for params in ({"first": value, "of": value}, {"people": value, "show": value, "utm_source": value}):
        shown = Seen(client.get("/retention", params=params).text)
        assert not shown.all("img")
        assert all(each.get("src") for each in shown.all("script"))
        assert not [name for _, each in shown.elements for name in each if name.startswith("on") or name == "style"]


def test_nobody(client: TestClient) -> None:
    shown = Seen(client.get("/retention?from=2026-11-01&to=2026-11-02&page_path=/nowhere").text)
    assert "Nothing matches these filters." in shown.texts


def test_the_widest_table_is_small_enough(client: TestClient) -> None:
    seen = Seen(client.get("/retention?grain=day&period=91d").text)
    files = [each["href"] for each in seen.all("link") if each["rel"] == "stylesheet"]
    files += [each["src"] for each in seen.all("script")]
    assert sum(weight(client, each) for each in ("/retention?grain=day&period=91d", *files)) <= 20 * 1024
