"""The dashboard as a server: Granian → the application, one process. `python -m` runs it."""

from __future__ import annotations

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from starlette.applications import Starlette

from ..dashboard.app import make_app
from ..telemetry import log_to_stderr
from .process import end_with_parent, handed_down


def app() -> Starlette:
    """For the server, which makes one in its process."""
    log_to_stderr()
    end_with_parent()
    return make_app(handed_down())


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
