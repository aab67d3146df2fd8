"""POST /quarantine/replay: what is in quarantine is to be judged again, by the worker that runs."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ..pipeline import Pipeline
from ..settings import Settings
from ..silver.quarantine import REASONS
from ..worker_lock import worker_runs
from .access.forms import read_form
from .command import command
from .facts import REPLAY
from .problems import Problems


class Replay:
    """The dashboard changes nothing in the lake itself: it asks, as `penstock erase` does, or says who could.

    The form may name a `reason`; without it all is judged.
    """

    def __init__(self, settings: Settings, problems: Problems) -> None:
        self._settings = settings
        self._problems = problems

    async def answer(self, request: Request) -> Response:
        if not request.state.visitor.may_change:
            raise HTTPException(403, "Only who has logged in may do that.")
        reason = (await read_form(request)).get("reason", [""])[-1]
        if reason and reason not in REASONS:
            raise HTTPException(400, "There is no such reason.")
        told = ("--reason", reason) if reason else ()
        if not await run_in_threadpool(worker_runs, self._settings.data):
            return self._problems.refused(
                request,
                409,
                "No worker runs that could do it. This command does it without one:",
                heading="Not now",
                command=command(self._settings, "quarantine", "replay", *told),
            )
        id = await run_in_threadpool(self._ask, reason)
        return RedirectResponse(f"/status?replay={id}#h-quarantine", 303)

    def _ask(self, reason: str) -> str:
        return Pipeline(self._settings).requests.put(REPLAY, {"reasons": reason})
