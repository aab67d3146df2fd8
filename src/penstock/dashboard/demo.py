"""POST /demo: somebody without events wants to see it with some; the worker that runs puts them there."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ..clock import Clock, iso
from ..pipeline import Pipeline
from ..settings import Settings
from ..worker_lock import worker_runs
from .answers import Answers
from .command import command
from .lake import look
from .pages.setup import DEMO, arrived
from .problems import Problems


class Demo:
    """Only where nothing has come yet, for these events stay."""

    def __init__(self, settings: Settings, answers: Answers, problems: Problems, clock: Clock) -> None:
        self._settings = settings
        self._answers = answers
        self._problems = problems
        self._clock = clock

    async def answer(self, request: Request) -> Response:
        if not request.state.visitor.may_change:
            raise HTTPException(403, "Only who has logged in may do that.")
        seen = await self._answers.look(look)
        records = await self._answers.run(arrived)
        if seen.newest is not None or records:
            return self._problems.refused(
                request,
                409,
                "There are events here already, and the demo's would stay among them. This has a folder of its own:",
                heading="Not here",
                command="penstock demo",
            )
        if not await run_in_threadpool(worker_runs, self._settings.data):
            return self._problems.refused(
                request,
                409,
                "No worker runs that could do it. This command starts one:",
                heading="Not now",
                command=command(self._settings, "up"),
            )
        await run_in_threadpool(self._ask)
        return RedirectResponse("/", 303)

    def _ask(self) -> None:
        way = Pipeline(self._settings)
        if not way.requests.any_waits(DEMO):
            way.requests.put(DEMO, {"until": iso(self._clock())})
