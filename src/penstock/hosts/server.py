"""The collector as a server: Granian's requests → the collector → the stream → the reply. `python -m` runs it."""

from __future__ import annotations

import asyncio
import os
import resource
from typing import Any, Protocol

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]

from .. import __version__
from ..collect import REFUSALS, Reply, Request
from ..collect.app import unavailable
from ..errors import Transient
from ..event import BODY_BYTES
from ..pipeline import Pipeline
from ..telemetry import EVENTS, REFUSED, REQUESTS, exposition, log_to_stderr
from .group import GroupCommit
from .process import end_with_parent, handed_down

_NO_STORE = ("cache-control", "no-store")
_CONNECTIONS = 4096
"""At once, per process. Each may hold a header and a small body; a sender that is idle is let go after a while."""
_SPARE_FILES = 256
_HEADER_BYTES = 128 << 10
_SMALL_BODY_BYTES = 64 << 10
_HELD_BYTES = 64 << 20
_TEXT = ("content-type", "text/plain; version=0.0.4; charset=utf-8")


class _Protocol(Protocol):
    """The part of Granian's RSGI that we use."""

    async def __call__(self) -> bytes: ...
    def __aiter__(self) -> Any: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class Server:
    """One server process: a collector, a stream file of its own, a group commit."""

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        log_to_stderr()
        end_with_parent()
        _prepare_metrics()
        settings = handed_down()
        self._receive_seconds = settings.collect.receive_seconds
        self._bodies = _Bodies()
        self._pipeline = Pipeline(settings)
        self._collector = self._pipeline.collector
        self._group = GroupCommit(self._pipeline.stream)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._group.close()
        self._pipeline.close()

    async def __rsgi__(self, scope: Any, protocol: _Protocol) -> None:
        if scope.path in _OWN_PAGES:
            reply = _OWN_PAGES[scope.path](self, scope)
        else:
            try:
                reply = await self._collect(scope, protocol)
            except ProtocolClosed:  # the sender went away: nothing was taken, and nobody is there to be told
                reply = Reply(400, [], b"")
        REQUESTS.labels(str(reply.status)).inc()
        protocol.response_bytes(reply.status, reply.headers, reply.body)

    async def _collect(self, scope: Any, protocol: _Protocol) -> Reply:
        try:
            async with asyncio.timeout(self._receive_seconds):
                body = await self._bodies.read(scope, protocol)
        except (TimeoutError, Transient):
            # Too slow is answered like too much: some SDKs drop what gets a 408, all send again what gets a 503.
            return unavailable(_request(scope, b""))
        request = _request(scope, body)
        intake = self._collector.receive(request)
        if intake.refused:
            REFUSED.labels(intake.refused).inc()
        if not intake.records:
            return intake.reply
        try:
            await self._group.append(intake.records)
        except Transient:
            return unavailable(request)
        EVENTS.labels("accepted").inc(len(intake.records) - intake.quarantined)
        if intake.quarantined:
            EVENTS.labels("quarantined").inc(intake.quarantined)
        return intake.reply

    def health(self, scope: Any) -> Reply:
        """200 while the last append worked; load balancers ask this."""
        state = b"ok" if self._group.healthy else b"cannot store events"
        body = b'{"status":"' + state + b'","version":"' + __version__.encode() + b'"}'
        return Reply(200 if self._group.healthy else 503, [("content-type", "application/json"), _NO_STORE], body)

    def metrics(self, scope: Any) -> Reply:
        """Prometheus' text, for this machine only."""
        if not scope.client.startswith(("127.", "[::1]", "::1")) or "x-forwarded-for" in scope.headers:
            return Reply(404, [], b"")
        return Reply(200, [_TEXT, _NO_STORE], exposition(os.environ.get("PROMETHEUS_MULTIPROC_DIR")))


_OWN_PAGES = {"/health": Server.health, "/metrics": Server.metrics}


def _request(scope: Any, body: bytes) -> Request:
    return Request(scope.method, scope.path, scope.query_string, scope.headers, body)


class _Bodies:
    """Reads bodies. What all of them hold at one moment is bounded, however many come and however slowly."""

    def __init__(self) -> None:
        self._held_bytes = 0

    async def read(self, scope: Any, protocol: _Protocol) -> bytes:
        """The body, but never much more than may be accepted: what is over the limit is cut and so refused.

        Raises Transient if too much is being read already, ProtocolClosed if the sender went away.
        """
        length = scope.headers.get("content-length")
        if length is not None and int(length) <= _SMALL_BODY_BYTES:
            return await protocol()
        chunks: list[bytes] = []
        size = 0
        try:
            async for chunk in protocol:
                chunks.append(chunk)
                size += len(chunk)
                self._held_bytes += len(chunk)
                if self._held_bytes > _HELD_BYTES:
                    raise Transient("too many bodies are being read")
                if size > BODY_BYTES:
                    break
        finally:
            self._held_bytes -= size
        if length is not None and size < min(int(length), BODY_BYTES):
            raise ProtocolClosed("the body was cut off")
        return b"".join(chunks)


app = Server()


def serve() -> None:
    """Run the server processes until a signal comes."""
    end_with_parent()
    settings = handed_down()
    Granian(
        f"{__name__ if __name__ != '__main__' else 'penstock.hosts.server'}:app",
        address=settings.collect.host,
        port=settings.collect.port,
        interface=Interfaces.RSGI,
        workers=settings.collect.processes,
        websockets=False,
        log_access=False,
        respawn_failed_workers=True,
        # One that is told to stop while it still starts may never hear of it; what is acknowledged is durable anyhow.
        workers_kill_timeout=10,
        # With HTTP/2 switched on, a connection that never says a word is never closed.
        http=HTTPModes.http1,
        backlog=_CONNECTIONS,
        backpressure=_connections(),
        http1_settings=HTTP1Settings(
            header_read_timeout=int(settings.collect.receive_seconds * 1000), max_buffer_size=_HEADER_BYTES
        ),
    ).serve()


def _prepare_metrics() -> None:
    """Make every label now: the metrics are mapped files, and growing one on a full disk would kill the process."""
    for code, status in REFUSALS.items():
        REFUSED.labels(code)
        REQUESTS.labels(str(status))
    for status in (200, 304, 503):
        REQUESTS.labels(str(status))
    for outcome in ("accepted", "quarantined"):
        EVENTS.labels(outcome)


def _connections() -> int:
    """How many connections a process may have: what the system lets us open, less what the stream needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS + _SPARE_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(64, min(_CONNECTIONS, soft - _SPARE_FILES))


if __name__ == "__main__":
    serve()
