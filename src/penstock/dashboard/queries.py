"""SQL of one's own: /sql with its answers, files of all rows, and the same for programs.

GET  /sql?q=…                             the page; POST too, for queries that are too long for an address
GET  /sql/tables                          what can be asked: tables, columns, what they mean
GET  /sql/export.csv|json|parquet?q=…     all rows, in pieces; POST too
POST /api/sql  {"sql": …}                 for the owner's programs
GET  /api/sql.json?q=…                    for programs with a token

A link on another web site runs nothing: whoever follows it sees the query, and a button.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..errors import PenstockError
from .access import Visitor
from .access.forms import read_form, read_json
from .gone import Pieces, unless_gone
from .page import Page
from .pages import sql as view
from .programs import refusal, reply
from .recipes import BY_NAME
from .sandbox.formats import Format
from .sandbox.playground import Playground, Result
from .saved import CannotSave, Saved, SavedQuery

Html = Callable[[Page, Request, Mapping[str, Any], int], Awaitable[Response]]
"""A page with more in its context than it has of its own, and a status."""

_KEPT = 4
_KEPT_SECONDS = 300
_MEDIA = {
    Format.csv: "text/csv; charset=utf-8",
    Format.json: "application/json",
    Format.parquet: "application/vnd.apache.parquet",
}
_AT_FIRST = "select event_type, count(*) as events\nfrom events\ngroup by 1\norder by 2 desc"


class Asked(NamedTuple):
    """What the page is asked. `runs`: there is a query, and who asks for it is at this dashboard."""

    sql: str
    chart: str = ""
    sort: str = ""
    rows: str = ""
    runs: bool = False
    query: SavedQuery | None = None


def routes(playground: Playground, saved: Saved, html: Html, zone: str) -> list[BaseRoute]:
    queries = Queries(playground, saved, html, zone)
    both = ["GET", "POST"]
    exports = [
        Route(f"/sql/export.{format}", partial(queries.export, format), methods=both)
        for format in Format
    ]  # fmt: skip
    return [
        Route("/sql", queries.page, methods=both),
        Route("/sql/tables", queries.tables, methods=["GET"]),
        *exports,
        Route("/api/sql", queries.post, methods=["POST"]),
        Route("/api/sql.json", queries.json, methods=["GET"]),
    ]


class Queries:
    """`html` draws a page."""

    def __init__(self, playground: Playground, saved: Saved, html: Html, zone: str) -> None:
        self._playground = playground
        self._saved = saved
        self._html = html
        self._zone = zone
        self._known: OrderedDict[str, tuple[float, Result]] = OrderedDict()

    async def page(self, request: Request) -> Response:
        _allow(request, "owner")
        return await self._shown(request, await self._asked(request))

    async def tables(self, request: Request) -> Response:
        _allow(request, "owner")
        return await self._html(view.TABLES, request, {}, 200)

    async def export(self, format: Format, request: Request) -> Response:
        """What is wrong with the query is shown on the page, with the query."""
        _allow(request, "owner")
        asked = await self._asked(request)
        if not asked.runs:
            return await self._shown(request, asked)
        try:
            pieces = await unless_gone(request, self._playground.export(asked.sql, format))
        except PenstockError as error:
            return await self._shown(request, asked, view.problem(error, asked.sql))
        return Pieces(request, pieces, type=_MEDIA[format], name=f"query.{format}")

    async def post(self, request: Request) -> Response:
        _allow(request, "owner")
        try:
            sql = (await read_json(request)).get("sql")
        except CannotSave as error:
            return refusal(error.status, error.code, str(error))
        return await self._told(request, sql if isinstance(sql, str) else "")

    async def json(self, request: Request) -> Response:
        _allow(request, "owner", "token")
        if _is_led_here(request):
            raise HTTPException(403)
        return await self._told(request, request.query_params.get("q", ""))

    async def _told(self, request: Request, sql: str) -> Response:
        try:
            result = await unless_gone(request, self._playground.run(sql))
        except PenstockError as error:
            found = view.problem(error, sql)
            more = {"hint": found.hint, "line": found.line, "column": found.column}
            return refusal(found.status, found.code, found.message, **more)
        return reply(await asyncio.to_thread(view.told, result))

    async def _asked(self, request: Request) -> Asked:
        told = dict(request.query_params)
        if request.method == "POST":
            told |= {name: values[-1] for name, values in (await read_form(request)).items()}
        query = await self._query(told.get("saved", ""))
        recipe = BY_NAME.get(told.get("recipe", ""))
        sql = told.get("q") or (query.sql if query else recipe.sql if recipe else "")
        sql = sql.replace("\r\n", "\n")
        runs = bool(sql.strip()) and not _is_led_here(request)
        return Asked(sql, told.get("chart", ""), told.get("sort", ""), told.get("rows", ""), runs, query)

    async def _query(self, id: str) -> SavedQuery | None:
        if not id.isdecimal() or len(id) > 15:
            return None
        try:
            return await run_in_threadpool(self._saved.get, SavedQuery, int(id))
        except PenstockError:
            return None

    async def _shown(self, request: Request, asked: Asked, problem: view.Problem | None = None) -> Response:
        if on := self._playground.available.on:
            await self._playground.warm()
        grid = result = None
        most = view.MOST_SHOWN if asked.rows == "more" else view.SHOWN
        if asked.runs and on and problem is None:
            try:
                result = await unless_gone(request, self._result(asked))
                draw = partial(view.grid, sort=asked.sort, chart=asked.chart, zone=self._zone, most=most)
                grid = await asyncio.to_thread(draw, result)
            except PenstockError as error:
                problem = view.problem(error, asked.sql)
        more = {
            "available": self._playground.available,
            "asked": asked,
            "text": asked.sql or _AT_FIRST,
            "is_long": len(asked.sql) > view.LONG,
            "result": result,
            "grid": grid,
            "problem": problem,
            "most": most,
            "could_be": view.MOST_SHOWN,
            "saved": await run_in_threadpool(self._all),
        }
        return await self._html(view.PAGE, request, more, problem.status if problem else 200)

    def _all(self) -> list[SavedQuery]:
        try:
            return self._saved.all(SavedQuery)
        except PenstockError:
            return []

    async def _result(self, asked: Asked) -> Result:
        """Another order or chart of an answer, or more of it, is no reason to ask again."""
        known = self._known.get(asked.sql)
        if (
            known is not None
            and (asked.sort or asked.chart or asked.rows)
            and time.monotonic() - known[0] < _KEPT_SECONDS
        ):
            return known[1]
        result = await self._playground.run(asked.sql)
        self._known.pop(asked.sql, None)
        self._known[asked.sql] = time.monotonic(), result
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return result


def _allow(request: Request, *kinds: str) -> None:
    visitor: Visitor = request.state.visitor
    if visitor.kind not in kinds:
        raise HTTPException(403)


def _is_led_here(request: Request) -> bool:
    """By a link of another web site."""
    return request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
