"""Status: the way as it is, what came against what ended, what lies in quarantine, and the machine under it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup

from ...alerts.notice import Notice
from ...books import Books, Line
from ...setting_sections import AlertSettings
from ...settings import Settings
from ...silver.drift import Drift
from ...silver.quarantine import REASONS, WHOLE_FILE, Reason
from ..answers import Failed
from ..charts import Series, bars, flow
from ..charts.formats import count, counted, duration, size
from ..command import command
from ..facts import Asked, Facts, Quarantined, TableFacts, asked, drifted, gather
from ..lake import LATE
from ..page import Page
from ..stages import ago, in_stream, known, stages
from ..state import State

_FREE_SHARE = 0.05
_HOURS_AT_ONCE = 12
_FIELDS_SHOWN = 20
_TOLD = 10
"""Of the alerts' history."""


# what is not as it should be


def troubles(facts: Facts, settings: Settings) -> list[str]:
    """One sentence each; none if all is well."""
    found = []
    if not facts.collector:
        found.append(f"The collector does not answer at {settings.collect.address}.")
    if not facts.worker:
        found.append(f"The worker is not running, so nothing moves on: {command(settings, 'up')}")
    for part, things in ((in_stream(facts), "stream"), (known(facts.bronze), "bronze")):
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


# the ledger


class LedgerRow(NamedTuple):
    """`mark`: balanced, or for how many the end is not known (+), or too many ended (−)."""

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
        f" + {counted(books.total('duplicate'), 'duplicate')} + {count(books.total('quarantined'))} quarantined"
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
        f"{count(done.tried)} judged again: {count(done.stored)} stored, {counted(done.duplicate, 'duplicate')},"
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


class Told(NamedTuple):
    """Of the history: when, of what, what was so."""

    at: str
    alert: str
    what: str
    is_over: bool
    says: str


def told_row(notice: Notice) -> Told:
    is_over = notice.state == "over"
    lasted = duration(max(0.0, (notice.at - notice.firing_since).total_seconds()))
    what = f"over, after {lasted}" if is_over else f"fired: {notice.layer}"
    return Told(f"{notice.at:%Y-%m-%d %H:%M}", notice.alert, what, is_over, "; ".join(notice.says))


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
        "told": [told_row(each) for each in facts.alert_history[:_TOLD]],
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
