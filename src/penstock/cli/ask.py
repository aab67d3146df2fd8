"""`sql`, `counts`, `status`, `verify`: answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from ..api import SqlError
from ..clock import duration, utc_now
from ..errors import PenstockError
from ..gold.catalog import Grain
from ..ledger import Balance, Ledger
from ..reports.counts import Counts, known, start, summed_up
from ..reports.counts import counts as count_events
from ..status import status as stages
from ..verify import verify as recount
from .options import As, Config, Data, existing
from .output import Format, fail, note, progress, rows, say

_HOURS_SHOWN = 24


def add_to(app: typer.Typer) -> None:
    app.command()(sql)
    app.command()(counts)
    app.command()(status)
    app.command()(verify)


def sql(
    query: Annotated[str, typer.Argument(help="SQL (DuckDB's) over events, quarantine, ledger and the rollups.")],
    format: As = Format.table,
    data: Data = None,
    config: Config = None,
) -> None:
    """Ask the lake anything. Times are UTC."""
    with existing(data, config) as lake:
        try:
            answer = lake.sql(query)
            if answer is not None:
                rows(answer.columns, answer.fetchall(), format)
        except SqlError as error:
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
    """How often an event happened, from gold, or the AWS functions' counters; the running hour is included."""
    back = duration(last)
    with existing(data, config) as lake:
        now, table = utc_now(), lake.pipeline.settings.counters_table
        if table is not None:
            answer, others = _of_counters(table, event, now - back, now, by), []
        else:
            gold = lake.pipeline.gold
            answer = count_events(gold, event, since=now - back, until=now, by=by, bots=bots)
            others = [] if answer.total or answer.bots_left_out else known(gold)
    days = by is Grain.day
    rows((by.value, "events"), [(row.bucket.date() if days else row.bucket, row.events) for row in answer.rows], format)
    if format is Format.table:
        say(f"total {answer.total}")
    if answer.bots_left_out:
        note(f"{answer.bots_left_out} events of known crawlers are not counted; --bots counts them")
    if others and event not in others:
        note(f"no event is called {event!r}; there are {', '.join(others)}")


def _of_counters(table: str, event: str, since: datetime, until: datetime, by: Grain) -> Counts:
    """Those that the AWS function keeps, in which crawlers are not told apart."""
    from ..gold import counters

    return Counts(summed_up(counters.read(table, event, start(since, by), until), since=since, until=until, by=by), 0)


def status(format: As = Format.table, data: Data = None, config: Config = None) -> None:
    """Every stage: what is in it, what waits, how fresh it is."""
    with existing(data, config) as lake:
        rows(("stage", "holds", "waiting", "newest"), stages(lake.pipeline), format)


def verify(format: As = Format.table, data: Data = None, config: Config = None) -> None:
    """Recount everything from the files; ends with 1 on any difference."""
    with existing(data, config) as lake, progress("recounting") as tell:
        found = recount(lake.pipeline, tell)
    names = ("hour", "source", "received", "stored", "duplicate", "quarantined", "in_flight")
    balances = found.ledger.sorted()
    shown = _worth_seeing(balances) if format is Format.table else balances
    rows(names, [[getattr(balance, name) for name in names] for balance in shown], format)
    if len(shown) < len(balances):
        note(f"{len(balances) - len(shown)} earlier rows that balance are not shown; --format csv shows all")
    for problem in found.problems:
        fail(problem)
    if found.problems:
        raise typer.Exit(1)
    if format is Format.table:
        say(_balanced(found.ledger))


def _worth_seeing(balances: list[Balance]) -> list[Balance]:
    """The newest, and those that are wrong."""
    return [*(b for b in balances[:-_HOURS_SHOWN] if not b.balanced), *balances[-_HOURS_SHOWN:]]


def _balanced(ledger: Ledger) -> str:
    names = {"stored": "stored", "duplicate": "duplicate", "quarantined": "quarantined", "in_flight": "in flight"}
    parts = " + ".join(f"{ledger.total(name)} {words}" for name, words in names.items())
    return f"balanced: {ledger.total('received')} received = {parts}"
