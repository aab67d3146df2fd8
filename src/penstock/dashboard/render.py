"""Templates and what they all need: escaped HTML, formats, links to static files that may be kept for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from .. import __version__
from .charts import formats
from .lake import Look
from .page import Page, Shown
from .state import State

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
NO_PAGE: dict[str, None] = dict.fromkeys(("page", "state", "seen", "shown"))
"""What the frame is told around something that is no page."""
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True)
class Renderer:
    """`chrome` is what stands around every page: the site's name, its sources, the pages there are."""

    title: str
    zone: str
    pages: tuple[Page, ...]
    sources: tuple[str, ...] = ()
    up: str = "penstock up"
    """The command that starts a worker here."""

    def html(self, template: str, **context: Any) -> str:
        return _environment().get_template(template).render(chrome=self, version=__version__, **context)

    def templates(self) -> Jinja2Templates:
        """For the pages of others, which stand in the same frame."""
        around = {"chrome": self, "version": __version__, **NO_PAGE}
        return Jinja2Templates(env=_environment(), context_processors=[lambda request: around])

    def first(self, request: Request, page: Page, state: State, more: Mapping[str, Any]) -> str:
        """Instead of a page that has nothing to show yet."""
        shown, seen = Shown(state, {}), Look()
        told = {"page": page, "state": None, "shown": shown, "seen": seen, "visitor": request.state.visitor}
        return self.html("first.html", **told, **more)

    def page(self, request: Request, page: Page, shown: Shown, seen: Look, more: Mapping[str, Any]) -> str:
        """Without what the page is about, only its frame."""
        state, is_waiting = shown.state, not set(shown.late) <= set(page.late)
        return self.html(
            f"{page.name}.html",
            page=page,
            state=state,
            shown=shown,
            seen=seen,
            visitor=request.state.visitor,
            is_waiting=is_waiting,
            **({} if is_waiting else page.show(shown)),
            **more,
        )


@cache
def _environment() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("penstock.dashboard"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        name: getattr(formats, name) for name in ("show", "short", "count", "percent", "duration", "size", "delta")
    }
    found.globals["asset"] = asset
    return found


@cache
def _static() -> dict[str, tuple[str, bytes]]:
    """File name → a name that changes with its content, and the content."""
    found = {}
    for path in (files(__package__) / "static").iterdir():
        content = path.read_bytes()
        stem, _, ending = path.name.rpartition(".")
        if ending in _TYPES:
            found[path.name] = (f"{stem}.{hashlib.sha256(content).hexdigest()[:10]}.{ending}", content)
    return found


def asset(name: str) -> str:
    return f"/static/{_static()[name][0]}"


async def static(request: Request) -> Response:
    wanted = request.path_params["name"]
    for name, content in _static().values():
        if name == wanted:
            return Response(content, media_type=_TYPES[name.rpartition(".")[2]], headers=_FOR_EVER)
    return Response("there is no such file", 404)
