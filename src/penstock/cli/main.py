"""The command `penstock`: its commands in the order of the way, and one place where errors become words."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from .. import __version__
from ..errors import LakeError, PenstockError, SettingsError
from . import ask, inbound, jobs, run
from .output import fail

_EXIT_SETTINGS = 2


class _Group(TyperGroup):
    """Turns our errors into one line and an exit code; anything else is a bug and shows its trace."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except PenstockError as error:
            fail(str(error), error.hint)
            raise typer.Exit(_EXIT_SETTINGS if isinstance(error, SettingsError | LakeError) else 1) from error


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The event analytics pipeline that you own.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    pass


for part in (run, inbound, jobs, ask):
    part.add_to(app)
