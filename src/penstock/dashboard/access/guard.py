"""The middleware before everything: judges each request, and gives each answer its headers."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..programs import refusal
from ..saved import CannotSave
from .headers import secure
from .judge import Pass, Stop, Verdict, Visit, Visitor, judge
from .rules import Rules

_NOBODY = Visitor("nobody")


def protect(app: ASGIApp, rules: Rules) -> ASGIApp:
    """The app, seen by none but those who may. What it finds of them is `request.state.visitor`."""

    async def protected(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif scope["type"] == "http":
            verdict = _judged(_visit(scope), rules)
            send = _secured(send, _embedders(verdict, rules))
            if isinstance(verdict, Pass):
                await app(_with(scope, verdict), receive, send)
            else:
                await _stopped(verdict, as_json=scope["path"].startswith("/api/"))(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    return protected


def _judged(visit: Visit, rules: Rules) -> Verdict:
    """Who cannot be looked up is let in nowhere."""
    try:
        return judge(visit, rules)
    except CannotSave as error:
        return Stop(error.status, error.code, "Tokens and shared pages cannot be read now.")


def _visit(scope: Scope) -> Visit:
    peer = scope["client"][0] if scope.get("client") else None
    return Visit(
        scope["method"],
        scope["path"],
        scope["query_string"].decode("latin-1"),
        Headers(scope=scope),
        scope.get("scheme", "http"),
        peer,
    )


def _with(scope: Scope, verdict: Pass) -> Scope:
    """What the app is asked: the page of a share has another path and query than its link."""
    new = {"path": verdict.path, "query_string": verdict.query.encode("latin-1")}
    if verdict.path != scope["path"]:
        new["raw_path"] = verdict.path.encode()
    return {**scope, **new, "state": {**scope.get("state", {}), "visitor": verdict.visitor}}


def _stopped(stop: Stop, *, as_json: bool) -> Response:
    if stop.to:
        return RedirectResponse(stop.to, stop.status)
    answer = refusal(stop.status, stop.code, stop.detail) if as_json else _plain(stop)
    if stop.status == 401:
        answer.headers["www-authenticate"] = "Bearer"
    return answer


def _plain(stop: Stop) -> Response:
    return PlainTextResponse(stop.detail + "\n", stop.status, {"cache-control": "no-store"})


def _embedders(verdict: Verdict, rules: Rules) -> tuple[str, ...]:
    visitor = verdict.visitor if isinstance(verdict, Pass) else _NOBODY
    return rules.settings.frame_ancestors if visitor.embed else ()


def _secured(send: Send, embedders: tuple[str, ...]) -> Send:
    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            secure(MutableHeaders(scope=message), embedders=embedders)
        await send(message)

    return secured
