"""Saved queries that are cards of the overview: asked one after the other, each at most once a minute."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from ..errors import PenstockError
from ..setting_sections import DashboardSettings
from .answers import Failed, failed
from .pages.sql import Grid, grid
from .sandbox.playground import Playground
from .saved import Saved, SavedQuery

_MOST = 6
_ROWS = 8
_FRESH_SECONDS = 60

Task = asyncio.Task[tuple[float, Grid | Failed]]
"""When it was answered, and what came of it."""


class Card(NamedTuple):
    """Neither `grid` nor `failed`: it is still being asked."""

    query: SavedQuery
    grid: Grid | None = None
    failed: Failed | None = None


class Pinned:
    """`close` when nobody asks any more."""

    def __init__(self, playground: Playground, saved: Saved, settings: DashboardSettings) -> None:
        self._playground = playground
        self._saved = saved
        self._settings = settings
        self._one = asyncio.Semaphore(1)
        self._asked: dict[str, Task] = {}

    async def cards(self) -> list[Card]:
        queries = await run_in_threadpool(self._pinned)
        wanted = {query.sql for query in queries}
        for sql in self._asked.keys() - wanted:
            self._asked.pop(sql).cancel()
        tasks = {query.id: self._task(query.sql) for query in queries}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=self._settings.patience_seconds)
        return [_card(query, tasks[query.id]) for query in queries]

    def _pinned(self) -> list[SavedQuery]:
        try:
            return [query for query in self._saved.all(SavedQuery) if query.pinned][:_MOST]
        except PenstockError:
            return []

    def _task(self, sql: str) -> Task:
        known = self._asked.get(sql)
        if known is None or _is_over(known):
            known = self._asked[sql] = asyncio.create_task(self._answer(sql))
        return known

    async def _answer(self, sql: str) -> tuple[float, Grid | Failed]:
        """Whatever goes wrong is of this card alone."""
        found: Grid | Failed
        try:
            async with self._one:
                result = await self._playground.run(sql)
            found = await asyncio.to_thread(grid, result, zone=self._settings.zone, most=_ROWS)
        except Exception as error:
            found = failed(error)
        return time.monotonic(), found

    async def close(self) -> None:
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)


def _is_over(task: Task) -> bool:
    return task.done() and (task.cancelled() or time.monotonic() - task.result()[0] > _FRESH_SECONDS)


def _card(query: SavedQuery, task: Task) -> Card:
    if not task.done() or task.cancelled():
        return Card(query)
    _, found = task.result()
    return Card(query, failed=found) if isinstance(found, Failed) else Card(query, found)
