"""`alerts`: what is watched, and how it is."""

from __future__ import annotations

from typing import Annotated

import typer

from ..alerts import state
from ..alerts.state import States
from ..alerts.watch import Watch
from ..telemetry import log_to_stderr
from ..worker_lock import only_worker
from .options import As, Config, Data, existing
from .output import Format, rows

_ERROR = 2


def add_to(app: typer.Typer) -> None:
    app.command()(alerts)


def alerts(
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Evaluate them now and tell nobody; exit code 1 if one fires, 2 if one cannot be."
        ),
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Evaluate those that are due and tell whom they are for (for cron).")
    ] = False,
    format: As = Format.table,
    data: Data = None,
    config: Config = None,
) -> None:
    """The alerts of the settings and their state."""
    with existing(data, config) as lake:
        settings = lake.pipeline.settings
        if once:
            log_to_stderr()
            with only_worker(settings.data):
                watch = Watch(lake)
                for _ in settings.alerts:
                    watch.round()
        found = Watch(lake).check() if check else state.load(settings.data)
        _list([alert.name for alert in settings.alerts], found, format)
    words = {one.word for one in found.values()}
    if check and words & {"firing", "error"}:
        raise typer.Exit(1 if "firing" in words else _ERROR)


def _list(names: list[str], states: States, format: Format) -> None:
    listed = []
    for name in names:
        one = states.get(name, state.State())
        says = one.error or "; ".join(one.says)
        listed.append((name, one.word, one.layer or None, one.firing_since, one.evaluated, says))
    rows(("alert", "state", "layer", "firing_since", "evaluated", "says"), listed, format)
