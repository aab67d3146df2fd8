"""Status: the way as it is, what came against what ended, what lies in quarantine, and the machine under it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar

from markupsafe import Markup

from ...books import Books, Line
from ...settings import AlertSettings, Settings
from ...silver.drift import Drift
from ...silver.quarantine import REASONS, WHOLE_FILE, Reason
from ...status import Waiting
from ..answers import Failed
from ..charts import Health, Series, Stage, bars, flow
from ..charts.formats import compact, count, duration, size
from ..command import command
from ..facts import Asked, Facts, Quarantined, TableFacts, address, asked, drifted, gather, is_local
from ..lake import LATE
from ..page import Page
from ..state import State

STUCK = timedelta(minutes=15)
_FREE_SHARE = 0.05
_HOURS_AT_ONCE = 12
_FIELDS_SHOWN = 20

T = TypeVar("T")


def known(part: T | Failed) -> T | None:
    return None if isinstance(part, Failed) else part


# the way


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago; by odd clocks things come later than now."""
    if moment is None:
        return "nothing yet"
    seconds = (now - moment).total_seconds()
    return f"{duration(round(seconds))} ago" if seconds >= 1 else "just now"


def per_minute(rate: float) -> str:
    return f"{compact(round(rate, 1))} / min"


def health(facts: Facts, waits: Waiting | None) -> Health:
    """Of the stage that is to take what waits."""
    if not facts.worker or waits is None:
        return Health.bad
    age = facts.at - waits.since if waits.since else timedelta()
    return Health.bad if age > STUCK else Health.warn if age > LATE else Health.good


def waiting(waits: Waiting | None, things: str, now: datetime) -> str:
    if waits is None:
        return "?"
    since = f", {duration(max((now - waits.since).total_seconds(), 0))}" if waits.since else ""
    return f"{count(waits.number)} {things}{since}" if waits.number else "nothing waits"


def stages(facts: Facts, settings: Settings) -> list[Stage]:
    now = facts.at
    stream, bronze = known(facts.stream), known(facts.bronze)
    silver, gold, books = known(facts.silver), known(facts.gold), known(facts.books)
    disk = known(facts.disk)
    in_stream = stream.waiting if stream else None
    stopped = Health.good if facts.worker else Health.bad
    newest = silver.newest if silver else None
    late = health(facts, in_stream), health(facts, bronze)
    return [
        Stage(
            "collect",
            per_minute(books.received_rate) if books else "?",
            [f"{'answers' if facts.collector else 'nobody answers'} at {address(settings)}"],
            health=Health.good if facts.collector else Health.bad,
        ),
        Stage(
            "stream",
            f"{compact(stream.replayable)} records" if stream else "?",
            [
                "can be replayed" if stream else _why(facts.stream),
                *([size(disk.sizes["stream"])] if disk and "stream" in disk.sizes else []),
            ],
            waiting(in_stream, "records", now),
            Health.good if stream else Health.bad,
        ),
        Stage(
            "bronze",
            size(disk.sizes.get("bronze", 0)) if disk and is_local(settings) else "in its bucket",
            [f"in {per_minute(books.received_rate)}" if books else _why(facts.books)],
            waiting(bronze, "objects", now),
            late[0],
        ),
        Stage(
            "silver",
            f"{compact(silver.events)} events" if silver else "?",
            [
                f"newest {ago(newest, now)}" if silver else _why(facts.silver),
                f"in {per_minute(books.refined_rate)}" if books else _why(facts.books),
                *([f"{count(silver.quarantined)} in quarantine"] if silver else []),
            ],
            f"{count(silver.unshown)} commits" if silver and silver.unshown else "nothing waits",
            late[1] if silver else Health.bad,
            "#h-ledger",
        ),
        Stage(
            "gold",
            f"{compact(gold.hours)} hours" if gold else "?",
            [f"{count(gold.sessions)} sessions", f"to {gold.newest[:16].replace('T', ' ')}" if gold.newest else "empty"]
            if gold
            else [_why(facts.gold)],
            health=stopped if gold else Health.bad,
        ),
        Stage(
            "reports",
            ago(newest, now),
            ["read silver and gold"],
            health=Health.warn if Health.bad in late or Health.warn in late else Health.good,
            href="/",
        ),
    ]


def _why(part: object) -> str:
    return part.message if isinstance(part, Failed) else ""


# what is not as it should be


def troubles(facts: Facts, settings: Settings) -> list[str]:
    """One sentence each; none if all is well."""
    found = []
    if not facts.collector:
        found.append(f"The collector does not answer at {address(settings)}.")
    if not facts.worker:
        found.append(f"The worker is not running, so nothing moves on: {command(settings, 'up')}")
    for part, things in ((_in_stream(facts), "stream"), (known(facts.bronze), "bronze")):
        if part is not None and part.since is not None and facts.at - part.since > LATE:
            found.append(
                f"Events have been waiting in {things} for {duration((facts.at - part.since).total_seconds())}."
            )
    if (books := known(facts.books)) is not None and not is_balanced(books):
        found.append("The ledger is not balanced.")
    if (disk := known(facts.disk)) is not None and disk.free < _FREE_SHARE * disk.total:
        found.append(f"Only {size(disk.free)} of the disk are left.")
    for name, state in facts.alerts.items():
        if state.firing_since is not None and name in {alert.name for alert in settings.alerts}:
            found.append(f"Alert {name} fires" + (f": {state.layer}." if state.layer else "."))
    return found


def _in_stream(facts: Facts) -> Waiting | None:
    stream = known(facts.stream)
    return stream.waiting if stream else None


# the ledger


class LedgerRow(NamedTuple):
    """`mark`: balanced, or how many too many (−) or too few (+) were received."""

    name: str
    cells: tuple[str, ...]
    mark: str
    is_good: bool


def is_balanced(books: Books) -> bool:
    return not books.problems and all(line.balance.balanced for line in books.lines)


def ledger_row(line: Line) -> LedgerRow:
    each = line.balance
    ended = each.stored + each.duplicate + each.quarantined + each.in_flight
    numbers = (each.received, each.stored, each.duplicate, each.quarantined, each.in_flight)
    mark = f"{each.received - ended:+,}" if not each.balanced else "balanced" if line.is_checked else "by the ledger"
    return LedgerRow(line.name, tuple(map(count, numbers)), mark, each.balanced)


@dataclass(frozen=True)
class LedgerCard:
    books: Books
    is_balanced: bool
    total: str
    chart: Markup | None
    recent: Sequence[LedgerRow]
    rest: Sequence[LedgerRow]


def ledger(books: Books) -> LedgerCard:
    rows = [ledger_row(line) for line in books.lines]
    hours = [line for line in reversed(books.lines) if line.is_checked]
    points = [(line.balance.hour, line.balance.received) for line in hours]
    total = (
        f"{count(books.received)} received = {count(books.total('stored'))} stored"
        f" + {count(books.total('duplicate'))} duplicates + {count(books.total('quarantined'))} quarantined"
        f" + {count(books.in_flight)} in flight"
    )
    chart = bars(Series("Received", points), grain="hour", running=True) if len(points) > 1 else None
    cut = _HOURS_AT_ONCE
    return LedgerCard(books, is_balanced(books), total, chart, rows[:cut], rows[cut:])


# quarantine, alerts, drift


class QuarantineRow(NamedTuple):
    found: Quarantined
    meaning: str
    remedy: str
    last: str
    is_file: bool
    """No line of it can be judged again."""


def quarantine_row(found: Quarantined, now: datetime) -> QuarantineRow:
    is_file = found.line.endswith(f":{WHOLE_FILE}")
    meaning, remedy = REASONS.get(found.reason, Reason("no reason of this version", "see `penstock quarantine show`"))
    return QuarantineRow(found, sentence(meaning), sentence(remedy.replace("`", "")), ago(found.last, now), is_file)


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def replayed(asked: Asked | None, facts: Facts) -> str:
    """What became of what was asked, for people."""
    if asked is None:
        return ""
    if asked.waits:
        return "The worker is judging …" if facts.worker else "The worker will judge when it runs again."
    if (done := asked.done) is None:
        return "Nobody knows this request any more."
    still = sum(done.still.values())
    gone = f", {count(done.gone)} gone from bronze" if done.gone else ""
    return (
        f"{count(done.tried)} judged again: {count(done.stored)} stored, {count(done.duplicate)} duplicates,"
        f" {count(still)} still in quarantine{gone}."
    )


class AlertRow(NamedTuple):
    name: str
    rule: str
    word: str
    since: str
    says: str


def alert_row(alert: AlertSettings, facts: Facts) -> AlertRow:
    state = facts.alerts.get(alert.name)
    if alert.anomaly:
        rule = "too many or too few of anything" if alert.when is None else f"{alert.when} what is usual"
    else:
        rule = f"{alert.report}: {alert.column} {alert.when} {alert.value:g}"
    if state is None:
        return AlertRow(alert.name, rule, "new", "", "")
    word = f"firing: {state.layer}" if state.word == "firing" and state.layer else state.word
    since = ago(state.firing_since, facts.at) if state.firing_since else ""
    return AlertRow(alert.name, rule, word, since, state.error or "; ".join(state.says))


def drift_rows(found: Drift) -> list[tuple[str, str, str, str]]:
    return [
        (one.path, count(one.events), ", ".join(sorted(one.types)), "in properties" if one.is_kept else "not in silver")
        for one in found.unknown[:_FIELDS_SHOWN]
    ]


def table_row(table: TableFacts, now: datetime) -> tuple[str, ...]:
    kept = ago(table.maintained, now) if table.maintained else "not yet"
    return table.name, count(table.files), count(table.rows), size(table.bytes), kept


# the page


def context(
    facts: Facts, settings: Settings, *, replay: Asked | None = None, drift: Drift | Failed | None = None
) -> Mapping[str, Any]:
    books, quarantine, tables = known(facts.books), known(facts.quarantine), known(facts.tables)
    return {
        "facts": facts,
        "way": flow(stages(facts, settings)),
        "troubles": troubles(facts, settings),
        "ledger": ledger(books) if books is not None else facts.books,
        "verify": command(settings, "verify"),
        "quarantine": [quarantine_row(each, facts.at) for each in quarantine]
        if quarantine is not None
        else facts.quarantine,
        "replay_command": command(settings, "quarantine", "replay"),
        "replayed": replayed(replay, facts),
        "is_asked": replay is not None and replay.waits and facts.worker,
        "alerts": [alert_row(alert, facts) for alert in settings.alerts],
        "tables": [table_row(each, facts.at) for each in tables] if tables is not None else facts.tables,
        "disk": facts.disk,
        "folder": str(settings.data.absolute()),
        "drift": drift_rows(drift) if isinstance(drift, Drift) else drift,
        "drift_command": command(settings, "schema", "--drift"),
    }


async def extra(dashboard: Any, state: State) -> Mapping[str, Any]:
    answers, settings = dashboard.answers, dashboard.settings
    replay_id, wants_drift = state.one("replay"), state.one("look") == "drift"
    facts, drift = await asyncio.gather(answers.run(gather), answers.run(drifted) if wants_drift else _nothing())
    # The answer after the rest: what was done is then in the numbers too.
    replay = await answers.run(lambda lake: asked(lake.pipeline, replay_id)) if replay_id else None
    return await asyncio.to_thread(partial(context, facts, settings, replay=replay, drift=drift))


async def _nothing() -> None:
    return None


async def facts(dashboard: Any) -> Any:
    return await dashboard.answers.run(gather)


PAGE = Page(
    "status",
    "Status",
    own={"replay": "a request to judge quarantine again", "look": "drift: look at the newest events' fields"},
    extra=extra,
    facts=facts,
    key="u",
    takes_filters=False,
    needs_lake=False,
)
