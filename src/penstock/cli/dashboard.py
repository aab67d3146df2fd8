"""`dashboard-password` and `dashboard-token`: the secrets of the dashboard."""

from __future__ import annotations

import getpass
import sys
from enum import StrEnum
from typing import Annotated

import typer

from ..clock import utc_now
from ..dashboard.access.password import LONGEST, SHORTEST, hashed
from ..dashboard.access.tokens import new_token
from ..dashboard.saved import Saved
from ..errors import PenstockError
from ..settings import load
from .options import Config, Data
from .output import note, say


class May(StrEnum):
    read = "read"
    annotate = "annotate"


def add_to(app: typer.Typer) -> None:
    app.command("dashboard-password")(password)
    app.command("dashboard-token")(token)


def password() -> None:
    """Ask for a password of the dashboard, twice, or read it from stdin; print the line for penstock.toml."""
    given = _asked() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not SHORTEST <= len(given) <= LONGEST or "\0" in given:
        raise PenstockError(f"a password has {SHORTEST} to {LONGEST} characters")
    note("below [dashboard] in penstock.toml, which others should not be able to read:")
    say(f'password = "{hashed(given)}"')


def _asked() -> str:
    given = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != given:
        raise PenstockError("these are two passwords; nothing was made")
    return given


def token(
    name: Annotated[str, typer.Argument(help="What it is for; the page Saved shows it.")],
    may: Annotated[May, typer.Option("--may", help="What it is good for.")] = May.read,
    data: Data = None,
    config: Config = None,
) -> None:
    """Make a token for a program, which asks /api/*.json with it, or adds notes."""
    saved = Saved(load(config, data=data).saved_path)
    try:
        made = new_token(saved, name, may, utc_now())
    finally:
        saved.close()
    note("it is not shown again; send it as `Authorization: Bearer`:")
    say(made)
