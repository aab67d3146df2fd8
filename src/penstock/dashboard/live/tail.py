"""The one thread that reads the stream's tail into the window, and tells those who listen that there is something new.

It reads on while nobody listens, slowly, so that whoever opens the page sees the last 30 minutes and not nothing; when
it starts it begins 30 minutes ago. A stream that cannot be read is tried again; the dashboard is there all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from time import monotonic

import msgspec
from structlog import get_logger

from ...bronze.deliver import CONSUMER
from ...clock import Clock, utc_now
from ...errors import Declined
from ...pipeline import Pipeline
from ...settings import Settings
from ...stream import Promise, Stream
from .ending import before_end
from .fact import Facts
from .window import MINUTES, Entry, Now, Window

LISTENERS = 100
_SOON_SECONDS, _SLOWLY_SECONDS = 0.25, 1.0
"""Between two looks at the stream while somebody listens, and while nobody does."""
_IDLE_TIMES = 9
"""To say what is in the window takes long if tens of thousands are online: then it is said less often."""
_LAG_SECONDS = 2.0
_AGAIN_SECONDS = 5.0
_PIECE_BYTES = 1 << 20
_FILL_RECORDS = 200_000
_FILL_MINUTES = (MINUTES, 10, 3, 1)
"""It begins that long ago; less long if more records came since than are read in a few seconds."""


class Lag(msgspec.Struct, frozen=True):
    """What the lake has not taken yet, and since when (seconds since 1970)."""

    records: int = 0
    oldest: float | None = None


class Seen(msgspec.Struct, frozen=True):
    """`reading`: whether the stream can be read at this moment."""

    now: Now = Now()
    lag: Lag = Lag()
    reading: bool = False


class TooMany(Exception):
    """As many listen as may."""


class Live:
    """`running` is the thread's life. Everything else may be called from the event loop at any time."""

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self.name = uuid.uuid4().hex[:8]
        """Of this window: in another process's, events have other numbers."""
        self.seen = Seen()
        self._settings = settings
        self._clock = clock
        self._window = Window(clock().timestamp())
        self._cursor: Mapping[str, int] | None = None
        self._lock = threading.Lock()
        self._again = threading.Event()
        self._closed = threading.Event()
        self._listeners: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Within the event loop of those who listen, once."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        try:
            with before_end(self.close):
                yield
        finally:
            self.close()
            self._thread.join()

    def close(self) -> None:
        """Those who listen are told, and find that it is closed."""
        self._closed.set()
        self._again.set()
        self._tell()

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()

    def feed(self, after: int = 0) -> list[Entry]:
        with self._lock:
            return self._window.feed(after)

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever there is something new. Raises TooMany."""
        if len(self._listeners) >= LISTENERS:
            raise TooMany
        heard = asyncio.Event()
        self._listeners.add(heard)
        self._again.set()
        try:
            yield heard
        finally:
            self._listeners.discard(heard)

    def _tell(self) -> None:
        for heard in self._listeners:
            heard.set()

    # the thread

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                with contextlib.closing(Pipeline(self._settings, self._clock)) as pipeline:
                    self._follow(pipeline.stream, Facts(pipeline.schema))
            except Declined as error:
                get_logger().warning("there is no live view", error=str(error), hint=error.hint)
                return
            except Exception as error:
                if self._closed.is_set():
                    return
                get_logger().warning("the live view cannot read the stream", error=str(error))
                self._publish(msgspec.structs.replace(self.seen, reading=False))
                self._closed.wait(_AGAIN_SECONDS)

    def _follow(self, stream: Stream, facts: Facts) -> None:
        if self._cursor is None:
            since, self._cursor = self._begin(stream)
            with self._lock:
                self._window = Window(since.timestamp())
        lag, next_lag = self.seen.lag, float("-inf")
        while not self._closed.is_set():
            self._again.clear()
            while self._read(stream, facts) and not self._closed.is_set():
                pass
            now = self._clock().timestamp()
            if now >= next_lag:
                lag, next_lag = _lag(stream), now + _LAG_SECONDS
            began = monotonic()
            with self._lock:
                seen = Seen(self._window.now(now), lag, True)
            took = monotonic() - began
            self._publish(seen)
            self._closed.wait(_IDLE_TIMES * took)
            self._again.wait(_SOON_SECONDS if self._listeners else _SLOWLY_SECONDS)

    def _begin(self, stream: Stream) -> tuple[datetime, Mapping[str, int]]:
        now, ends = self._clock(), stream.ends()
        # What is not counted may be much.
        for minutes in _FILL_MINUTES if Promise.COUNTS not in stream.declines else _FILL_MINUTES[-1:]:
            since = now - timedelta(minutes=minutes)
            cursor = stream.cursor(since)
            if sum(ends.values()) - sum(cursor.get(shard, 0) for shard in ends) <= _FILL_RECORDS:
                return since, cursor
        return now, ends

    def _read(self, stream: Stream, facts: Facts) -> bool:
        """A piece of what is new; False if there was nothing."""
        tail = stream.tail(self._cursor, _PIECE_BYTES)
        read = [facts.read(line) for line in tail.lines]
        now = self._clock().timestamp()
        with self._lock:
            for fact in sorted((fact for fact in read if fact), key=lambda fact: fact.at):
                self._window.add(fact, now)
            for _ in range(read.count(None)):
                self._window.add_malformed(now)
        self._cursor = tail.cursor
        return bool(tail.lines)

    def _publish(self, seen: Seen) -> None:
        if seen == self.seen:
            return
        self.seen = seen
        if self._loop is not None and self._listeners:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._tell)


def _lag(stream: Stream) -> Lag:
    lag = stream.lag(CONSUMER)
    return Lag(lag.records, lag.oldest.timestamp() if lag.oldest else None)
