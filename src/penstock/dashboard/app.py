"""The dashboard as an ASGI application: routes → pages → reports → HTML, JSON and files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from structlog import get_logger

from ..clock import Clock, utc_now
from ..errors import PenstockError
from ..export.files import FileFormat
from ..reports.catalog import report
from ..reports.filters import Filter, parse_all
from ..reports.run import Answer
from ..settings import Settings
from . import access, cards, changes, openapi, queries, render, state
from .access import Visitor
from .answers import Answers, Ask, Failed
from .command import command
from .lake import Look, look
from .live import sse
from .live.tail import Live
from .page import Page, Shown
from .pages import PAGES, setup
from .pinned import Pinned
from .problems import Caught, NoLake, Problems
from .render import Renderer
from .replay import Replay
from .sandbox.playground import Playground
from .saved import Annotation, CannotSave, Saved, Segment
from .state import Site, State

_STEP_SECONDS = 10
"""A period that ends now moves in steps of that, so that a question can be known again."""
_GZIP_LEVEL = 5


@dataclass(frozen=True)
class Dashboard:
    """What all requests share."""

    settings: Settings
    clock: Clock
    answers: Answers
    saved: Saved
    renderer: Renderer
    live: Live
    pinned: Pinned

    async def look(self) -> Look:
        """At the lake as it is now. Raises NoLake if it cannot be opened."""
        try:
            return await self.answers.look(look)
        except Exception as error:
            get_logger().warning("the lake cannot be opened", error=repr(error))
            raise NoLake(error) from error

    async def look_for(self, page: Page) -> Look:
        """As `look`; for a page that needs no lake, one in which nothing is seen."""
        try:
            return await self.look()
        except NoLake:
            if page.needs_lake:
                raise
            return Look()

    async def state(self, request: Request, page: Page, seen: Look) -> State:
        now = self.clock()
        now -= timedelta(seconds=now.second % _STEP_SECONDS, microseconds=now.microsecond)
        zone = self.settings.dashboard.zone
        first = (seen.first or now).astimezone(ZoneInfo(zone)).date()
        segments, notes = await run_in_threadpool(self._saved)
        site = Site(seen.columns, zone, first, now, segments, notes)
        visitor: Visitor = request.state.visitor
        return state.read(page.url, request.query_params.multi_items(), site, page.own, share=visitor.base)

    def _saved(self) -> tuple[dict[str, tuple[Filter, ...]], tuple[tuple[str, str], ...]]:
        """Segments and notes; none if the file that they are in cannot be read."""
        try:
            segments = {each.name: parse_all(each.filters) for each in self.saved.all(Segment)}
            return segments, tuple((each.at, each.text) for each in self.saved.all(Annotation))
        except PenstockError:
            return {}, ()

    async def ask(self, seen: Look, ask: Ask, asked: State, *, urgent: bool = True) -> Answer | Failed:
        """Why there is no answer may say where things lie, which is nothing for those with a link to one page."""
        answer = await self.answers.ask(seen.version, ask, urgent=urgent, **asked.asked)
        return Failed("Please come back later.") if asked.share and isinstance(answer, Failed) else answer

    async def shown(self, page: Page, asked: State, seen: Look) -> Shown:
        """All answers, asked at once; a failed one is in its place, and of what takes long the one before, if any."""
        asks = page.asks(asked)
        tasks = {card: self._begun(seen, ask, asked, card not in page.late) for card, ask in asks.items()}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=self.settings.dashboard.patience_seconds)
        found = {card: task.result() for card, task in tasks.items() if task.done()}
        known = {card: self.answers.known(seen.version, asks[card], **asked.asked) for card in tasks.keys() - found}
        before = {card: answer for card, answer in known.items() if answer is not None}
        late = tuple(card for card in tasks if card not in found and card not in before)
        return Shown(asked, {**found, **before}, late, bool(before))

    def _begun(self, seen: Look, ask: Ask, asked: State, urgent: bool) -> asyncio.Future[Answer | Failed]:
        return asyncio.ensure_future(self.ask(seen, ask, asked, urgent=urgent))

    async def html(
        self, page: Page, request: Request, told: Mapping[str, Any] | None = None, status: int = 200
    ) -> Response:
        """`told` is more for its template."""
        seen = await self.look_for(page)
        asked = await self.state(request, page, seen)
        if seen.newest is None and page.takes_filters:
            more = await setup.extra(self, asked)
            return HTMLResponse(self.renderer.first(request, page, asked, more))
        if "filter" in request.query_params:  # from a form; the address is to say it as links do
            return RedirectResponse(asked.link(), 303)
        shown, more = await asyncio.gather(self.shown(page, asked, seen), self.extra(page, asked))
        return HTMLResponse(self.renderer.page(request, page, shown, seen, {**more, **(told or {})}), status)

    async def extra(self, page: Page, asked: State) -> Mapping[str, Any]:
        return await page.extra(self, asked) if page.extra else {}

    async def details(self, page: Page, request: Request) -> Response:
        """A card with all rows and columns, to search, sort and leaf through."""
        card = request.path_params["card"]
        view = replace(_DETAILS, path=request.url.path, own={**page.own, **cards.OWN})
        seen = await self.look()
        asked = await self.state(request, view, seen)
        ask = page.asks(asked).get(card)
        if ask is None:
            raise HTTPException(404)
        ask = cards.whole(ask)
        answer = await self.ask(seen, ask, asked)
        failure = answer if isinstance(answer, Failed) else None
        more = {
            "title": report(ask.report).title,
            "question": report(ask.report).question,
            "failure": failure,
            "answer": answer,
            "details": None if isinstance(answer, Failed) else cards.details(answer, asked),
            "export": f"/export/{page.name}/{card}",
            "back": page.url,
            "kept": {name: values for name, values in asked.given.items() if name in page.own},
        }
        return HTMLResponse(self.renderer.page(request, view, Shown(asked, {}), seen, more))

    async def export(self, page: Page, format: FileFormat, request: Request) -> Response:
        seen = await self.look()
        asked = await self.state(request, page, seen)
        card = request.path_params["card"]
        ask = page.asks(asked).get(card)
        if ask is None:
            raise HTTPException(404)
        answer = await self.ask(seen, cards.whole(ask), asked)
        if isinstance(answer, Failed):
            return PlainTextResponse(f"{answer.message} {answer.hint}".strip(), 400)
        first, last = asked.period.days
        name = f"{page.name}-{card}-{first}-{last}"
        return await self.answers.run(lambda lake: cards.file(lake, answer, format, name))

    async def json(self, page: Page, request: Request) -> Response:
        """What the page shows, when all of it is there."""
        if page.facts is not None:
            return cards.facts(await page.facts(self))
        seen = await self.look()
        asked = await self.state(request, page, seen)
        asks = page.asks(asked)
        answers = await asyncio.gather(*(self.ask(seen, ask, asked) for ask in asks.values()))
        return cards.twin(asked, dict(zip(asks, answers, strict=True)))


_DETAILS = Page("details", "Details")


def make_app(settings: Settings, clock: Clock = utc_now) -> Starlette:
    """Opens the lake when it is made, and lets go of it when it ends."""
    sources = tuple(source.name for source in settings.sources)
    told = settings.dashboard
    renderer = Renderer(told.title, told.zone, PAGES, sources, command(settings, "up"))
    problems = Problems(renderer, command(settings, "verify"))
    saved = Saved(settings.saved_path)
    playground = Playground(settings)
    pinned = Pinned(playground, saved, told)
    answers, live = Answers(settings, clock), Live(settings, clock)
    dashboard = Dashboard(settings, clock, answers, saved, renderer, live, pinned)
    rules = access.rules_of(settings, saved, clock)
    templates = renderer.templates()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with dashboard.live.running():
            yield
        await pinned.close()
        await playground.close()
        dashboard.answers.close()
        saved.close()

    return Starlette(
        routes=[
            *queries.routes(playground, saved, dashboard.html, settings.dashboard.zone),
            *_routes(dashboard),
            *access.routes(rules, templates),
            *changes.routes(saved, templates, clock),
            Route("/quarantine/replay", Replay(settings, problems).answer, methods=["POST"]),
        ],
        middleware=[
            Middleware(GZipMiddleware, minimum_size=500, compresslevel=_GZIP_LEVEL),
            Middleware(access.protect, rules=rules),
            Middleware(Caught, problems=problems),
        ],
        exception_handlers={HTTPException: problems.known, CannotSave: problems.known},
        lifespan=lifespan,
    )


def _routes(dashboard: Dashboard) -> Iterator[BaseRoute]:
    for page in PAGES:
        yield Route(page.url, partial(dashboard.html, page))
        if not page.has_twin:
            continue
        yield Route(f"/api/{page.name}.json", partial(dashboard.json, page))
        yield Route(f"/details/{page.name}/{{card}}", partial(dashboard.details, page))
        for format in FileFormat:
            yield Route(f"/export/{page.name}/{{card}}.{format}", partial(dashboard.export, page, format))
    yield Route("/live", partial(sse.answer, dashboard.live))
    yield Route("/api/openapi.json", _described)
    yield Route("/static/{name}", render.static)
    yield Route("/health", _health)


async def _described(request: Request) -> Response:
    return JSONResponse(openapi.document(PAGES))


async def _health(request: Request) -> Response:
    return PlainTextResponse("ok")
