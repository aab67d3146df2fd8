from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from hand_clock import HandClock
from penstock.api import OpenLake
from penstock.dashboard.answers import Answers, Ask, Failed
from penstock.dashboard.lake import Version
from penstock.reports.run import Answer
from penstock.settings import Settings
from site_in_hand import NOW, START

OLD, NEW, MADE_ANEW = Version("table", 1), Version("table", 2), Version("another", 1)
RUNNING = {"since": START, "until": NOW + timedelta(hours=1)}
OVER = {"since": START, "until": START + timedelta(days=3)}
VIEWS = Ask("events", {"whole": True})


class Asked:
    """Answers over a real lake, whose clock is moved by hand, and how often the lake was asked."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = HandClock(NOW)
        self.times = 0
        self.answers: Answers
        self._settings = settings
        report = OpenLake.report

        def counted(lake: OpenLake, name: str, **asked: Any) -> Answer:
            self.times += 1
            return report(lake, name, **asked)

        monkeypatch.setattr(OpenLake, "report", counted)

    def run(self, work: Callable[[], Awaitable[None]]) -> None:
        async def opened() -> None:
            self.answers = Answers(self._settings, self.clock)
            try:
                await work()
            finally:
                self.answers.close()

        asyncio.run(asyncio.wait_for(opened(), 60))

    async def ask(self, version: Version = OLD, **told: datetime) -> Answer | Failed:
        return await self.answers.ask(version, VIEWS, **told)

    def later(self, seconds: float) -> None:
        self.clock.tick(seconds)


@pytest.fixture
def asked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(settings, monkeypatch)


@pytest.mark.parametrize(
    ("period", "version", "seconds", "times"),
    [
        (OVER, OLD, 100_000, 1),  # the lake is as it was, and the period is over
        (RUNNING, OLD, 59, 1),
        (RUNNING, OLD, 61, 2),  # its end has moved on
        (OVER, NEW, 14, 1),  # what is new for a moment changes nothing
        (OVER, NEW, 16, 2),
        (OVER, MADE_ANEW, 0, 2),
    ],
)
def test_how_long_an_answer_holds(
    asked: Asked, period: dict[str, datetime], version: Version, seconds: float, times: int
) -> None:
    async def work() -> None:
        first = await asked.ask(**period)
        asked.later(seconds)
        second = await asked.ask(version, **period)
        assert isinstance(first, Answer) and isinstance(second, Answer)
        assert first.rows() == second.rows() != []

    asked.run(work)
    assert asked.times == times


def test_what_is_asked_at_once_is_asked_once(asked: Asked) -> None:
    async def work() -> None:
        await asyncio.gather(*(asked.ask(**OVER) for _ in range(5)))

    asked.run(work)
    assert asked.times == 1


def test_the_last_answer_is_known_while_it_is_asked_again(asked: Asked) -> None:
    async def work() -> None:
        known = asked.answers.known
        assert known(OLD, VIEWS, **OVER) is None
        first = await asked.ask(**OVER)
        asked.later(16)
        again = asyncio.ensure_future(asked.ask(NEW, **OVER))
        await asyncio.sleep(0)
        assert not again.done()
        assert known(NEW, VIEWS, **OVER) is first
        assert known(MADE_ANEW, VIEWS, **OVER) is None
        assert known(NEW, VIEWS, **RUNNING) is None
        assert known(NEW, VIEWS, **OVER) is not await again
        assert known(NEW, VIEWS, **OVER) is await again

    asked.run(work)


def test_an_old_answer_is_not_known(asked: Asked) -> None:
    async def work() -> None:
        await asked.ask(**OVER)
        asked.later(181)
        assert asked.answers.known(NEW, VIEWS, **OVER) is None

    asked.run(work)


def test_what_failed_is_asked_again(asked: Asked) -> None:
    async def work() -> None:
        for _ in range(2):
            failed = await asked.answers.ask(OLD, Ask("events", {"by": "no_such_column"}), **OVER)
            assert isinstance(failed, Failed)
            assert "no_such_column" in failed.message

    asked.run(work)
    assert asked.times == 2
