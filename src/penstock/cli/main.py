"""The command `penstock`: its commands in the order of the way, and one place where errors become words."""

from __future__ import annotations

import errno
import sqlite3
from typing import Any

import typer
from typer.core import TyperGroup

from .. import __version__
from ..api import SqlError
from ..errors import LakeError, PenstockError, SettingsError
from . import (
    advise,
    alerts,
    ask,
    capacity,
    cost,
    dashboard,
    erase,
    export,
    inbound,
    jobs,
    quarantine,
    rebuild,
    report,
    run,
    schema,
    send,
    simulate,
    snippet,
    watch,
)
from .output import fail

_EXIT_SETTINGS = 2


class _Group(TyperGroup):
    """Turns our errors, and the disk's, into one line and an exit code; anything else is a bug and shows its trace."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except PenstockError as error:
            fail(str(error), error.hint)
            raise typer.Exit(_EXIT_SETTINGS if isinstance(error, SettingsError | LakeError) else 1) from error
        except (OSError, sqlite3.OperationalError, SqlError) as error:
            if getattr(error, "errno", None) == errno.EPIPE:
                raise
            fail(_of_the_system(error))
            raise typer.Exit(1) from error


def _of_the_system(error: Exception) -> str:
    """`No space left on device: 'data/stream'`, without the number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename!r}" if error.filename else error.strerror
    return str(error)


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


for part in (
    run,
    simulate,
    snippet,
    send,
    inbound,
    watch,
    jobs,
    rebuild,
    erase,
    ask,
    report,
    alerts,
    dashboard,
    export,
    schema,
    quarantine,
    advise,
    cost,
    capacity,
):
    part.add_to(app)
