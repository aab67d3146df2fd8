"""Request → Intake, without input or output: the same in front of a server and in a Lambda."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import uuid_utils

from ..clock import Clock, utc_now
from ..errors import Refused, Transient
from . import Intake, Reply, Request, cors
from .admit import admit, by_route, split
from .decode import decode
from .keys import Keyring, Source

_JSON = ("content-type", "application/json")
RETRY_AFTER_SECONDS = 5


def new_id() -> str:
    return str(uuid_utils.uuid7())


class Collector:
    """Holds what is fixed while a process lives: the sources, the routes, the clock."""

    def __init__(
        self, sources: Sequence[Source] = (), clock: Clock = utc_now, new_id: Callable[[], str] = new_id
    ) -> None:
        self._keyring = Keyring(sources)
        self._clock = clock
        self._new_id = new_id
        self._routes = by_route()

    def receive(self, request: Request) -> Intake:
        """Judge one request. Never raises for what a sender can do."""
        try:
            return self._receive(request)
        except Refused as refused:
            return Intake(_error(request, refused.status, refused.code, str(refused)))

    def _receive(self, request: Request) -> Intake:
        dialect = self._routes.get(request.path.rstrip("/"))
        if dialect is None:
            raise Refused(404, "not_found", "events go to /v1/events")
        if request.method == "OPTIONS":
            return Intake(Reply(200, cors.preflight(request.headers), b""))
        if request.method != "POST":
            raise Refused(405, "method_not_allowed", "send events with POST")
        received_at = self._clock()
        body = decode(request.body, request.headers.get("content-encoding", ""))
        found = split(dialect, body, request.query)
        source = self._keyring.source(request.headers, request.query, found.write_key)
        records, fates = admit(
            dialect,
            found,
            body,
            source=source,
            received_at=received_at,
            user_agent=request.headers.get("user-agent", ""),
            new_id=self._new_id,
        )
        return Intake(Reply(200, [_JSON, *cors.headers(request.headers)], dialect.reply(fates)), records)


def unavailable(request: Request, error: Transient) -> Reply:
    """What to answer instead when the records did not become durable; every SDK that retries at all retries this."""
    reply = _error(request, 503, "unavailable", "the event was not stored, send it again")
    return reply._replace(headers=[*reply.headers, ("retry-after", str(RETRY_AFTER_SECONDS))])


def _error(request: Request, status: int, code: str, detail: str) -> Reply:
    body = msgspec.json.encode({"error": code, "detail": detail})
    return Reply(status, [_JSON, *cors.headers(request.headers)], body)
