"""A dashboard with its access and its forms, and pages that tell who came to them and how."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, DictLoader, Environment, PackageLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from hand_clock import HandClock
from penstock.dashboard import access, changes
from penstock.dashboard.saved import Saved
from penstock.setting_sections import DashboardSettings
from penstock.settings import Settings

PASSWORD = "correct horse battery"
HERE = "http://127.0.0.1:8788"
_BASE = "<!doctype html><title>stand-in</title><main>{% block main %}{% endblock %}</main>"


def cheap(password: str) -> str:
    """The hash with the least work that settings take, reckoned without our code."""
    salt = b"sixteen bytes :)"
    parts = salt, hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=32)
    return ":".join(["scrypt:14:8:1", *(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)])


class DashboardInHand:
    """`dashboard` are its settings; without a password it is open."""

    def __init__(self, folder: Path, **dashboard: Any) -> None:
        self.settings = Settings(data=folder / "data", dashboard=DashboardSettings(**dashboard))
        self.clock = HandClock()
        self.saved = Saved(self.settings.saved_path)
        self.rules = access.rules_of(self.settings, self.saved, self.clock)
        self.app = self._app()

    def _app(self) -> ASGIApp:
        loader = ChoiceLoader([DictLoader({"base.html": _BASE}), PackageLoader("penstock.dashboard", "templates")])
        templates = Jinja2Templates(env=Environment(loader=loader, autoescape=True))
        routes = [
            *access.routes(self.rules, templates),
            *changes.routes(self.saved, templates, self.clock),
            Route("/broken", _broken),
            Route("/static/style.css", _style),
            Route("/{path:path}", _echo, methods=["GET", "POST", "DELETE"]),
        ]
        return access.protect(Starlette(routes=routes), self.rules)

    def client(self, base: str = HERE, *, peer: str = "127.0.0.1", **options: Any) -> TestClient:
        """A browser that follows no redirect."""
        return TestClient(self.app, base, client=(peer, 50000), follow_redirects=False, **options)

    def logged_in(self, base: str = HERE, *, peer: str = "127.0.0.1") -> TestClient:
        """A browser that has been asked for the password; its forms say that they are ours."""
        client = self.client(base, peer=peer, headers={"origin": base})
        assert client.post("/login", data={"password": PASSWORD}).status_code == 303
        return client

    def close(self) -> None:
        self.saved.close()


def served() -> ASGIApp:
    """For a real server: with a password, in the folder that the environment names."""
    return DashboardInHand(Path(os.environ["DASHBOARD_FOLDER"]), password=cheap(PASSWORD)).app


async def _echo(request: Request) -> Response:
    visitor = request.state.visitor
    told = {"kind": visitor.kind, "name": visitor.name, "base": visitor.base, "embed": visitor.embed}
    return JSONResponse(told | {"path": request.url.path, "query": request.url.query})


async def _style(request: Request) -> Response:
    headers = {"cache-control": "public, max-age=31536000, immutable", "access-control-allow-origin": "*"}
    return PlainTextResponse("body {}", headers=headers)


async def _broken(request: Request) -> Response:
    raise RuntimeError("a secret of ours")
