"""The pages /login and /logout, and the password of a shared page."""

from __future__ import annotations

import asyncio
import math
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from ..saved import CannotSave
from .forms import read_form
from .judge import Visitor
from .origins import safe_next
from .password import matches
from .rules import Rules, cookie_name

_AT_ONCE = 1
"""Passwords that are looked at; each takes 32 MiB."""


def routes(rules: Rules, templates: Jinja2Templates) -> list[Route]:
    pages = _Login(rules, templates)
    return [
        Route("/login", pages.login, methods=["GET", "POST"]),
        Route("/logout", pages.logout, methods=["POST"]),
        Route("/share/{token}", pages.share, methods=["GET", "POST"]),
    ]


class _Login:
    def __init__(self, rules: Rules, templates: Jinja2Templates) -> None:
        self._rules = rules
        self._templates = templates
        self._looking = asyncio.Semaphore(_AT_ONCE)

    async def login(self, request: Request) -> Response:
        visitor: Visitor = request.state.visitor
        to = safe_next(request.query_params.get("next", "/"))
        if visitor.kind == "owner":
            return RedirectResponse(to, 303)
        stored = self._rules.settings.password
        action = f"/login?{urlencode({'next': to})}"
        if stored is None:
            return PlainTextResponse("The proxy before this dashboard has not said who you are.\n", 403)
        if request.method != "POST":
            return self._form(request, action)
        answer = await self._try(request, action, stored)
        if answer is not None:
            return answer
        return self._in(to, visitor, self._rules.owner_cookie(), days=self._rules.settings.session_days)

    async def share(self, request: Request) -> Response:
        """Only who has yet to say the page's password comes here."""
        visitor: Visitor = request.state.visitor
        share = visitor.share
        if share is None or share.password is None:
            raise RuntimeError("nobody is to come here without a link that has a password")
        action = visitor.base + (f"?{request.url.query}" if request.url.query else "")
        if request.method != "POST":
            return self._form(request, action)
        answer = await self._try(request, action, share.password)
        if answer is not None:
            return answer
        days = (share.expires - self._rules.clock()).total_seconds() / 86400
        return self._in(action, visitor, self._rules.share_cookie(share), days=days)

    async def logout(self, request: Request) -> Response:
        """Of every browser: whoever has copied a cookie is out too. Only the owner comes so far."""
        self._rules.key.renew()
        answer = RedirectResponse("/login" if self._rules.settings.password is not None else "/", 303)
        for https in (True, False):
            answer.delete_cookie(cookie_name(https), secure=https, httponly=True, samesite="lax")
        return answer

    async def _try(self, request: Request, action: str, stored: str) -> Response | None:
        """None if the password is right."""
        visitor: Visitor = request.state.visitor
        try:
            password = (await read_form(request)).get("password", [""])[0]
        except CannotSave as error:
            return self._form(request, action, str(error), status=error.status)
        wait = math.ceil(self._rules.attempts.begin(visitor.address))
        if wait:
            told = f"Too many tries. Try again in {wait} seconds."
            answer = self._form(request, action, told, status=429)
            answer.headers["retry-after"] = str(wait)
            return answer
        async with self._looking:
            right = await run_in_threadpool(matches, password, stored)
        if not right:
            return self._form(request, action, "That is not the password.", status=403)
        self._rules.attempts.succeeded(visitor.address)
        return None

    def _form(self, request: Request, action: str, problem: str = "", *, status: int = 200) -> Response:
        told = {"action": action, "problem": problem, "title": self._rules.settings.title}
        answer = self._templates.TemplateResponse(request, "login.html", told, status_code=status)
        answer.headers["cache-control"] = "no-store"
        return answer

    def _in(self, to: str, visitor: Visitor, cookie: str, *, days: float) -> Response:
        answer = RedirectResponse(to, 303)
        answer.set_cookie(
            cookie_name(visitor.https, visitor.share),
            cookie,
            max_age=int(days * 86400),
            secure=visitor.https,
            httponly=True,
            samesite="lax",
        )
        return answer
