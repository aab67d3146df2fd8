"""Keeping things: forms post to /saved/…, which leads back to the page; programs use /api/….

POST /saved/<kind>              add            POST   /api/saved/<kind>         and /api/annotations
POST /saved/<kind>/<id>         change         PATCH  /api/saved/<kind>/<id>
POST /saved/<kind>/<id>/delete  delete         DELETE /api/saved/<kind>/<id>
                                list           GET    /api/saved/<kind>
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from ..clock import Clock, iso, utc_now
from .access import Visitor
from .access.forms import read_form, read_json
from .access.origins import safe_next
from .access.tokens import new_share, new_token
from .programs import refusal, reply
from .saved import KINDS, Annotation, CannotSave, Row, Saved, Share, Token

_LISTS = frozenset({"filters"})
"""Fields of which a form may have several."""
_TOO_LARGE = 1 << 63
Work = Callable[[Request], Awaitable[Response]]


def routes(saved: Saved, templates: Jinja2Templates, clock: Clock = utc_now) -> list[Route]:
    keep = _Keep(saved, clock)
    forms, api = _Forms(keep, templates), _Api(keep)
    kind, one = "/saved/{kind}", "/saved/{kind}/{id:int}"
    return [
        Route(kind, forms.answer(forms.add), methods=["POST"]),
        Route(one, forms.answer(forms.change), methods=["POST"]),
        Route(one + "/delete", forms.answer(forms.delete), methods=["POST"]),
        Route("/api/annotations", api.answer(api.annotate, tokens=True), methods=["POST"]),
        Route("/api" + kind, api.answer(api.list), methods=["GET"]),
        Route("/api" + kind, api.answer(api.add), methods=["POST"]),
        Route("/api" + one, api.answer(api.change), methods=["PATCH"]),
        Route("/api" + one, api.answer(api.delete), methods=["DELETE"]),
    ]


class _Keep:
    """What forms and programs have in common; runs in a thread, for it waits for the disk. Raises CannotSave."""

    def __init__(self, saved: Saved, clock: Clock) -> None:
        self.saved = saved
        self._clock = clock

    def add(self, kind: type[Row], told: Mapping[str, Any]) -> str | Row:
        """The row; of a share or token its secret, which only the one who made it is told."""
        if kind is Share:
            return new_share(self.saved, told, self._clock())
        if kind is Token:
            return new_token(self.saved, told.get("name", ""), told.get("may", "read"), self._clock())
        if kind is Annotation and not told.get("at"):
            told = {**told, "at": iso(self._clock())}
        return self.saved.add(kind, _only(kind, told))

    def change(self, kind: type[Row], id: int, told: Mapping[str, Any]) -> Row:
        return self.saved.change(kind, id, _only(kind, told))


def _only(kind: type[Row], told: Mapping[str, Any]) -> dict[str, Any]:
    """Nobody says what an entry's id is, or its hash."""
    if unknown := sorted(told.keys() - set(kind.TAKES)):
        raise CannotSave(400, "bad_entry", f"there is no field {unknown[0]!r}; {', '.join(kind.TAKES)} are")
    return dict(told)


def _kind(request: Request) -> type[Row]:
    kind = KINDS.get(request.path_params["kind"])
    if kind is None:
        raise CannotSave(404, "not_found", f"there are {', '.join(KINDS)}")
    return kind


def _id(request: Request) -> int:
    id_: int = request.path_params["id"]
    if id_ >= _TOO_LARGE:
        raise CannotSave(404, "not_found", "there is no such entry")
    return id_


def _visitor(request: Request) -> Visitor:
    visitor: Visitor = request.state.visitor
    return visitor


def _owner_only(request: Request) -> None:
    if not _visitor(request).may_change:
        raise CannotSave(403, "not_yours", "only who has logged in may do that")


class _Forms:
    def __init__(self, keep: _Keep, templates: Jinja2Templates) -> None:
        self._keep = keep
        self._templates = templates

    def answer(self, work: Callable[[Request, dict[str, Any], str], Awaitable[Response]]) -> Work:
        """The form's fields, and where it leads back to, given to `work`; a problem becomes a page that says it."""

        async def answered(request: Request) -> Response:
            back = "/"
            try:
                _owner_only(request)
                form = await read_form(request)
                back = safe_next(form.pop("back", ["/"])[-1])
                return await work(request, _values(form), back)
            except CannotSave as error:
                told = {"heading": "Not saved", "text": str(error), "hint": error.hint, "command": "", "back": back}
                return self._templates.TemplateResponse(request, "error.html", told, status_code=error.status)

        return answered

    async def add(self, request: Request, told: dict[str, Any], back: str) -> Response:
        kind = _kind(request)
        done = await run_in_threadpool(self._keep.add, kind, told)
        return self._secret(request, kind, done, back) if isinstance(done, str) else RedirectResponse(back, 303)

    async def change(self, request: Request, told: dict[str, Any], back: str) -> Response:
        await run_in_threadpool(self._keep.change, _kind(request), _id(request), told)
        return RedirectResponse(back, 303)

    async def delete(self, request: Request, told: dict[str, Any], back: str) -> Response:
        await run_in_threadpool(self._keep.saved.delete, _kind(request), _id(request))
        return RedirectResponse(back, 303)

    def _secret(self, request: Request, kind: type[Row], secret: str, back: str) -> Response:
        if kind is Share:
            told = {"heading": "The page is shared", "label": "Link", "secret": _link(request, secret), "back": back}
        else:
            told = {"heading": "The token is made", "label": "Token", "secret": secret, "back": back}
        return self._templates.TemplateResponse(request, "secret.html", told, headers={"cache-control": "no-store"})


def _values(form: Mapping[str, list[str]]) -> dict[str, Any]:
    """The last of each, so that a hidden field may stand before its checkbox; of lists all that say something."""
    plain = {name: [value.replace("\r\n", "\n") for value in values] for name, values in form.items()}
    return {name: [v for v in values if v] if name in _LISTS else values[-1] for name, values in plain.items()}


def _link(request: Request, token: str) -> str:
    scheme = "https" if _visitor(request).https else "http"
    return f"{scheme}://{request.headers['host']}/share/{token}"


class _Api:
    def __init__(self, keep: _Keep) -> None:
        self._keep = keep

    def answer(self, work: Work, *, tokens: bool = False) -> Work:
        """`tokens` may come too; which of them do is decided before, with every other request."""

        async def answered(request: Request) -> Response:
            try:
                if not (tokens and _visitor(request).kind == "token"):
                    _owner_only(request)
                return await work(request)
            except CannotSave as error:
                return refusal(error.status, error.code, str(error))

        return answered

    async def annotate(self, request: Request) -> Response:
        return await self._added(request, Annotation)

    async def add(self, request: Request) -> Response:
        return await self._added(request, _kind(request))

    async def _added(self, request: Request, kind: type[Row]) -> Response:
        done = await run_in_threadpool(self._keep.add, kind, await read_json(request))
        if not isinstance(done, str):
            return reply(done.shown(), 201)
        return reply({"link": _link(request, done)} if kind is Share else {"token": done}, 201)

    async def list(self, request: Request) -> Response:
        rows = await run_in_threadpool(self._keep.saved.all, _kind(request))
        return reply([row.shown() for row in rows])

    async def change(self, request: Request) -> Response:
        told = await read_json(request)
        row = await run_in_threadpool(self._keep.change, _kind(request), _id(request), told)
        return reply(row.shown())

    async def delete(self, request: Request) -> Response:
        await run_in_threadpool(self._keep.saved.delete, _kind(request), _id(request))
        return Response(status_code=204)
