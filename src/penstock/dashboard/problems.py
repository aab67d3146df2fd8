"""When there is no page to show: what is not there, what cannot be opened, what went wrong; in the frame of pages."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog import get_logger

from .answers import failed
from .programs import refusal
from .render import NO_PAGE, Renderer
from .saved import CannotSave

_TEXTS = {
    404: "There is no such page. It may have had another address before.",
    405: "This address is not asked like that.",
}
_NO_STORE = {"cache-control": "no-store"}


class NoLake(HTTPException):
    """The lake cannot be opened, and why."""

    def __init__(self, error: Exception) -> None:
        why = failed(error)
        super().__init__(503, why.message)
        self.hint = why.hint


class Problems:
    """`renderer` makes the frame; `check` is the command that says more of the lake."""

    def __init__(self, renderer: Renderer, check: str) -> None:
        self._renderer = renderer
        self._check = check

    async def known(self, request: Request, error: Exception) -> Response:
        """For Starlette: an HTTPException or CannotSave → its page."""
        if isinstance(error, CannotSave):
            heading = HTTPStatus(error.status).phrase
            return self._page(request, error.status, error.code, heading=heading, text=str(error), hint=error.hint)
        assert isinstance(error, HTTPException)
        if isinstance(error, NoLake):
            told = {
                "heading": "The lake cannot be opened",
                "text": error.detail if _is_owner(request) else "Please come back later.",
                "hint": error.hint if _is_owner(request) else "",
                "command": self._check if _is_owner(request) else "",
            }
            return self._page(request, 503, "no_lake", **told)
        heading = HTTPStatus(error.status_code).phrase
        text = error.detail if error.detail != heading else _TEXTS.get(error.status_code, heading)
        found = self._page(request, error.status_code, heading.lower().replace(" ", "_"), heading=heading, text=text)
        found.headers.update(error.headers or {})
        return found

    def unknown(self, request: Request, error: Exception) -> Response:
        """Of what went wrong the reader learns an id; the log has that id, and everything else."""
        id = secrets.token_hex(4)
        # What follows there is the secret of a shared page.
        path = "/share/…" if request.url.path.startswith("/share/") else request.url.path
        get_logger().error("request failed", id=id, method=request.method, path=path, exc_info=error)
        return self._page(
            request,
            500,
            "failed",
            heading="Something went wrong",
            text=f"This should not have happened. The log of the dashboard says more: look for {id}.",
        )

    def _page(self, request: Request, status: int, code: str, **told: Any) -> Response:
        if request.url.path.startswith("/api/"):
            return refusal(status, code, told["text"])
        visitor = getattr(request.state, "visitor", None)
        more = {} if visitor is None else {"visitor": visitor}
        text = self._renderer.html("error.html", **NO_PAGE, **more, **{"hint": "", "command": "", "back": "/", **told})
        return HTMLResponse(text, status, _NO_STORE)

    def refused(self, request: Request, status: int, text: str, *, heading: str, command: str = "") -> Response:
        """A form that cannot be done now."""
        return self._page(request, status, "refused", heading=heading, text=text, command=command)


def _is_owner(request: Request) -> bool:
    visitor = getattr(request.state, "visitor", None)
    return visitor is not None and bool(visitor.may_change)


class Caught:
    """The innermost middleware: an exception that nobody expected → a page, if none has begun."""

    def __init__(self, app: ASGIApp, problems: Problems) -> None:
        self._app = app
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if begun:
                raise
            response = self._problems.unknown(Request(scope, receive), error)
            await response(scope, receive, send)
