"""Requests that wait at the same moment share one append, so one fsync serves them all."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from ..errors import Transient
from ..stream import Record, Stream
from ..telemetry import APPEND_SECONDS

_WAITING_BYTES = 64 << 20


class GroupCommit:
    """For one event loop. Memory is bounded: when too much waits already, `append` raises Transient at once."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._thread = ThreadPoolExecutor(1, "append")
        self._waiting: list[tuple[list[Record], asyncio.Future[None]]] = []
        self._waiting_bytes = 0
        self._running: asyncio.Task[None] | None = None
        self.healthy = True

    async def append(self, records: list[Record]) -> None:
        """Returns when `records` are durable; raises Transient when they are not, or may not be."""
        if self._waiting_bytes > _WAITING_BYTES:
            raise Transient("too many requests wait for the disk")
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append((records, done))
        self._waiting_bytes += sum(len(record.data) for record in records)
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
                self.healthy = False
                refusal = error if isinstance(error, Transient) else Transient(f"the append failed: {error!r}")
                for _, done in group:
                    if not done.done():
                        done.set_exception(refusal)
            else:
                self.healthy = True
                for _, done in group:
                    if not done.done():
                        done.set_result(None)
            APPEND_SECONDS.observe(perf_counter() - started)
        self._running = None

    def close(self) -> None:
        """Let a running append end."""
        self._thread.shutdown(wait=True)
