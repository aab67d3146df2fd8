"""`simulate`: traffic of a shop and a web site that do not exist, as files or to a collector."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from ..clock import duration, moment, utc_now
from ..errors import PenstockError
from ..hosts.process import stop_event
from ..simulator.dirt import CLEAN, MIX
from ..simulator.plan import Kind, Plan
from ..simulator.send import Sender
from ..simulator.write import TRUTH, write
from .output import progress, say

_RATE = re.compile(r"([0-9]{1,9})(?:/([smh]))?")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _share(name: str, help: str) -> object:
    return typer.Option(f"--{name}", help=f"Share, 0 to 1: {help}", min=0, max=1, show_default=False)


def add_to(app: typer.Typer) -> None:
    app.command()(simulate)


def simulate(
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the files and truth.json.", show_default=False)
    ] = None,
    events: Annotated[int, typer.Option("--events", help="How many happen in the time of each file.", min=1)] = 750_000,
    every: Annotated[str, typer.Option("--every", help="Simulated time of a file: 90s, 5m, 2h, 1d.")] = "5m",
    files: Annotated[int, typer.Option("--files", help="How many files.", min=1)] = 1,
    start: Annotated[
        str, typer.Option("--start", help="When the first file's time begins (UTC), or how long ago.")
    ] = "2026-02-01",
    url: Annotated[
        str | None, typer.Option("--url", help="Send to this collector instead, as of now.", show_default=False)
    ] = None,
    rate: Annotated[str, typer.Option("--rate", help="How fast to send: 2500/s, 600/m.")] = "100/s",
    key: Annotated[str | None, typer.Option("--key", help="Write key of the source.")] = None,
    seconds: Annotated[str | None, typer.Option("--for", help="How long to send.", show_default="until Ctrl-C")] = None,
    profile: Annotated[Kind, typer.Option("--profile", help="Who visits.")] = Kind.shop,
    seed: Annotated[int, typer.Option("--seed", help="Another number, other visitors.", min=0)] = 1,
    dirt: Annotated[bool, typer.Option("--dirt", help="Some of all that follows; each can be set besides.")] = False,
    malformed: Annotated[float | None, _share("malformed", "lines that are no event.")] = None,
    wrong_types: Annotated[float | None, _share("wrong-types", "a field of another type or spelling.")] = None,
    duplicates: Annotated[float | None, _share("duplicates", "written again, now or some files later.")] = None,
    late: Annotated[float | None, _share("late", "written up to twelve files later.")] = None,
    skew: Annotated[float | None, _share("skew", "of sessions whose sender's clock is wrong by up to 6 hours.")] = None,
    drift: Annotated[float | None, _share("drift", "in the second half, more fields and prices as text.")] = None,
) -> None:
    """Write files as a shop or the tracker would, with the true answers beside; or send the same to a collector."""
    if (out is None) == (url is None):
        raise PenstockError("give either --out or --url", hint="penstock simulate --out DIR writes files")
    given = {
        "malformed": malformed,
        "wrong_types": wrong_types,
        "duplicates": duplicates,
        "late": late,
        "skew": skew,
        "drift": drift,
    }
    shares = replace(MIX if dirt else CLEAN, **{name: share for name, share in given.items() if share is not None})
    plan = Plan(
        events=events,
        every_ms=duration(every) // _MS,
        start_ms=(moment(start, utc_now()) - _EPOCH) // _MS,
        files=files,
        kind=profile,
        seed=seed,
        dirt=shares,
    )
    if out is not None:
        _write(plan, out)
    elif url is not None:
        _send(Sender(url, plan, _per_second(rate), key), duration(seconds) if seconds else None)


def _write(plan: Plan, out: Path) -> None:
    with progress("simulating") as tell:
        totals = write(plan, out, tell)["totals"]
    counts = ", ".join(f"{totals[name]} {name}" for name in ("lines", "events", "duplicates", "malformed", "late"))
    say(f"{totals['files']} files in {out}: {counts}; the true answers are in {out / TRUTH}")


def _send(sender: Sender, lasting: timedelta | None) -> None:
    sender.run(stop_event(), lasting.total_seconds() if lasting else None)
    counts = ", ".join(f"{sender.counts[name]} {name}" for name in ("accepted", "quarantined", "refused"))
    say(f"{counts}; {sender.counts['repeated']} requests repeated")


def _per_second(rate: str) -> float:
    found = _RATE.fullmatch(rate)
    if not found or not int(found[1]):
        raise PenstockError(f"{rate!r} is no rate", hint="write for example 2500/s or 600/m")
    return int(found[1]) / _SECONDS[found[2] or "s"]
