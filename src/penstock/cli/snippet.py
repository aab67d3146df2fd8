"""`snippet`: what to paste into a page, or into the configuration of the web server before it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ..collect.snippet import snippets
from ..settings import load
from .options import Config, Data
from .output import note, say

_MEANING = {
    "plain": "for any page",
    "sri": "the same, pinned to this version: renew it with every upgrade of Penstock",
    "noscript": "beside it, to count views of readers without script",
    "react": "for a single-page application, once in its outermost component",
    "nginx": "makes it first-party: in the site's server block",
    "caddy": "makes it first-party: in the site's block",
}


class Kind(StrEnum):
    all = "all"
    plain = "plain"
    sri = "sri"
    noscript = "noscript"
    react = "react"
    nginx = "nginx"
    caddy = "caddy"


def add_to(app: typer.Typer) -> None:
    app.command()(snippet)


def snippet(
    url: Annotated[str | None, typer.Option("--url", help="Address that browsers see.", show_default=False)] = None,
    site: Annotated[str | None, typer.Option("--site", help="Write key of the site's source.")] = None,
    kind: Annotated[Kind, typer.Option("--for", help="Print only this one.")] = Kind.all,
    data: Data = None,
    config: Config = None,
) -> None:
    """Print the tags for a web page, and the lines for its web server."""
    collect = load(config, data=data).collect
    here = collect.address
    texts = snippets(url or f"http://{here}", prefix=collect.prefix, site=site, collector=here)
    for name, text in texts.items():
        if kind is Kind.all:
            note(f"{name}: {_MEANING[name]}")
            say(text + "\n")
        elif kind == name:
            say(text)
