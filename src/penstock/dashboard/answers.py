"""Questions → answers, a few at a time, each asked once for what the lake shows now; a failed one is an answer too."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from structlog import get_logger

from ..api import OpenLake
from ..clock import Clock, utc_now
from ..errors import PenstockError
from ..pipeline import Pipeline
from ..reports.run import Answer
from ..settings import Settings

_KEPT = 500
_AT_ONCE = 2
"""DuckDB uses all cores for one question already; the second hides what it does on one."""
_STALE = timedelta(minutes=3)
"""So far gold may be behind. By day it follows every now and then, so while events come it never shows the newest."""

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


class Answers:
    """Of one event loop; the work is done in threads. `close` when nobody asks any more."""

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self._lakes: SimpleQueue[OpenLake] = SimpleQueue()
        for _ in range(_AT_ONCE):
            self._lakes.put(OpenLake(Pipeline(settings, clock), makes_gold=False))
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="answers")
        self._glance = ThreadPoolExecutor(1, thread_name_prefix="glance")
        self._glances = OpenLake(Pipeline(settings, clock), makes_gold=False)
        self._kept: OrderedDict[Hashable, asyncio.Task[Answer | Failed]] = OrderedDict()

    async def ask(self, version: Hashable, ask: Ask, **asked: Any) -> Answer | Failed:
        """The same question about the same `version` of the lake is run once, also while it still runs."""
        asked = {**asked, **ask.asked}
        key = (version, ask.report, tuple(sorted((name, _plain(value)) for name, value in asked.items())))
        task = self._kept.get(key)
        if task is None:
            task = self._kept[key] = asyncio.create_task(self._report(ask.report, asked))
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        found = await asyncio.shield(task)
        if isinstance(found, Failed):
            self._kept.pop(key, None)
        return found

    async def _report(self, name: str, asked: Mapping[str, Any]) -> Answer | Failed:
        try:
            return await self.run(lambda lake: lake.report(name, stale=_STALE, **asked))
        except PenstockError as error:
            return failed(error)
        except Exception as error:  # whatever it is, it is this card's; the others are shown
            get_logger().warning("report failed", report=name, exc_info=error)
            return failed(error)

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


def _plain(value: Any) -> Hashable:
    return tuple(value) if isinstance(value, list) else value
