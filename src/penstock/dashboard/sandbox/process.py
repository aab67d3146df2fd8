"""A process for one query, from the outside: started ahead, told its job, read, and killed when its time is over."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from ...errors import QueryError
from . import frames
from .position import place

GRACE_SECONDS = 1.0
"""At its deadline a query is interrupted, in its process; so much later the process is killed."""
_START_SECONDS = 60
_RUN = (
    "import sys; sys.path[:0] = sys.argv[1:]; sys.modules.update(numpy=None, pandas=None);"
    " from penstock.dashboard.sandbox.worker import main; main()"
)
"""Without two packages that are slow to import and not needed."""
_ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""So that no library starts a thread before the process is confined."""
_TABLE_ROWS = 65536
_TOLD_BYTES = 1 << 20


class Job(NamedTuple):
    """`seconds` until the first rows, `total_seconds` until the end; `rows` and `bytes` bound the answer, if given."""

    sql: str
    views: Sequence[tuple[str, str, str]]
    paths: Sequence[str]
    seconds: float
    total_seconds: float
    rows: int | None = None
    bytes: int | None = None


class Process:
    """Serves one query and ends. Whoever has it says `close` in the end, whatever happened."""

    def __init__(self, started: asyncio.subprocess.Process) -> None:
        self._started = started

    @classmethod
    async def start(cls, readable: Sequence[str], *, strict: bool) -> Process:
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-B", "-c", _RUN, *_packages(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env=_ENVIRONMENT, cwd="/", close_fds=True,
        )  # fmt: skip
        found = cls(started)
        with contextlib.suppress(ConnectionError):
            await found._send(frames.told(frames.PLACE, {"readable": list(readable), "strict": strict}))
        return found

    @property
    def pid(self) -> int:
        return self._started.pid

    @property
    def has_ended(self) -> bool:
        return self._started.returncode is not None

    async def ready(self) -> None:
        """Raises QueryError if it cannot be confined as it should."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                kind, payload = await self._frame()
        except (asyncio.IncompleteReadError, TimeoutError):
            kind, payload = frames.ERROR, b'"it ended"'
        if kind != frames.READY:
            why = json.loads(payload)
            raise QueryError(
                500, "not_confined", f"the process of the query could not be confined, so nothing was run: {why}",
                hint='`[dashboard] sql = "on"` does without what this system lacks, for yourself alone',
            )  # fmt: skip

    async def answer(self, job: Job, loaded: Mapping[str, pa.Table]) -> AsyncGenerator[tuple[bytes, Any]]:
        """Frames: COLUMNS with names and types, ROWS with a batch each, DONE. Raises QueryError instead of an ERROR."""
        began = time.monotonic()
        until = began + job.seconds
        try:
            async with asyncio.timeout(until + GRACE_SECONDS - time.monotonic()):
                with contextlib.suppress(ConnectionError):
                    await self._tell(job, loaded)
            while True:
                async with asyncio.timeout(until + GRACE_SECONDS - time.monotonic()):
                    kind, payload = await self._frame()
                if kind == frames.ERROR:
                    raise _error(job, json.loads(payload))
                if kind == frames.ROWS:
                    until = began + job.total_seconds
                yield kind, frames.batch(payload) if kind == frames.ROWS else json.loads(payload)
                if kind == frames.DONE:
                    return
        except TimeoutError:
            raise _timeout(job) from None
        except asyncio.IncompleteReadError:
            raise await self._died(job) from None
        except (pa.ArrowException, ValueError, KeyError) as error:
            raise QueryError(500, "query_failed", f"the answer could not be read: {error}") from None

    async def close(self) -> None:
        """It is gone afterwards."""
        self.kill()
        if self._started.stdin is not None:
            self._started.stdin.close()
        # What is still in the pipe is thrown away, or the pipe would not be seen to close.
        assert self._started.stdout is not None
        with contextlib.suppress(ConnectionError):
            while await self._started.stdout.read(1 << 20):
                pass
        await self._started.wait()

    def kill(self) -> None:
        if not self.has_ended:
            # Not by asyncio, whose `kill` may take the exit code away from its own watcher.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def _tell(self, job: Job, loaded: Mapping[str, pa.Table]) -> None:
        for name, table in loaded.items():
            parts = table.to_batches(max_chunksize=_TABLE_ROWS) or [frames.empty(table.schema)]
            for part in parts:
                await self._send(frames.packed(frames.TABLE, name.encode() + b"\n" + frames.stored(part)))
        await self._send(frames.told(frames.JOB, job._asdict()))

    async def _send(self, data: bytes) -> None:
        assert self._started.stdin is not None
        self._started.stdin.write(data)
        await self._started.stdin.drain()

    async def _frame(self) -> tuple[bytes, bytes]:
        assert self._started.stdout is not None
        kind, length = frames.HEAD.unpack(await self._started.stdout.readexactly(frames.HEAD.size))
        if length > (frames.MOST_BYTES if kind == frames.ROWS else _TOLD_BYTES):
            raise ValueError(f"{length} bytes in one piece")
        return kind, await self._started.stdout.readexactly(length)

    async def _died(self, job: Job) -> QueryError:
        code = await self._started.wait()
        if code == -signal.SIGXCPU:
            return _timeout(job)
        return QueryError(
            500, "query_failed", "the query ended its process, which most often means that it needed too much memory",
            hint="ask for less at once: a shorter time, fewer columns, no large lists",
        )  # fmt: skip


def _packages() -> list[str]:
    """Where the child finds Penstock and what it needs; it has no environment that could say so."""
    found = []
    for name in ("penstock", "duckdb", "_duckdb", "pyarrow"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            found.append(str(origin.parents[1] if origin.name.startswith("__init__.") else origin.parent))
    return list(dict.fromkeys(found))


def _timeout(job: Job) -> QueryError:
    return QueryError(
        408, "query_timeout", f"the query took longer than {job.seconds:g} seconds, and was stopped",
        hint="ask about a shorter time, or have the owner raise `[dashboard] sql_seconds`",
    )  # fmt: skip


def _error(job: Job, told: Mapping[str, Any]) -> QueryError:
    kind, message = str(told["kind"]), str(told["message"])
    if kind == "InterruptException" or "Interrupted!" in message:
        return _timeout(job)
    if kind in ("OutOfMemoryException", "MemoryError", "ArrowMemoryError") or "bad_alloc" in message:
        return QueryError(
            413, "query_memory", "the query needs more memory than it may have",
            hint="ask about a shorter time, fewer columns, or group more coarsely",
        )  # fmt: skip
    if kind == "OverflowError":
        return QueryError(413, "too_large", f"the answer is too large: {message}")
    if kind == "PermissionException":
        return QueryError(400, "not_allowed", message)
    line, column = place(job.sql, told.get("position"))
    return QueryError(400, "query_error", message, line=line, column=column)
