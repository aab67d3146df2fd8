"""The way as boxes: what each stage holds, what the next has not taken, and whether that is as it should be. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from ..settings import Settings
from ..status import Waiting
from .answers import Failed
from .charts import Health, Stage
from .charts.formats import compact, count, duration, size
from .facts import Facts, is_local
from .lake import LATE

STUCK = timedelta(minutes=15)

T = TypeVar("T")


def known(part: T | Failed) -> T | None:
    return None if isinstance(part, Failed) else part


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago; by odd clocks things come later than now."""
    if moment is None:
        return "nothing yet"
    seconds = (now - moment).total_seconds()
    return f"{duration(round(seconds))} ago" if seconds >= 1 else "just now"


def health(facts: Facts, waits: Waiting | None) -> Health:
    """Of the stage that is to take what waits."""
    if not facts.worker or waits is None:
        return Health.bad
    age = facts.at - waits.since if waits.since else timedelta()
    return Health.bad if age > STUCK else Health.warn if age > LATE else Health.good


def in_stream(facts: Facts) -> Waiting | None:
    stream = known(facts.stream)
    return stream.waiting if stream else None


def stages(facts: Facts, settings: Settings) -> list[Stage]:
    return [
        _collect(facts, settings),
        _stream(facts),
        _bronze(facts, settings),
        _silver(facts),
        _gold(facts),
        _reports(facts),
    ]


def _collect(facts: Facts, settings: Settings) -> Stage:
    books = known(facts.books)
    return Stage(
        "collect",
        _per_minute(books.received_rate) if books else "?",
        [f"{'answers' if facts.collector else 'nobody answers'} at {settings.collect.address}"],
        health=Health.good if facts.collector else Health.bad,
    )


def _stream(facts: Facts) -> Stage:
    stream, disk = known(facts.stream), known(facts.disk)
    replayable = stream.replayable if stream else None
    return Stage(
        "stream",
        "?" if replayable is None else f"{compact(replayable)} records",
        [
            _why(facts.stream) if stream is None else "not counted" if replayable is None else "can be replayed",
            *([size(disk.sizes["stream"])] if disk and "stream" in disk.sizes else []),
        ],
        _waiting(in_stream(facts), "records", facts.at),
        Health.good if stream else Health.bad,
    )


def _bronze(facts: Facts, settings: Settings) -> Stage:
    books, disk = known(facts.books), known(facts.disk)
    return Stage(
        "bronze",
        size(disk.sizes.get("bronze", 0)) if disk and is_local(settings) else "in its bucket",
        [f"in {_per_minute(books.received_rate)}" if books else _why(facts.books)],
        _waiting(known(facts.bronze), "objects", facts.at),
        health(facts, in_stream(facts)),
    )


def _silver(facts: Facts) -> Stage:
    silver, books = known(facts.silver), known(facts.books)
    return Stage(
        "silver",
        f"{compact(silver.events)} events" if silver else "?",
        [
            f"newest {ago(silver.newest, facts.at)}" if silver else _why(facts.silver),
            f"in {_per_minute(books.refined_rate)}" if books else _why(facts.books),
            *([f"{count(silver.quarantined)} in quarantine"] if silver else []),
        ],
        f"{count(silver.unshown)} commits" if silver and silver.unshown else "nothing waits",
        health(facts, known(facts.bronze)) if silver else Health.bad,
        "#h-ledger",
    )


def _gold(facts: Facts) -> Stage:
    gold = known(facts.gold)
    if gold is None:
        return Stage("gold", "?", [_why(facts.gold)], health=Health.bad)
    told = [f"{count(gold.sessions)} sessions", f"to {gold.newest[:16].replace('T', ' ')}" if gold.newest else "empty"]
    return Stage("gold", f"{compact(gold.hours)} hours", told, health=Health.good if facts.worker else Health.bad)


def _reports(facts: Facts) -> Stage:
    silver = known(facts.silver)
    before = health(facts, in_stream(facts)), health(facts, known(facts.bronze))
    return Stage(
        "reports",
        ago(silver.newest if silver else None, facts.at),
        ["read silver and gold"],
        health=Health.good if set(before) == {Health.good} else Health.warn,
        href="/",
    )


def _per_minute(rate: float) -> str:
    return f"{compact(round(rate, 1))} / min"


def _waiting(waits: Waiting | None, things: str, now: datetime) -> str:
    if waits is None:
        return "?"
    since = f", {duration(max((now - waits.since).total_seconds(), 0))}" if waits.since else ""
    return f"{count(waits.number)} {things}{since}" if waits.number else "nothing waits"


def _why(part: object) -> str:
    return part.message if isinstance(part, Failed) else ""
