"""Request → Intake, without input or output: the same in front of a server and in a Lambda."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec

from ..clock import Clock, utc_now
from ..errors import Refused
from . import Intake, Reply, Request, cors, static
from .admit import admit, by_route, split
from .decode import decode
from .ids import new_id
from .keys import Keyring, Source

_JSON = ("content-type", "application/json")
RETRY_AFTER_SECONDS = 5
_EVENTS = "/v1/events"


class Collector:
    """Holds what is fixed while a process lives: the sources, the routes, the clock.

    The tracker, its events and its pixel are also under `prefix`: a reverse proxy then needs one line.
    """

    def __init__(
        self,
        sources: Sequence[Source] = (),
        clock: Clock = utc_now,
        new_id: Callable[[], str] = new_id,
        prefix: str = "/a",
    ) -> None:
        self._keyring = Keyring(sources)
        self._clock = clock
        self._new_id = new_id
        self._routes = by_route()
        self._prefixes = ("", prefix)
        self._pixels = {"/v1/pixel.gif", f"{prefix}/pixel.gif"}
        for folder in self._prefixes:
            self._routes[f"{folder}/e"] = self._routes[_EVENTS]

    def receive(self, request: Request) -> Intake:
        """Judge one request. Never raises for what a sender can do."""
        try:
            return self._receive(request)
        except Refused as refused:
            return Intake(refusal(request, refused), refused=refused.code)

    def _receive(self, request: Request) -> Intake:
        if request.method == "GET" and (got := self._get(request)):
            return got
        dialect = self._routes.get(request.path.rstrip("/"))
        if dialect is None:
            raise Refused(404, "not_found", f"events go to {_EVENTS}")
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
        reply = Reply(200, [_JSON, *cors.headers(request.headers)], dialect.reply(fates))
        return Intake(reply, records, len(fates.reasons))

    def _get(self, request: Request) -> Intake | None:
        """The tracker's file, or a view told by the address of a pixel; None if the path is of neither."""
        file = static.file(request, self._prefixes)
        if file is not None:
            return Intake(file)
        if request.path not in self._pixels:
            return None
        if static.wants_no_count(request.headers):
            return Intake(static.pixel())
        headers = static.with_origin(request.headers)
        view = self._receive(replace(request, method="POST", path=_EVENTS, headers=headers, body=b""))
        return replace(view, reply=static.pixel())


def refusal(request: Request, error: Refused) -> Reply:
    """What to answer when nothing was taken; nothing that was sent is repeated in it."""
    body = msgspec.json.encode({"error": error.code, "detail": str(error)})
    allow = [("allow", "OPTIONS, POST")] if error.status == 405 else []
    return Reply(error.status, [_JSON, *allow, *cors.headers(request.headers)], body)


def unavailable(request: Request) -> Reply:
    """What to answer instead when the records did not become durable; every SDK that retries at all retries this."""
    reply = refusal(request, Refused(503, "unavailable", "the event was not stored, send it again"))
    again = [("retry-after", str(RETRY_AFTER_SECONDS)), ("access-control-expose-headers", "retry-after")]
    return reply._replace(headers=[*reply.headers, *again])
