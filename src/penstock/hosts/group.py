"""Requests that wait at the same moment share one append, so one fsync serves them all."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import structlog

from ..errors import Transient
from ..stream import Record, Stream
from ..telemetry import APPEND_SECONDS

_WAITING_BYTES = 64 << 20
_RECORD_BYTES = 256
"""About what a record takes beside its data."""
_DOUBT_SECONDS = 10.0


class GroupCommit:
    """For one event loop. Memory is bounded: when too much waits already, `append` raises Transient at once."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._thread = ThreadPoolExecutor(1, "append")
        self._waiting: list[tuple[list[Record], asyncio.Future[None]]] = []
        self._waiting_bytes = 0
        self._running: asyncio.Task[None] | None = None
        self._failed_at: float | None = None

    @property
    def healthy(self) -> bool:
        """Whether appends work, as far as is known. A failure is believed for a while only: a load balancer that sends
        nothing more would never let us find out that the disk is well again."""
        return self._failed_at is None or perf_counter() - self._failed_at > _DOUBT_SECONDS

    async def append(self, records: list[Record]) -> None:
        """Returns when `records` are durable; raises Transient when they are not, or may not be."""
        if self._waiting_bytes > _WAITING_BYTES:
            raise Transient("too many requests wait for the disk")
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append((records, done))
        self._waiting_bytes += sum(len(record.data) + _RECORD_BYTES for record in records)
        if self._running is None:
            self._running = loop.create_task(self._run(loop))
        await done

    async def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            group, self._waiting, self._waiting_bytes = self._waiting, [], 0
            records = [record for some, _ in group for record in some]
            started = perf_counter()
            try:
                await loop.run_in_executor(self._thread, self._stream.append, records)
            except Exception as error:
                refusal = error if isinstance(error, Transient) else Transient(f"the append failed: {error!r}")
                for _, done in group:
                    if not done.done():
                        done.set_exception(refusal)
                self._failed(refusal)
            else:
                for _, done in group:
                    if not done.done():
                        done.set_result(None)
                self._worked()
            APPEND_SECONDS.observe(perf_counter() - started)
        self._running = None

    # One log line when the trouble starts and one when it ends: the log may be on the same full disk.

    def _failed(self, error: Transient) -> None:
        if self._failed_at is None:
            structlog.get_logger().error("events are not stored", error=str(error), hint=error.hint)
        self._failed_at = perf_counter()

    def _worked(self) -> None:
        if self._failed_at is not None:
            structlog.get_logger().info("events are stored again")
        self._failed_at = None

    def close(self) -> None:
        """Let a running append end."""
        self._thread.shutdown(wait=True)
