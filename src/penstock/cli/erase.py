"""`erase`: one person or session, out of everything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import msgspec
import typer

from ..errors import PenstockError
from ..pipeline import Pipeline
from ..silver.erase import Receipt, Who
from ..worker_lock import only_worker, worker_runs
from .options import Config, Data, pipeline
from .output import note, say

_WAIT_SECONDS = 3600.0

User = Annotated[str | None, typer.Option("--user-id", help="The person, as `user_id` has it.")]
Anonymous = Annotated[str | None, typer.Option("--anonymous-id", help="Or as `anonymous_id` has it.")]
Session = Annotated[str | None, typer.Option("--session-id", help="Or one session.")]
Save = Annotated[Path | None, typer.Option("--receipt", help="Write the receipt to this file too, as JSON.")]


def add_to(app: typer.Typer) -> None:
    app.command()(erase)


def erase(
    user_id: User = None,
    anonymous_id: Anonymous = None,
    session_id: Session = None,
    receipt: Save = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Take a person's events out of silver, quarantine, bronze and gold, for good; prints what was rewritten.

    If a worker runs, it does it, between two rounds. Silver that a rebuild has kept is deleted.
    """
    given = {who: value for who, value in zip(get_args(Who), (user_id, anonymous_id, session_id), strict=True) if value}
    if len(given) != 1:
        raise PenstockError("say whom: one of --user-id, --anonymous-id, --session-id")
    ((who, value),) = given.items()
    with pipeline(data, config) as way:
        done = _done(way, who, value)
    if receipt is not None:
        receipt.write_bytes(msgspec.json.format(msgspec.json.encode(done)) + b"\n")
    for line in told(done):
        say(line)
    if done.unsearchable:
        note(f"{len(done.unsearchable)} damaged files could not be searched: {', '.join(done.unsearchable)}")


def _done(way: Pipeline, who: Any, value: str) -> Receipt:
    if worker_runs(way.settings.data):
        note("asking the worker")
        answer = way.requests.ask("erase", {"who": who, "value": value}, seconds=_WAIT_SECONDS)
        return msgspec.convert(answer, Receipt)
    with only_worker(way.settings.data):
        return way.erase(who, value)


def told(done: Receipt) -> list[str]:
    """The receipt for people."""
    events = done.stored + done.duplicate + done.quarantined
    return [
        f"{events} events erased: {done.stored} stored, {done.duplicate} duplicate, {done.quarantined} quarantined",
        f"rewritten: {len(done.bronze_objects)} objects of bronze, {done.silver_files} files of silver,"
        f" {done.quarantine_files} of quarantine; gold was counted again",
        f"the stream no longer replays what came before {done.at}, and drops it as its files are closed",
    ]
