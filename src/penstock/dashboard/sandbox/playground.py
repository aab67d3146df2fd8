"""The SQL playground as pages hold it: a text in, rows or a download out, or one kind of error.

At most two queries run at once, each in a process of its own; two more wait; others are told to come again. When a
caller goes away (its task is cancelled, its iterator closed) the process of its query is killed.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Coroutine
from contextlib import ExitStack, aclosing, suppress
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Any

import pyarrow as pa

from ...errors import QueryError
from ...pipeline import Pipeline
from ...settings import Settings
from . import formats, frames
from .available import Available, available
from .formats import Format
from .gate import Gate
from .process import Job, Process
from .tables import NAMES, Snapshot, folders, snapshot

MOST_ROWS = 10_000
MOST_BYTES = 10 << 20
EXPORT_SECONDS = 600
"""A download may take so long in all; its first rows come within the deadline like any answer's."""
_STALLED_SECONDS = 5
"""So long after the end of its time, whoever still has not read an answer loses it."""
_AT_ONCE = 2
_WAITING = 2
_PATIENCE_SECONDS = 0.5
"""So long may it take to be among those who wait: whoever was cancelled a moment ago is still being cleared away."""
_REMEMBERED_BYTES = 64 << 20


@dataclass(frozen=True)
class Result:
    """`types` are DuckDB's. `truncated`: there are more rows, which only a download gives. `files` and `bytes` are
    those of the tables that the query names, of which DuckDB reads what it needs."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: pa.Table
    milliseconds: int
    truncated: bool
    files: int
    bytes: int

    def cells(self) -> list[list[Any]]:
        """The rows as lists of what JSON can hold: times as ISO text, numbers that are none or too long as text.

        Of many rows this takes a moment, so it is for a thread.
        """
        return formats.cells(self.rows)


class Playground:
    """Of one event loop. `close` it, or use it as `async with`. Raises QueryError, of a damaged lake LakeError."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pipeline = Pipeline(settings)
        self._gate = Gate(NAMES)
        self._looking = asyncio.Lock()
        self._running = asyncio.Semaphore(_AT_ONCE)
        self._asked = 0
        self._ending: set[asyncio.Task[None]] = set()
        self._next: asyncio.Task[Process] | None = None
        self._remembered: OrderedDict[str, Result] = OrderedDict()

    @cached_property
    def available(self) -> Available:
        return available(self._settings)

    async def run(self, sql: str, *, rows: int = MOST_ROWS) -> Result:
        """The first rows of the answer, at most so many, and 10 MB."""
        shown = await self._admitted(sql)
        seconds = self._settings.dashboard.sql_seconds
        job = Job(sql, shown.views, shown.paths, seconds, seconds, min(rows, MOST_ROWS), MOST_BYTES)
        columns: dict[str, Any] = {}
        done: dict[str, Any] = {}
        batches: list[pa.RecordBatch] = []
        async with aclosing(self.frames(job, shown.loaded)) as answer:
            async for kind, what in answer:
                if kind == frames.COLUMNS:
                    columns = what
                elif kind == frames.ROWS:
                    batches.append(what)
                else:
                    done = what
        table = pa.Table.from_batches(batches).rename_columns(columns["names"])
        names, types = tuple(columns["names"]), tuple(columns["types"])
        size = await asyncio.to_thread(lambda: shown.size_bytes)
        found = Result(names, types, table, done["milliseconds"], done["truncated"], len(shown.paths), size)
        self._remember(_key(sql, shown), found)
        return found

    async def export(self, sql: str, format: Format | str) -> AsyncGenerator[bytes]:
        """All rows, in pieces. What is wrong with the query is raised here, before the first piece.

        An answer that `run` gave whole a moment ago is not worked out again, unless the lake has changed.
        """
        pieces = self._export(sql, Format(format))
        await anext(pieces)  # from here on it is closed, also if nobody ever reads it
        return pieces

    async def _export(self, sql: str, format: Format) -> AsyncGenerator[bytes]:
        shown = await self._admitted(sql)
        known = self._remembered.get(_key(sql, shown))
        pieces = self._told(known) if known is not None else self._asked_for(sql, shown)
        async with aclosing(pieces):
            writer = formats.Writer(format, await anext(pieces))
            first = await anext(pieces)
            yield b""
            yield await asyncio.to_thread(writer.add, first)
            async for batch in pieces:
                yield await asyncio.to_thread(writer.add, batch)
            yield await asyncio.to_thread(writer.end)

    async def _told(self, known: Result) -> AsyncGenerator[Any]:
        yield known.columns
        for batch in known.rows.to_batches() or [frames.empty(known.rows.schema)]:
            yield batch

    async def _asked_for(self, sql: str, shown: Snapshot) -> AsyncGenerator[Any]:
        """The names of the columns, then batches; the first has no rows."""
        seconds = self._settings.dashboard.sql_seconds
        job = Job(sql, shown.views, shown.paths, seconds, max(seconds, EXPORT_SECONDS))
        async with aclosing(self.frames(job, shown.loaded)) as answer:
            async for kind, what in answer:
                if kind == frames.COLUMNS:
                    yield what["names"]
                elif kind == frames.ROWS:
                    yield what

    async def frames(self, job: Job, loaded: dict[str, pa.Table]) -> AsyncGenerator[tuple[bytes, Any]]:
        """The answer of a process of its own, when there is room for one."""
        with ExitStack() as room:
            await self._enter()
            room.callback(self._leave)
            process = await self._taken()
            try:
                await process.ready()
                loop, over = asyncio.get_running_loop(), job.total_seconds + _STALLED_SECONDS
                stalled = loop.call_later(over, _end, process, room)
                try:
                    async with aclosing(process.answer(job, loaded)) as answer:
                        async for frame in answer:
                            yield frame
                finally:
                    stalled.cancel()
            finally:
                process.kill()
                await asyncio.shield(self._later(process.close()))

    async def _enter(self) -> None:
        patience = time.monotonic() + _PATIENCE_SECONDS
        while self._asked >= _AT_ONCE + _WAITING:
            if time.monotonic() > patience:
                raise QueryError(429, "busy", "other queries are running; try again in a moment")
            await asyncio.sleep(0.05)
        self._asked += 1
        try:
            await self._running.acquire()
        except BaseException:
            self._asked -= 1
            raise

    def _leave(self) -> None:
        self._asked -= 1
        self._running.release()

    async def _admitted(self, sql: str) -> Snapshot:
        if not self.available.on:
            raise QueryError(403, "off", self.available.reason)
        wanted = await asyncio.to_thread(self._gate.check, sql)
        return await self.snapshot(wanted)

    async def snapshot(self, wanted: set[str]) -> Snapshot:
        async with self._looking:
            return await asyncio.to_thread(snapshot, self._pipeline, wanted)

    async def warm(self) -> None:
        """Have a process wait for the next query, which then begins at once."""
        if self._next is None:
            self._next = asyncio.create_task(self._started())

    async def _started(self) -> Process:
        readable = await asyncio.to_thread(folders, self._pipeline)
        return await Process.start(readable, strict=self.available.strict)

    async def _taken(self) -> Process:
        await self.warm()
        waiting, self._next = self._next, None
        assert waiting is not None
        try:
            process = await asyncio.shield(waiting)
        except OSError as error:
            raise QueryError(500, "query_failed", f"no process could be started for the query: {error}") from None
        except BaseException:
            self._later(_thrown_away(waiting))
            raise
        await self.warm()
        if not process.has_ended:
            return process
        await process.close()
        return await self._taken()

    def _later(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """It is done also if whoever asked for it is gone; `close` waits for it."""
        task = asyncio.create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return task

    def _remember(self, key: str, result: Result) -> None:
        self._remembered.pop(key, None)
        if result.truncated:
            return
        self._remembered[key] = result
        while sum(known.rows.nbytes for known in self._remembered.values()) > _REMEMBERED_BYTES:
            self._remembered.popitem(last=False)

    async def close(self) -> None:
        waiting, self._next = self._next, None
        if waiting is not None:
            self._later(_thrown_away(waiting))
        while self._ending:
            await asyncio.wait(self._ending)
        self._pipeline.close()

    async def __aenter__(self) -> Playground:
        if self.available.on:
            await self.warm()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _end(process: Process, room: ExitStack) -> None:
    """Of a download whose reader has stopped reading, when its time is over: nobody else would notice."""
    process.kill()
    room.close()


async def _thrown_away(starting: asyncio.Task[Process]) -> None:
    with suppress(Exception):
        await (await starting).close()


def _key(sql: str, shown: Snapshot) -> str:
    return hashlib.sha256(repr((sql, shown.version)).encode()).hexdigest()
