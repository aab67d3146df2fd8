"""The collector as a server: Granian's requests → the collector → the stream → the reply. `python -m` runs it."""

from __future__ import annotations

import asyncio
import os
from typing import Any, Protocol

import structlog
from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings

from .. import __version__
from ..collect import Reply, Request
from ..collect.app import unavailable
from ..errors import Transient
from ..event import BODY_BYTES
from ..pipeline import Pipeline
from ..telemetry import EVENTS, REFUSED, REQUESTS, exposition, log_to_stderr
from .group import GroupCommit
from .process import end_with_parent, handed_down

_BODY_SECONDS = 10
_NO_STORE = ("cache-control", "no-store")
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
        self._pipeline = Pipeline(handed_down())
        self._collector = self._pipeline.collector
        self._group = GroupCommit(self._pipeline.stream)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._group.close()
        self._pipeline.close()

    async def __rsgi__(self, scope: Any, protocol: _Protocol) -> None:
        if scope.path in _OWN_PAGES:
            reply = _OWN_PAGES[scope.path](self, scope)
        else:
            reply = await self._collect(scope, protocol)
        REQUESTS.labels(str(reply.status)).inc()
        protocol.response_bytes(reply.status, reply.headers, reply.body)

    async def _collect(self, scope: Any, protocol: _Protocol) -> Reply:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await _read(scope, protocol)
        except TimeoutError:
            return Reply(408, [("connection", "close")], b'{"error":"timeout","detail":"the body took too long"}')
        request = Request(scope.method, scope.path, scope.query_string, scope.headers, body)
        intake = self._collector.receive(request)
        if intake.reply.status >= 400:
            REFUSED.labels(str(intake.reply.status)).inc()
        if not intake.records:
            return intake.reply
        try:
            await self._group.append(intake.records)
        except Transient as error:
            structlog.get_logger().error("not stored", error=str(error), hint=error.hint)
            return unavailable(request, error)
        EVENTS.labels("accepted").inc(len(intake.records))
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


async def _read(scope: Any, protocol: _Protocol) -> bytes:
    """The body, but never much more than may be accepted: what is over the limit is cut and so refused."""
    length = scope.headers.get("content-length")
    if length is not None and int(length) <= BODY_BYTES:
        return await protocol()
    chunks: list[bytes] = []
    size = 0
    async for chunk in protocol:
        chunks.append(chunk)
        size += len(chunk)
        if size > BODY_BYTES:
            break
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
        http1_settings=HTTP1Settings(header_read_timeout=_BODY_SECONDS * 1000),
    ).serve()


if __name__ == "__main__":
    serve()
