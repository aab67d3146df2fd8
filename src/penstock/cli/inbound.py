"""`load` and `stream`: files of events in by hand, and the stream again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..bronze import load as loading
from ..clock import moment
from ..errors import BadFile
from .options import Config, Data, existing, pipeline
from .output import fail, note, progress, say, visible


def add_to(app: typer.Typer) -> None:
    app.command()(load)
    stream = typer.Typer(no_args_is_help=True, help="The stream of the last 24 hours.")
    stream.command()(replay)
    app.add_typer(stream, name="stream")


def load(
    files: Annotated[list[Path], typer.Argument(help="JSONL, JSON; plain, .gz or .zst; or folders of such.")],
    data: Data = None,
    config: Config = None,
) -> None:
    """Take files of events into bronze, each content once; `refine` (or a running `up`) does the rest."""
    new = bad = 0
    with pipeline(data, config) as way, progress("loading") as tell:
        found = [(path, top) for top in files for path in (loading.files(top) if top.is_dir() else [top])]
        for index, (path, top) in enumerate(found):
            # The folder's own name counts too: of `DIR/year=*` the shell makes folders that say when.
            below = top.parent if top.is_dir() else None
            try:
                done = loading.load(way.lake.bronze, path, way.clock(), below)
            except BadFile as error:
                fail(str(error))
                bad += 1
            else:
                say(f"{visible(str(path))}: {'loaded' if done.new else 'already loaded'}")
                new += done.new
            tell(index + 1, len(found))
    if new:
        note("`penstock refine --once` makes rows of it, unless `penstock up` is running")
    if bad:
        raise typer.Exit(1)


def replay(
    start: Annotated[str, typer.Option("--from", help="A time (UTC), or how long ago: 2026-02-01T12:00, 3h.")],
    data: Data = None,
    config: Config = None,
) -> None:
    """Deliver the stream again from a time on; objects that bronze lost come back, nothing is counted twice."""
    with existing(data, config) as lake:
        again = lake.pipeline.replay(moment(start, lake.pipeline.clock()))
        say(f"{again} records will be delivered again")
