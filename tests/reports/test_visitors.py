"""Visitors counted from days alone, against the count of distinct people that only the simulation knows."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from penstock.reports.visitors import Cell, Period, Visitors, retention, visitors

START = date(2026, 1, 5)
DAYS = 150
END = START + timedelta(days=DAYS - 1)
RANGES = 1000
ZONES = ("UTC", "America/New_York", "Pacific/Auckland")


class Session(NamedTuple):
    person: int
    day: date
    starts: datetime
    minutes: tuple[int, ...]


def simulate(chance: random.Random, zone: str, people: int = 200) -> Iterator[Session]:
    """People who come once, now and then, or daily, several times a day or over midnight."""
    midnight = datetime.combine(START, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
    for person in range(people):
        pause = chance.choice((0.1, 1, 3, 10, 40, 200))
        at = midnight + timedelta(days=chance.uniform(0, DAYS - 1))
        while (day := at.astimezone(ZoneInfo(zone)).date()) <= END:
            steps = chance.choices(
                range(1, 30), k=chance.choice((0, 0, 1, 4, 60) if person % 20 == 0 else (0, 0, 1, 4))
            )
            minutes = tuple(sum(steps[:count]) for count in range(len(steps) + 1))
            yield Session(person, day, at, minutes)
            at += timedelta(minutes=minutes[-1] + 31) + timedelta(days=chance.expovariate(1 / pause))


class Truth:
    """The sessions as events that a tracker would send, and the people behind them."""

    def __init__(self, seed: int, zone: str) -> None:
        chance = random.Random(seed)
        self.zone = zone
        self.people: dict[date, set[int]] = defaultdict(set)
        self.sessions: dict[date, int] = defaultdict(int)
        self.first: dict[int, date] = {}
        previous: dict[int, date] = {}
        rows: list[tuple[str, datetime, date, date | None]] = []
        for number, (person, day, starts, minutes) in enumerate(simulate(chance, zone)):
            self.people[day].add(person)
            self.sessions[day] += 1
            first = self.first.setdefault(person, day)
            rows += [(f"s{number}", starts + timedelta(minutes=m), first, previous.get(person)) for m in minutes]
            previous[person] = day
        chance.shuffle(rows)
        self._db = duckdb.connect()
        self._db.execute("set timezone = 'UTC'")
        names = ("session_id", "event_ts", "first_day", "prev_day")
        sent = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
        self._db.register("sent", sent)
        self._db.execute("create table events as select *, false as is_bot from sent")

    def ask(self, sql: str, parameters: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        return self._db.execute(sql, dict(parameters)).fetchall()

    def count(self, since: date, until: date) -> Visitors:
        days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
        came = set().union(*(self.people[day] for day in days))
        new = sum(since <= self.first[person] <= until for person in came)
        return Visitors(len(came), new, sum(self.sessions[day] for day in days), 0)

    def cells(self, since: date, start_of: Any) -> list[Cell]:
        came: dict[tuple[date, date], set[int]] = defaultdict(set)
        for day, people in self.people.items():
            for person in people:
                if day >= since and self.first[person] >= since:
                    came[start_of(self.first[person]), start_of(day)].add(person)
        return [Cell(*key, len(people)) for key, people in sorted(came.items())]


@pytest.fixture(scope="module", params=list(enumerate(ZONES)), ids=ZONES)
def truth(request: pytest.FixtureRequest) -> Truth:
    return Truth(*request.param)


@pytest.mark.heavy
def test_visitors_of_thousands_of_random_ranges(truth: Truth) -> None:
    chance = random.Random(7)
    wrong = []
    for _ in range(RANGES):
        since, until = sorted(START + timedelta(days=chance.randrange(DAYS)) for _ in range(2))
        counted, expected = visitors(truth.ask, since, until, zone=truth.zone), truth.count(since, until)
        if counted != expected or counted.returning != expected.visitors - expected.new:
            wrong.append((since, until, counted, expected))
    assert wrong == []


STARTS = {
    Period.day: lambda day: day,
    Period.week: lambda day: day - timedelta(days=day.weekday()),
    Period.month: lambda day: day.replace(day=1),
}


@pytest.mark.parametrize(("by", "since"), [("day", START), ("week", START), ("month", date(2026, 2, 1))])
def test_every_retention_cell(truth: Truth, by: str, since: date) -> None:
    cells = retention(truth.ask, since, END, by=Period(by), zone=truth.zone)
    assert cells == truth.cells(since, STARTS[Period(by)])
    assert len(cells) > 9


def test_single_days_add_up_to_more_than_their_range(truth: Truth) -> None:
    """The simulation has people who return; else counting sessions would pass for counting people."""
    days = [visitors(truth.ask, day, day, zone=truth.zone).visitors for day in truth.people]
    whole = visitors(truth.ask, START, END, zone=truth.zone)
    assert sum(days) > whole.visitors == whole.new == len(truth.first)
    assert whole.sessions > sum(days)


def asking(*rows: str) -> Any:
    db = duckdb.connect()
    db.execute("set timezone = 'UTC'")
    columns = "session_id, event_ts, first_day, prev_day, is_bot"
    text = ", ".join(f"({row})" for row in rows) or "(null, null, null, null, false)"
    db.execute(
        f"create table events as select session_id::varchar as session_id, event_ts::timestamptz as event_ts,"
        f" first_day::date as first_day, prev_day::date as prev_day, is_bot from (values {text}) as t({columns})"
    )
    return lambda sql, parameters: db.execute(sql, parameters).fetchall()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("'s', '2026-03-10 12:00Z', '2026-03-10', null, false", Visitors(1, 1, 1, 0)),
        ("'s', '2026-03-10 12:00Z', '2026-03-01', '2026-03-09', false", Visitors(1, 0, 1, 0)),
        ("'s', '2026-03-10 12:00Z', '2026-03-01', '2026-03-10', false", Visitors(0, 0, 1, 0)),
        ("'s', '2026-03-10 12:00Z', null, null, false", Visitors(0, 0, 1, 1)),
        ("'s', '2026-03-10 12:00Z', '2026-03-10', null, true", Visitors(0, 0, 0, 0)),
        ("null, '2026-03-10 12:00Z', '2026-03-10', null, false", Visitors(0, 0, 0, 0)),
        ("'s', '2026-03-11 00:00Z', '2026-03-11', null, false", Visitors(0, 0, 0, 0)),
        ("'s', '2026-03-09 23:59Z', '2026-03-09', null, false", Visitors(0, 0, 0, 0)),
    ],
)
def test_one_session_on_one_day(row: str, expected: Visitors) -> None:
    day = date(2026, 3, 10)
    assert visitors(asking(row), day, day) == expected


def test_nobody() -> None:
    day = date(2026, 3, 10)
    assert visitors(asking(), day, day) == Visitors(0, 0, 0, 0)
    assert retention(asking(), day, day) == []
