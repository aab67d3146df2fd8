"""Questions → answers, a few at a time, each asked once for what the lake shows; a failed one is an answer too.

An answer holds while the lake is as it was. When it has changed the question is asked again, and until then whoever
cannot wait has the answer of a moment ago.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from structlog import get_logger

from ..api import OpenLake
from ..clock import Clock, utc_now
from ..errors import PenstockError
from ..pipeline import Pipeline
from ..reports.run import Answer
from ..settings import Settings
from .lake import Version
from .turns import Turns

_KEPT = 500
_AT_ONCE = 2
"""DuckDB uses all cores for one question already; the second hides what it does on one."""
_THREADS = _AT_ONCE + 1
"""One for what is no report, and is not to wait behind them."""
_STALE = timedelta(minutes=3)
"""So far gold may be behind, and an answer that is shown while it is asked again. By day gold follows every now and
then, so while events come it never shows the newest."""
_FRESH = timedelta(seconds=15)
"""What is new for so long changes no answer, or while events come none would ever be known already."""
_RUNNING = timedelta(minutes=1)
"""An answer about a period that has not ended holds so long, as its end moves on also when nothing comes."""

T = TypeVar("T")


class Failed(NamedTuple):
    """Why there is no answer, for people."""

    message: str
    hint: str = ""


def failed(error: Exception) -> Failed:
    """Of an error that is not ours the first line says enough."""
    if isinstance(error, PenstockError):
        return Failed(str(error), error.hint)
    return Failed((str(error).splitlines() or [repr(error)])[0][:300])


class Ask(NamedTuple):
    """A report, and what it is asked beside period, zone and filters."""

    report: str
    asked: Mapping[str, Any] = {}


@dataclass
class _Held:
    """`task` answers for `version`; `before` is what was answered before that, while it is not done."""

    version: Version
    at: datetime
    task: asyncio.Task[Answer | Failed]
    before: tuple[datetime, Answer] | None = None

    def last(self) -> tuple[datetime, Answer] | None:
        found = self.task.result() if self.task.done() else None
        return (self.at, found) if isinstance(found, Answer) else self.before


class Answers:
    """Of one event loop; the work is done in threads. `close` when nobody asks any more."""

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lakes: SimpleQueue[OpenLake] = SimpleQueue()
        for _ in range(_THREADS):
            self._lakes.put(OpenLake(Pipeline(settings, clock)))
        self._turns = Turns(_AT_ONCE)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="answers")
        self._glance = ThreadPoolExecutor(1, thread_name_prefix="glance")
        self._glances = OpenLake(Pipeline(settings, clock))
        self._held: OrderedDict[Hashable, _Held] = OrderedDict()

    async def ask(self, version: Version, ask: Ask, *, urgent: bool = True, **asked: Any) -> Answer | Failed:
        """The same question is run once while its answer holds, also while it still runs; `urgent` goes first."""
        asked = {**asked, **ask.asked}
        key = _key(ask, asked)
        held = self._held.get(key)
        if held is None or not self._holds(held, version, asked.get("until")):
            task = asyncio.create_task(self._report(key, ask.report, asked, urgent))
            before = held.last() if held is not None and held.version.table == version.table else None
            held = self._held[key] = _Held(version, self._clock(), task, before)
            if len(self._held) > _KEPT:
                self._held.popitem(last=False)
        elif urgent:
            self._turns.hurry(key)
        self._held.move_to_end(key)
        found = await asyncio.shield(held.task)
        if isinstance(found, Failed) and self._held.get(key) is held:
            del self._held[key]
        return found

    def known(self, version: Version, ask: Ask, **asked: Any) -> Answer | None:
        """The last answer, if it is not old, though the lake may have changed since."""
        held = self._held.get(_key(ask, {**asked, **ask.asked}))
        last = held.last() if held is not None and held.version.table == version.table else None
        return last[1] if last is not None and self._clock() - last[0] <= _STALE else None

    def _holds(self, held: _Held, version: Version, until: Any) -> bool:
        if held.version.table != version.table:
            return False
        age = self._clock() - held.at
        if not held.task.done() or age < _FRESH:
            return True
        is_over = isinstance(until, datetime) and until <= held.at
        return held.version == version and (is_over or age < _RUNNING)

    async def _report(self, key: Hashable, name: str, asked: Mapping[str, Any], urgent: bool) -> Answer | Failed:
        await self._turns.enter(key, urgent=urgent)
        try:
            return await self.run(lambda lake: lake.report(name, stale=_STALE, **asked))
        except PenstockError as error:
            return failed(error)
        except Exception as error:  # whatever it is, it is this card's; the others are shown
            get_logger().warning("report failed", report=name, exc_info=error)
            return failed(error)
        finally:
            self._turns.leave()

    async def run(self, work: Callable[[OpenLake], T]) -> T:
        """Something else that needs an open lake, in one of the threads."""

        def with_lake() -> T:
            lake = self._lakes.get()
            try:
                return work(lake)
            finally:
                self._lakes.put(lake)

        return await asyncio.get_running_loop().run_in_executor(self._threads, with_lake)

    async def look(self, work: Callable[[OpenLake], T]) -> T:
        """Something quick, which does not wait behind questions."""
        return await asyncio.get_running_loop().run_in_executor(self._glance, work, self._glances)

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._glance.shutdown(wait=True, cancel_futures=True)
        self._glances.close()
        while not self._lakes.empty():
            self._lakes.get().close()


def _key(ask: Ask, asked: Mapping[str, Any]) -> Hashable:
    return ask.report, tuple(sorted((name, _plain(value)) for name, value in asked.items()))


def _plain(value: Any) -> Hashable:
    return tuple(value) if isinstance(value, list) else value
