"""The ledger of late, as cheap as a page needs it: what objects say by their names against what the ledger counted.

An object of the stream says in its name which records it holds. So of each one that came in the last hours it can be
told, without reading it, whether all its events ended somewhere; only where the two differ it is read. Days before
that, and what a name does not say, are shown as the ledger has them: `penstock verify` recounts every file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from .api import OpenLake
from .bronze.expire import kept_since
from .bronze.layout import arrival, day_folder, hour_folder, span
from .bronze.lines import read_lines
from .bronze.store import Bronze
from .errors import BadFile
from .ledger import Balance
from .silver import snapshot
from .status import Waiting, in_stream

HOURS = 48
DAYS = 30
RATE_MINUTES = 5
_MOST_READ = 20
"""Objects that differ; if more do, something is wrong that a page should not look for."""

_ENDED = """
    select case when received_hour between $since and $now then received_hour
                else date_trunc('day', received_hour) end as start,
           case when day >= $day and bronze_file >= $first and bronze_file < $last then bronze_file end as file,
           outcome, sum(events)::bigint as events
    from ledger group by all order by all
"""


class Line(NamedTuple):
    """An hour, a day, or everything before; `is_checked` if received was counted where events came in."""

    name: str
    balance: Balance
    is_checked: bool


@dataclass
class Books:
    """`lines` newest first. `waiting` is in the stream, and in no line. Rates are events per minute."""

    lines: list[Line] = field(default_factory=list)
    waiting: Waiting = field(default_factory=Waiting)
    problems: list[str] = field(default_factory=list)
    received_rate: float = 0.0
    refined_rate: float = 0.0
    uncounted: int = 0
    """Files of others that silver has not taken: nobody knows yet how many events are in them."""

    def total(self, what: str) -> int:
        return sum(getattr(line.balance, what) for line in self.lines)

    @property
    def received(self) -> int:
        return self.total("received") + self.waiting.number

    @property
    def in_flight(self) -> int:
        return self.total("in_flight") + self.waiting.number


def books(lake: OpenLake, now: datetime) -> Books:
    """It reads against the current, ledger first and stream last; so what moves on meanwhile is in flight, not lost."""
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    found = Books()
    hours, per_file = _ended(lake, since, now)
    _stored_agrees(lake, hours, found)
    _check(lake.pipeline.lake.bronze, since, now, per_file, hours, found)
    found.waiting = in_stream(lake.pipeline)
    if found.waiting.since is not None and found.waiting.since >= now - timedelta(minutes=RATE_MINUTES):
        found.received_rate += found.waiting.number / RATE_MINUTES
    found.lines = _lines(hours, since, now)
    return found


Hours = dict[datetime, Balance]


def _ended(lake: OpenLake, since: datetime, now: datetime) -> tuple[Hours, dict[str, int]]:
    """Where events ended, by the hour of receipt (before `since`, and after `now`, by the day); and of which object.

    What was received is their sum, so far.
    """
    hours: Hours = {}
    per_file: dict[str, int] = {}
    files = {"day": since.date(), "first": hour_folder(since), "last": hour_folder(now + timedelta(hours=1))}
    for start, file, outcome, events in lake.sql(_ENDED, {"since": since, "now": now, **files}).fetchall():
        balance = _at(hours, start.astimezone(UTC))
        setattr(balance, outcome, getattr(balance, outcome) + events)
        balance.received += events
        if file is not None:
            per_file[file] = per_file.get(file, 0) + events
    return hours, per_file


def _at(hours: Hours, start: datetime) -> Balance:
    return hours.setdefault(start, Balance(start, ""))


def _stored_agrees(lake: OpenLake, hours: Hours, found: Books) -> None:
    told = sum(balance.stored for balance in hours.values())
    there = snapshot.count(lake.pipeline.lake.silver.events)
    if told != there:
        found.problems.append(f"the ledger says {told:,} stored, the files of silver hold {there:,}")


def _check(
    bronze: Bronze, since: datetime, now: datetime, per_file: dict[str, int], hours: Hours, found: Books
) -> None:
    """Objects that came from `since` on: what is in no ledger is in flight; a difference is received, or lost."""
    there = _objects(bronze, since, now)
    recently = _minute(now - timedelta(minutes=RATE_MINUTES))
    differ = []
    for key, records in there.items():
        at, ended = _hour(key), per_file.get(key)
        if ended is None:
            _at(hours, at).received += records or 0
            _at(hours, at).in_flight += records or 0
            found.uncounted += records is None
        elif records is not None and records != ended:
            differ.append(key)
        if key >= recently:
            found.received_rate += (records if records is not None else ended or 0) / RATE_MINUTES
            found.refined_rate += (ended or 0) / RATE_MINUTES
    for nth, key in enumerate(sorted(differ)):
        read = _count(bronze, key) if nth < _MOST_READ else there[key] or 0
        if read != per_file[key]:
            _at(hours, _hour(key)).received += read - per_file[key]
            found.problems.append(f"{key} has {read:,} events, the ledger says {per_file[key]:,}")
    _holes(bronze, there, per_file, hours, found)


def _objects(bronze: Bronze, since: datetime, now: datetime) -> dict[str, int | None]:
    """Key → how many records its name says; None if somebody else named it."""
    found: dict[str, int | None] = {}
    hour = since
    while hour <= now:
        for entry in bronze.list(hour_folder(hour)):
            part = span(entry.key)
            found[entry.key] = part.last - part.first + 1 if part else None
        hour += timedelta(hours=1)
    return found


def _holes(bronze: Bronze, there: dict[str, int | None], per_file: dict[str, int], hours: Hours, found: Books) -> None:
    """Objects that are gone, and records between two of a shard's objects that are in none."""
    expired = kept_since(bronze)
    first = day_folder(expired) if expired else ""
    for key, ended in sorted(per_file.items()):
        if span(key) is not None and key not in there and key >= first:
            _at(hours, _hour(key)).received -= ended
            found.problems.append(f"{key} is in the ledger, but gone from bronze")
    parts = sorted((part, key) for key in there if (part := span(key)) is not None)
    for (before, _), (part, key) in pairwise(parts):
        if part.shard == before.shard and part.first > before.last + 1:
            missing = part.first - before.last - 1
            _at(hours, _hour(key)).received += missing
            found.problems.append(f"shard {part.shard}: {missing:,} records before {key} are missing in bronze")


def _count(bronze: Bronze, key: str) -> int:
    try:
        lines = read_lines(bronze.get(key))
    except (BadFile, FileNotFoundError):
        return 1
    return len(lines.text) + len(lines.bad)


def _hour(key: str) -> datetime:
    return (arrival(key) or datetime(1970, 1, 1, tzinfo=UTC)).replace(minute=0)


def _minute(moment: datetime) -> str:
    """The start of keys that came in this minute."""
    return f"{hour_folder(moment)}minute={moment.astimezone(UTC):%M}/"


def _lines(hours: Hours, since: datetime, now: datetime) -> list[Line]:
    found: dict[tuple[str, bool], Balance] = {}
    for start in sorted(hours, reverse=True):
        line = found.setdefault(_name(start, since, now), Balance(start, ""))
        for what in ("received", "stored", "duplicate", "quarantined", "in_flight"):
            setattr(line, what, getattr(line, what) + getattr(hours[start], what))
    return [Line(name, balance, is_checked) for (name, is_checked), balance in found.items()]


def _name(start: datetime, since: datetime, now: datetime) -> tuple[str, bool]:
    if start > now:
        return "in the future", False
    if start >= since:
        return f"{start:%Y-%m-%d %H}:00", True
    return ("before" if start < since - timedelta(days=DAYS) else f"{start:%Y-%m-%d}"), False
