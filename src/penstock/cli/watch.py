"""`watch`: the files of a folder, as they appear, all the way to the counts."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
import watchfiles

from ..bronze.drops import Drop, Dropped, Drops
from ..bronze.places import place
from ..bronze.seen import Seen
from ..errors import SettingsError
from ..hosts.process import stop_event
from ..pipeline import Pipeline
from ..settings import load
from ..worker_lock import only_worker
from .options import Config, Data, Once
from .output import fail, note, say, visible

_SETTLE_SECONDS = 2.0
_LOOK_MILLISECONDS = 1000
_PATIENCE = timedelta(seconds=30)


def add_to(app: typer.Typer) -> None:
    app.command()(watch)


def watch(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where files of events appear; they stay there.")],
    once: Once = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Take every file that appears in a folder into bronze, and make rows and counts of it; Ctrl-C ends it."""
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {folder}")
    url = folder.absolute().as_uri()
    configured = [drop for drop in load(config, data=data).drops if drop.url.rstrip("/") == url]
    settings = load(config, data=data, drops=configured or [{"url": url, "settle_seconds": _SETTLE_SECONDS}])
    [wanted] = settings.drops
    with only_worker(settings.data):
        stop = stop_event()
        way = Pipeline(settings)
        seen = Seen(settings.seen_path, url)
        drop = Drop(place(url), seen, source=wanted.source, settle_seconds=wanted.settle_seconds)
        try:
            _follow(way, Drops([drop]), folder, once, stop)
        finally:
            seen.close()
            way.close()


def _follow(way: Pipeline, drops: Drops, folder: Path, once: bool, stop: threading.Event) -> None:
    """A round whenever something changes, and every second: a file that has settled does not change any more."""
    if not once:
        note(f"watching {folder}; Ctrl-C ends it")
    patience = way.clock() + _PATIENCE
    changes = watchfiles.watch(
        folder, watch_filter=None, stop_event=stop, rust_timeout=_LOOK_MILLISECONDS, yield_on_timeout=True
    )
    while not stop.is_set():
        done = _round(way, drops)
        if done.more:
            continue
        if once and (not done.waiting or way.clock() > patience):
            if done.waiting:
                note(f"{done.waiting} files are still being written")
            return
        next(changes, None)


def _round(way: Pipeline, drops: Drops) -> Dropped:
    done = drops.scan(way.lake.bronze, way.clock(), tell=lambda name, what: say(f"{visible(name)}: {what}"))
    for problem in done.problems:
        fail(problem)
    while way.refine():
        pass
    way.rollup()
    return done
