"""A plan → requests to a collector at the pace of the clock, until told to stop; after a 503 or a fall, again."""

from __future__ import annotations

import heapq
import http.client
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from queue import Queue
from urllib.parse import urlsplit

import msgspec

from ..clock import Clock, utc_now
from ..errors import PenstockError
from .batches import WINDOW_MS, Request, requests
from .plan import Plan, crowds

_BATCH = (5, 100)
_BATCHES_PER_SECOND = 20
_LONGEST_PAUSE_SECONDS = 60
_TIMEOUT_SECONDS = 30


@dataclass
class Sender:
    """Takes profile, seed and dirt from the plan; `rate` is events per second.

    `counts` has the events that were accepted, quarantined or refused, and the requests that were repeated.
    """

    url: str
    plan: Plan
    rate: float
    key: str | None = None
    connections: int = 4
    clock: Clock = utc_now
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise PenstockError(f"{self.url!r} is no address", hint="write for example http://127.0.0.1:8787")
        if self.key and not (self.key.isascii() and self.key.isprintable()):
            raise PenstockError("a write key is plain ASCII")
        self._connect: Callable[[], http.client.HTTPConnection] = lambda: (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
        self._path = parts.path.rstrip("/") + "/v1/events"
        self._lock = threading.Lock()
        self._queue: Queue[Request | None] = Queue(2 * self.connections)

    def run(self, stop: threading.Event, seconds: float | None = None) -> None:
        """Until `stop` is set, or for so long; then what was due is still sent, unless told to stop."""
        workers = [threading.Thread(target=self._work, args=(stop,), daemon=True) for _ in range(self.connections)]
        for worker in workers:
            worker.start()
        for request in self._paced(stop, seconds):
            self._queue.put(request)
        for _ in workers:
            self._queue.put(None)
        for worker in workers:
            worker.join()

    # what to send, and when

    def _paced(self, stop: threading.Event, seconds: float | None) -> Iterator[Request]:
        """Each request when it is due; those that were to come after the end at once."""
        start = begin = self._now()
        count = max(1, round(self.rate * WINDOW_MS / 1000))
        size = int(min(max(self.rate / _BATCHES_PER_SECOND, _BATCH[0]), _BATCH[1]))
        plan = replace(self.plan, events=count, every_ms=WINDOW_MS, start_ms=start, files=1000)
        visitors = crowds(plan)
        waiting: list[Request] = []
        while not stop.is_set() and (seconds is None or start < begin + seconds * 1000):
            for crowd in visitors:
                for request in requests(crowd, self.plan.dirt, start, size):
                    heapq.heappush(waiting, request)
            start = max(start + WINDOW_MS, self._now() - WINDOW_MS)
            while waiting and waiting[0].due_ms <= start and not stop.wait((waiting[0].due_ms - self._now()) / 1000):
                yield heapq.heappop(waiting)
        if not stop.is_set():
            yield from waiting

    def _now(self) -> int:
        return int(self.clock().timestamp() * 1000)

    # sending

    def _work(self, stop: threading.Event) -> None:
        connection = self._connect()
        while (request := self._queue.get()) is not None:
            while not stop.is_set() and (pause := self._try(connection, request)) is not None:
                self._count(repeated=1)
                stop.wait(pause)
        connection.close()

    def _try(self, connection: http.client.HTTPConnection, request: Request) -> float | None:
        """None when it is answered for good, else after how many seconds to try again."""
        headers = {"user-agent": request.agent, **({"x-write-key": self.key} if self.key else {})}
        try:
            connection.request("POST", self._path, request.body, headers)
            with connection.getresponse() as answer:
                body = answer.read()
                if answer.status in (429, 503):
                    return _pause(answer.headers.get("retry-after"))
        except (OSError, http.client.HTTPException):
            connection.close()
            return 1.0
        if answer.status == 200:
            quarantined = _quarantined(body)
            self._count(accepted=request.events - quarantined, quarantined=quarantined)
        else:
            self._count(refused=request.events)
        return None

    def _count(self, **amounts: int) -> None:
        with self._lock:
            self.counts.update(amounts)


def _pause(retry_after: str | None) -> float:
    return min(int(retry_after), _LONGEST_PAUSE_SECONDS) if retry_after and retry_after.isdigit() else 1.0


def _quarantined(body: bytes) -> int:
    """As our collector tells it; another's answer is taken for a plain yes."""
    try:
        return int(msgspec.json.decode(body)["quarantined"])
    except (ValueError, KeyError, TypeError):
        return 0
