"""The dashboard as a server: Granian → the application, one process. `python -m` runs it."""

from __future__ import annotations

import threading
import time

import structlog
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from starlette.applications import Starlette

from ..api import OpenLake
from ..dashboard.app import make_app
from ..pipeline import Pipeline
from ..settings import Settings
from ..telemetry import log_to_stderr
from .process import end_with_parent, handed_down


def app() -> Starlette:
    """For the server, which makes one in its process."""
    log_to_stderr()
    end_with_parent()
    settings = handed_down()
    if settings.read_only:
        threading.Thread(target=keep_gold, args=(settings,), daemon=True).start()
    return make_app(settings)


def keep_gold(settings: Settings) -> None:
    """Of a lake that may only be read no worker makes gold for us, so we do, again and again."""
    log = structlog.get_logger()
    lake = OpenLake(Pipeline(settings))
    while True:
        try:
            lake.make_gold()
        except Exception as error:
            log.error("gold could not be made", error=repr(error), hint=getattr(error, "hint", ""))
        time.sleep(max(1, settings.rollup.seconds))


def serve() -> None:
    """Run the server until a signal comes."""
    end_with_parent()
    settings = handed_down().dashboard
    Granian(
        "penstock.hosts.dashboard:app",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=1,  # it keeps answers, and what happened in the last minutes
        websockets=False,
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        http=HTTPModes.http1,
    ).serve()


if __name__ == "__main__":
    serve()
