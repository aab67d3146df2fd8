"""`sql`, `counts`, `status`, `verify`, `quarantine`: answers."""

from __future__ import annotations

from typing import Annotated

import duckdb
import typer

from ..api import OpenLake
from ..clock import duration, utc_now
from ..errors import PenstockError
from ..pipeline import Pipeline
from ..reports.counts import Grain
from ..reports.counts import counts as count_events
from ..settings import load
from ..silver.quarantine import LIST, MEANING
from ..status import status as stages
from ..verify import verify as recount
from .options import Config, Data, pipeline
from .output import Format, fail, note, progress, rows, say

As = Annotated[Format, typer.Option("--format", help="How rows are written.")]


def add_to(app: typer.Typer) -> None:
    app.command()(sql)
    app.command()(counts)
    app.command()(status)
    app.command()(verify)
    quarantine = typer.Typer(no_args_is_help=True, help="What could not become a row.")
    quarantine.command("list")(quarantine_list)
    app.add_typer(quarantine, name="quarantine")


def sql(
    query: Annotated[str, typer.Argument(help="SQL (DuckDB's) over events, quarantine, ledger and the rollups.")],
    format: As = Format.table,
    data: Data = None,
    config: Config = None,
) -> None:
    """Ask the lake anything. Times are UTC."""
    with OpenLake(Pipeline(load(config, data=data))) as lake:
        try:
            answer = lake.sql(query)
            if answer is not None:
                rows(answer.columns, answer.fetchall(), format)
        except duckdb.Error as error:
            raise PenstockError(str(error)) from error


def counts(
    event: Annotated[str, typer.Argument(help="Event type, for example purchase.")],
    last: Annotated[str, typer.Option("--last", help="How far back: 90m, 24h, 7d.")] = "24h",
    by: Annotated[Grain, typer.Option("--by", help="One row per hour or day.")] = Grain.hour,
    bots: Annotated[bool, typer.Option("--bots", help="Count known crawlers too.")] = False,
    format: As = Format.table,
    data: Data = None,
    config: Config = None,
) -> None:
    """How often an event happened, from gold; the running hour is included."""
    with pipeline(data, config) as way:
        answer = count_events(way.gold, event, since=utc_now() - duration(last), until=utc_now(), by=by, bots=bots)
    rows((by.value, "events"), [(row.bucket, row.events) for row in answer.rows], format)
    if format is Format.table:
        say(f"total {answer.total}")
    if answer.bots_left_out:
        note(f"{answer.bots_left_out} events of known crawlers are not counted; --bots counts them")


def status(format: As = Format.table, data: Data = None, config: Config = None) -> None:
    """Every stage: what is in it, what waits, how fresh it is."""
    with pipeline(data, config) as way:
        rows(("stage", "holds", "waiting", "newest"), stages(way), format)


def verify(format: As = Format.table, data: Data = None, config: Config = None) -> None:
    """Recount everything from the files; ends with 1 on any difference."""
    with pipeline(data, config) as way, progress("recounting") as tell:
        found = recount(way, tell)
    names = ("hour", "source", "received", "stored", "duplicate", "quarantined", "in_flight", "balanced")
    table = [
        (row.hour, row.source, row.received, row.stored, row.duplicate, row.quarantined, row.in_flight, row.balanced)
        for row in found.ledger.sorted()
    ]
    rows(names, table, format)
    for problem in found.problems:
        fail(problem)
    if found.problems:
        raise typer.Exit(1)
    if format is Format.table:
        total = found.ledger.total
        say(
            f"balanced: {total('received')} received = {total('stored')} stored + {total('duplicate')} duplicate"
            f" + {total('quarantined')} quarantined + {total('in_flight')} in flight"
        )


def quarantine_list(format: As = Format.table, data: Data = None, config: Config = None) -> None:
    """The reasons, how often each, and one example."""
    with OpenLake(Pipeline(load(config, data=data))) as lake:
        answer = lake.sql(LIST)
        names, values = answer.columns, answer.fetchall()
    rows([*names, "meaning"], [(*row, MEANING.get(row[0], "")) for row in values], format)
