"""`deliver`, `drops`, `refine`, `rollup`, `maintain`: the jobs of the way, once (for cron) or forever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Transient
from ..hosts.process import stop_event
from ..pipeline import Pipeline
from ..silver import claim
from ..silver.refine import Refined
from ..worker_lock import only_worker
from .options import Config, Data, Engine, Once, pipeline
from .output import fail, say, visible

TakeOver = Annotated[
    bool, typer.Option("--take-over", help="From now on this engine fills silver; the other one must not run any more.")
]
_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


def add_to(app: typer.Typer) -> None:
    app.command()(deliver)
    app.command()(drops)
    app.command()(refine)
    app.command()(rollup)
    app.command()(maintain)


def deliver(once: Once = False, data: Data = None, config: Config = None) -> None:
    """Stream → bronze: write what waits as gz JSONL objects."""

    def step(way: Pipeline) -> str:
        done = way.deliver(only_if_due=not once)
        return f"{done.objects} objects, {done.records} records" if done else ""

    _rounds(step, "0 objects, 0 records", once, data, config)


def drops(once: Once = False, data: Data = None, config: Config = None) -> None:
    """Files of others → bronze: take what is new in the drops, and what somebody wrote into bronze itself."""
    troubled = False
    with pipeline(data, config) as way:

        def step() -> bool:
            nonlocal troubled
            done = way.drops(only_if_due=not once, tell=lambda name, what: say(f"{visible(name)}: {what}"))
            for problem in done.problems:
                fail(problem)
                troubled = once
            if done or once:
                say(f"{done.new} new, {done.known} known, {done.refused} refused, {done.waiting} still being written")
            return done.more

        _run(way, step, once)
    if troubled:
        raise typer.Exit(1)


def refine(
    once: Once = False,
    engine: Engine = None,
    take_over: TakeOver = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Bronze → silver: make rows of what is new. Silver is filled by one engine at a time."""
    with pipeline(data, config, engine) as way:
        if take_over:
            claim.take_over(way.lake, way.engine.name)
        total = Refined(0, 0)

        def step() -> bool:
            nonlocal total
            find(way)
            done = way.refine()
            if done is not None:
                say(_told(f"batch {done.batch}: ", done))
                total = Refined(done.batch, total.files + done.files)
            elif once and not total.files:
                say(_told("", Refined(0, 0)))
            return done is not None

        _run(way, step, once)


def find(way: Pipeline) -> None:
    """What others wrote, into the inbox."""
    more = True
    while more:
        done = way.drops(only_if_due=True)
        for problem in done.problems:
            fail(problem)
        more = done.more


def _told(start: str, done: Refined) -> str:
    outcomes = ", ".join(f"{done.events.get(name, 0)} {name}" for name in ("stored", "duplicate", "quarantined"))
    reasons = f" ({', '.join(f'{n} {reason}' for reason, n in sorted(done.reasons.items()))})" if done.reasons else ""
    files = f"{done.files} files expected, {done.files - done.damaged} read"
    return f"{start}{files}, {done.read} rows in: {outcomes}{reasons}"


def rollup(once: Once = False, data: Data = None, config: Config = None) -> None:
    """Silver → gold: recompute the hours and days that changed, and their sessions."""

    def step(way: Pipeline) -> str:
        done = way.rollup(only_if_due=not once)
        return f"{done.hours} hours and {done.days} days recomputed" if done else ""

    _rounds(step, "0 hours and 0 days recomputed", once, data, config)


def maintain(once: Once = False, data: Data = None, config: Config = None) -> None:
    """Merge silver's small files and bronze's small objects; a question asked meanwhile gets the same answer."""

    def step(way: Pipeline) -> str:
        done = way.maintain(only_if_due=not once)
        if done is None:
            return ""
        files = f"{done.files_before} files merged into {done.files_after}"
        return f"{files}, {done.objects_before} objects into {done.objects_after}"

    _rounds(step, "0 files merged, 0 objects", once, data, config)


def _rounds(step: Callable[[Pipeline], str], nothing: str, once: bool, data: Path | None, config: Path | None) -> None:
    """One job, whose `step` says what it did; with `once`, also that there was `nothing` to do."""
    with pipeline(data, config) as way:

        def told() -> bool:
            did = step(way)
            if did or once:
                say(did or nothing)
            return False

        _run(way, told, once)


def _run(way: Pipeline, step: Callable[[], Any], once: bool) -> None:
    """`step` until it has nothing left; without `once`, again after a pause, until a signal.

    What does not work now but may later ends only a run that is `once`.
    """
    with only_worker(way.settings.data):
        stop, pause = stop_event(), _PAUSE_SECONDS
        while not stop.is_set():
            try:
                if step():
                    continue
                pause = _PAUSE_SECONDS
            except Transient as error:
                if once:
                    raise
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                fail(f"{error}; it is tried again in {pause:g} s")
            if once:
                return
            stop.wait(pause)
