"""`rebuild`: silver and gold again from bronze, compared with what there was."""

from __future__ import annotations

from typing import Annotated

import typer

from ..clock import moment, utc_now
from ..errors import PenstockError
from ..pipeline import Pipeline
from ..silver import rebuild as rebuilding
from ..silver.compare import Difference
from .options import Config, Data, Engine, pipeline
from .output import note, progress, say

From = Annotated[str | None, typer.Option("--from", help="Of what arrived from then on: a UTC time, or 7d ago.")]
To = Annotated[str | None, typer.Option("--to", help="And before then.")]
Preview = Annotated[bool, typer.Option("--preview", help="Build and compare, but keep showing the old.")]
Undo = Annotated[bool, typer.Option("--undo", help="Show the one before again.")]
Forget = Annotated[bool, typer.Option("--forget", help="Delete what was kept: old ones, and a preview.")]


def add_to(app: typer.Typer) -> None:
    app.command()(rebuild)


def rebuild(
    since: From = None,
    until: To = None,
    preview: Preview = False,
    undo: Undo = False,
    forget: Forget = False,
    engine: Engine = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Make silver and gold again from bronze, with the settings of today; the old silver stays until --forget.

    Collecting and refining go on meanwhile. A rebuild that was stopped goes on where it was.
    """
    with pipeline(data, config, engine) as way:
        if undo:
            _undo(way)
        elif forget:
            _forget(way)
        else:
            _rebuild(way, since, until, preview)


def _rebuild(way: Pipeline, since: str | None, until: str | None, preview: bool) -> None:
    now = utc_now()
    first, last = (moment(text, now) if text else None for text in (since, until))
    with progress("rebuilding") as tell:
        found = way.rebuild(first, last, preview=preview, progress=tell)
    for line in told(found):
        say(line)
    if preview:
        note("the old is still shown; the same command without --preview shows the new, --forget throws it away")
    else:
        note("the old is kept: --undo shows it again, --forget deletes it")


def told(found: Difference) -> list[str]:
    """What differs, a line each."""
    lines = [f"{found.old_events} events before, {found.new_events} now"]
    if found.none:
        return [*lines, "no difference: every row is the same, and so is quarantine"]
    if found.only_old:
        lines.append(f"{found.only_old} events only before")
    if found.only_new:
        lines.append(f"{found.only_new} events only now")
    lines += [f"{count} events have another {column}" for column, count in found.changed.items()]
    lines += [
        f"quarantined as {reason}: {old} before, {new} now"
        for reason, (old, new) in found.quarantined.items()
        if old != new
    ]
    return lines


def _undo(way: Pipeline) -> None:
    old = rebuilding.kept(way.lake)
    if not old:
        raise PenstockError("there is no older silver", hint="a rebuild keeps the one before, until --forget")
    rebuilding.undo(way.lake, old[0])
    way.rollup()
    say("the silver of before is shown again")


def _forget(way: Pipeline) -> None:
    gone = rebuilding.forget(way.lake)
    if (begun := rebuilding.under_way(way.lake)) is not None:
        rebuilding.abandon(way.lake, begun)
        gone += 1
    say(f"{gone} deleted")
