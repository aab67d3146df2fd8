"""Visitors counted from days alone, against the count of distinct people that only the simulation knows."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from .rows_in_hand import RowsInHand

START = date(2026, 1, 5)
DAYS = 150
END = START + timedelta(days=DAYS - 1)
RANGES = 100
ZONES = ("UTC", "America/New_York", "Pacific/Auckland")
NOBODY = {"sessions": 0, "visitors": 0, "new": 0, "returning": 0, "users": 0, "unidentified": 0}


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
        rows: list[dict[str, Any]] = []
        for number, (person, day, starts, minutes) in enumerate(simulate(chance, zone)):
            self.people[day].add(person)
            self.sessions[day] += 1
            first = self.first.setdefault(person, day)
            days = {"first_day": first, "prev_day": previous.get(person)}
            rows += [
                {
                    "session_id": f"s{number}",
                    "event_id": f"{number} {m}",
                    "event_ts": starts + timedelta(minutes=m),
                    **days,
                }
                for m in minutes
            ]
            previous[person] = day
        chance.shuffle(rows)
        self._silver = RowsInHand(rows)

    def visitors(self, since: date, until: date) -> dict[str, Any]:
        return one_row(self._silver, since, until, zone=self.zone)

    def visitors_over_time(self, grain: str) -> dict[date, int]:
        answer = self._silver.ask(
            "visitors_over_time",
            since=START,
            until=END,
            zone=self.zone,
            grain=grain,
            now=datetime(2027, 1, 1, tzinfo=UTC),
        )
        return {row["bucket"]: row["visitors"] for row in answer.rows()}

    def retention(self, grain: str, since: date) -> dict[tuple[date, date], int]:
        answer = self._silver.ask(
            "retention", since=since, until=END, zone=self.zone, grain=grain, now=datetime(2027, 1, 1, tzinfo=UTC)
        )
        return {(row["cohort"], row["period"]): row["people"] for row in answer.rows() if row["people"]}

    def cells(self, since: date, start_of: Callable[[date], date]) -> dict[tuple[date, date], int]:
        came: dict[tuple[date, date], set[int]] = defaultdict(set)
        for day, people in self.people.items():
            for person in people:
                if day >= since and self.first[person] >= since:
                    came[start_of(self.first[person]), start_of(day)].add(person)
        return {cell: len(people) for cell, people in came.items()}

    def count(self, since: date, until: date) -> dict[str, Any]:
        days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
        came = set[int]().union(*(self.people[day] for day in days))
        new = sum(since <= self.first[person] <= until for person in came)
        return {
            "sessions": sum(self.sessions[day] for day in days),
            "visitors": len(came),
            "new": new,
            "returning": len(came) - new,
            "users": 0,
            "unidentified": 0,
        }


def one_row(silver: RowsInHand, since: date, until: date, **asked: Any) -> dict[str, Any]:
    [row] = silver.ask("visitors", since=since, until=until, **asked).rows()
    return row


@pytest.fixture(scope="module", params=list(enumerate(ZONES)), ids=ZONES)
def truth(request: pytest.FixtureRequest) -> Truth:
    return Truth(*request.param)


@pytest.mark.heavy
def test_visitors_of_many_random_ranges(truth: Truth) -> None:
    chance = random.Random(7)
    for _ in range(RANGES):
        since, until = sorted(START + timedelta(days=chance.randrange(DAYS)) for _ in range(2))
        assert truth.visitors(since, until) == truth.count(since, until)


STARTS: dict[str, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}


@pytest.mark.parametrize("grain", STARTS)
def test_visitors_over_time(truth: Truth, grain: str) -> None:
    came: dict[date, set[int]] = defaultdict(set)
    for day, people in truth.people.items():
        came[STARTS[grain](day)] |= people
    found = {bucket: visitors for bucket, visitors in truth.visitors_over_time(grain).items() if visitors}
    assert found == {bucket: len(people) for bucket, people in came.items() if people}


@pytest.mark.parametrize(("grain", "since"), [("day", START), ("week", START), ("month", date(2026, 2, 1))])
def test_every_retention_cell(truth: Truth, grain: str, since: date) -> None:
    cells = truth.retention(grain, since)
    assert cells == truth.cells(since, STARTS[grain])
    assert len(cells) > 9


def test_single_days_add_up_to_more_than_their_range(truth: Truth) -> None:
    """The simulation has people who return; else counting sessions would pass for counting people."""
    days = truth.visitors_over_time("day").values()
    whole = truth.visitors(START, END)
    assert sum(days) > whole["visitors"] == whole["new"] == len(truth.first)
    assert whole["sessions"] > sum(days)


def event(at: str, first: str | None, previous: str | None = None, **more: Any) -> dict[str, Any]:
    days = [None if day is None else date.fromisoformat(day) for day in (first, previous)]
    return {
        "session_id": "s", "event_id": "e", "event_ts": datetime.fromisoformat(at),
        "first_day": days[0], "prev_day": days[1], **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (event("2026-03-10T12:00Z", "2026-03-10"), {"sessions": 1, "visitors": 1, "new": 1}),
        (event("2026-03-10T12:00Z", "2026-03-01", "2026-03-09"), {"sessions": 1, "visitors": 1, "returning": 1}),
        (event("2026-03-10T12:00Z", "2026-03-01", "2026-03-10"), {"sessions": 1}),
        (event("2026-03-10T12:00Z", None), {"sessions": 1, "unidentified": 1}),
        (event("2026-03-10T12:00Z", None, user_id="u"), {"sessions": 1, "visitors": 1, "users": 1}),
        (event("2026-03-10T12:00Z", "2026-03-10", is_bot=True), {}),
        (event("2026-03-10T12:00Z", "2026-03-10", session_id=None), {}),
        (event("2026-03-11T00:00Z", "2026-03-11"), {}),
        (event("2026-03-09T23:59Z", "2026-03-09"), {}),
    ],
)
def test_one_session_on_one_day(row: dict[str, Any], expected: dict[str, int]) -> None:
    day = date(2026, 3, 10)
    assert one_row(RowsInHand([row]), day, day) == {**NOBODY, **expected}


def test_nobody() -> None:
    day = date(2026, 3, 10)
    assert one_row(RowsInHand(), day, day) == NOBODY


@pytest.mark.parametrize("asked", [{"where": "page_path=/"}, {"since": datetime(2026, 3, 10, 6, tzinfo=UTC)}])
def test_what_does_not_add_up_is_not_told(asked: dict[str, Any]) -> None:
    silver = RowsInHand([event("2026-03-10T12:00Z", "2026-03-01", "2026-03-09", page_path="/")])
    answer = silver.ask("visitors", **{"since": date(2026, 3, 10), "until": date(2026, 3, 10), **asked})
    assert answer.rows() == [{**NOBODY, "sessions": 1, "visitors": None, "new": None, "returning": None}]
    assert any("sessions are counted instead" in note for note in answer.notes)
