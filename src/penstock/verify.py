"""Recount everything from the files, without believing the ledger → the balance, and every difference found.

It reads against the current, ledger first and stream last, so what moves on meanwhile is seen as in flight, never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import duckdb
import pyarrow as pa

from .bronze.expire import kept_since
from .bronze.layout import NOT_DATA, arrival, day_folder, source, span
from .bronze.lines import Lines, read_lines
from .collect.keys import DEFAULT_SOURCE
from .collect.stamp import MARK
from .errors import BadFile, Transient
from .ledger import Ledger
from .objects import Objects
from .pipeline import Pipeline

Progress = Callable[[int, int], None]


@dataclass
class Verified:
    """`problems` is empty if all is well; each is one sentence."""

    ledger: Ledger = field(default_factory=Ledger)
    problems: list[str] = field(default_factory=list)


def verify(pipeline: Pipeline, progress: Progress = lambda done, total: None) -> Verified:
    """Raises nothing for a difference: it is in `problems`."""
    found = Verified()
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        if not _readable(pipeline, db, found):
            return found
        refined = _per_file(db)
        _ended(db, found)
        _tables_agree(db, found)
        _bronze(pipeline, db, refined, found, progress)
    _stream(pipeline, found)
    for row in found.ledger.sorted():
        if not row.balanced:
            ended = f"{row.stored} stored, {row.duplicate} duplicate, {row.quarantined} quarantined"
            found.problems.append(
                f"{row.hour:%Y-%m-%dT%H} {row.source}: of {row.received} received {ended}, {row.in_flight} in flight"
            )
    return found


def _readable(pipeline: Pipeline, db: duckdb.DuckDBPyConnection, found: Verified) -> bool:
    """Load the three tables; without one of their files there is nothing to compare with."""
    for table in (pipeline.lake.silver.events, pipeline.lake.silver.quarantine, pipeline.lake.silver.ledger):
        sizes = {entry.key: entry.size_bytes for entry in Objects(table.url).list()}
        for path, size in table.sizes().items():
            where = f"{table.url}/{path}"
            if path not in sizes:
                found.problems.append(f"{where} is gone")
            elif sizes[path] != size:
                found.problems.append(f"{where} has {sizes[path]} bytes, it was committed with {size}")
    if not found.problems:
        try:
            for name, sql in pipeline.lake.silver.views().items():
                db.execute(f"create temp table {name} as {_narrow(name, sql)}")
        except (duckdb.Error, Transient) as error:
            found.problems.append(f"silver cannot be read: {str(error).splitlines()[0]}")
    return not found.problems


def _narrow(name: str, sql: str) -> str:
    wanted = {
        "events": "source, event_id, received_at, bronze_file, bronze_line",
        "quarantine": "reason, source, received_at, bronze_file, bronze_line",
        "ledger": "*",
    }[name]
    return f"select {wanted} from ({sql})"


def _per_file(db: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many events the ledger says it read from each object."""
    return dict(db.execute("select bronze_file, sum(events)::bigint from ledger group by bronze_file").fetchall())


def _ended(db: duckdb.DuckDBPyConnection, found: Verified) -> None:
    """Fill in what ended where: stored and quarantined counted from their rows, duplicates from the ledger."""
    counts = {
        "stored": "select date_trunc('hour', received_at), source, count(*) from events group by all",
        "quarantined": "select date_trunc('hour', received_at), source, count(*) from quarantine group by all",
        "duplicate": "select received_hour, source, sum(events)::bigint from ledger"
        " where outcome = 'duplicate' group by all",
    }
    for what, sql in counts.items():
        for hour, sender, events in db.execute(sql).fetchall():
            setattr(found.ledger.at(hour.astimezone(UTC), sender), what, events)


def _tables_agree(db: duckdb.DuckDBPyConnection, found: Verified) -> None:
    for outcome in ("stored", "quarantined"):
        for hour, sender, events in db.execute(
            "select received_hour, source, sum(events)::bigint from ledger where outcome = ? group by all", [outcome]
        ).fetchall():
            counted = getattr(found.ledger.at(hour.astimezone(UTC), sender), outcome)
            if counted != events:
                found.problems.append(
                    f"{hour:%Y-%m-%dT%H} {sender}: the ledger says {events} {outcome}, the files hold {counted}"
                )
    checks = {
        "events are in silver more than once": "select source, event_id from events group by all having count(*) > 1",
        "bronze lines ended in more than one place": "select bronze_file, bronze_line from ("
        "select bronze_file, bronze_line from events union all select bronze_file, bronze_line from quarantine)"
        " group by all having count(*) > 1",
    }
    for text, sql in checks.items():
        [(count,)] = db.execute(f"select count(*) from ({sql})").fetchall()
        if count:
            found.problems.append(f"{count} {text}")


def _bronze(
    pipeline: Pipeline, db: duckdb.DuckDBPyConnection, refined: dict[str, int], found: Verified, progress: Progress
) -> None:
    """Count every line of every object: received; in flight if silver has not taken the object."""
    bronze = pipeline.lake.bronze
    first = _first_kept(pipeline.lake.silver.kept_since())
    keys = sorted(entry.key for entry in bronze.list() if not entry.key.startswith(NOT_DATA) and entry.key >= first)
    gone = refined.keys() - set(keys)
    expired = {key for key in gone if key < _first_kept(kept_since(bronze))}
    found.problems.extend(f"{key} is in the ledger, but gone from bronze" for key in sorted(gone - expired))
    _by_ledger(db, expired, found)
    for index, key in enumerate(keys):
        counts = _count(db, key, bronze.get(key))
        total = sum(counts.values())
        if key in refined and refined[key] != total:
            found.problems.append(f"{key} has {total} events, the ledger says {refined[key]}")
        for (hour, sender), events in counts.items():
            row = found.ledger.at(hour, sender)
            row.received += events
            row.in_flight += 0 if key in refined else events
        progress(index + 1, len(keys))


def _first_kept(day: date | None) -> str:
    """Objects before this key have expired."""
    return day_folder(day) if day else ""


def _by_ledger(db: duckdb.DuckDBPyConnection, expired: Set[str], found: Verified) -> None:
    """Of objects that have expired, nobody but the ledger knows how many events were received."""
    db.register("expired", pa.table({"key": pa.array(sorted(expired), pa.string())}))
    for hour, sender, events in db.execute(
        "select received_hour, source, sum(events)::bigint from ledger"
        " semi join expired on key = bronze_file group by all"
    ).fetchall():
        found.ledger.at(hour.astimezone(UTC), sender).received += events


Counts = dict[tuple[datetime, str], int]


def _count(db: duckdb.DuckDBPyConnection, key: str, data: bytes) -> Counts:
    """Events of one object by (hour of receipt, source)."""
    when = arrival(key) or datetime(1970, 1, 1, tzinfo=UTC)
    try:
        lines = read_lines(data)
    except BadFile:
        return {(_hour(when), source(key)): 1}
    return _count_lines(db, lines, when, source(key))


def _count_lines(db: duckdb.DuckDBPyConnection, lines: Lines, when: datetime, sender: str) -> Counts:
    counts: Counts = {(_hour(when), sender): len(lines.bad)} if lines.bad else {}
    db.register("lines", pa.table({"line": lines.text}))
    rows = db.execute(
        f"""
        select case when starts_with(line, '{MARK.decode()}')
                    then regexp_extract(line, '"received_at":"([^"]{{13}})', 1) else '' end as hour,
               case when starts_with(line, '{MARK.decode()}')
                    then regexp_extract(line, '"source":"([^"]*)"', 1) else '{sender}' end as source,
               count(*)
        from lines group by all
        """
    ).fetchall()
    for text, name, events in rows:
        hour = datetime.fromisoformat(f"{text}:00:00+00:00") if text else _hour(when)
        counts[hour, name] = counts.get((hour, name), 0) + events
    return counts


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _stream(pipeline: Pipeline, found: Verified) -> None:
    """Objects must tile each shard without gap or overlap; what lies behind them is still in the stream."""
    ends = pipeline.stream.ends()
    delivered = _tiles((entry.key for entry in pipeline.lake.bronze.list()), kept_since(pipeline.lake.bronze), found)
    waiting: dict[str, int] = {}
    for shard, end in ends.items():
        if end < delivered.get(shard, 0):
            found.problems.append(f"shard {shard} has {end} records, but bronze holds {delivered[shard]}")
        waiting[shard] = delivered.get(shard, 0)
    if not waiting:
        return
    lines = pipeline.stream.tail(waiting).lines
    with duckdb.connect() as db:
        text = Lines(pa.array([line.decode() for line in lines], pa.large_string()), pa.array([], pa.int64()), [])
        start = datetime(1970, 1, 1, tzinfo=UTC)
        for (hour, sender), events in _count_lines(db, text, start, DEFAULT_SOURCE).items():
            row = found.ledger.at(hour, sender)
            row.received += events
            row.in_flight += events


def _tiles(keys: Iterable[str], expired: date | None, found: Verified) -> dict[str, int]:
    """Shard → the offset behind its last object. If objects have expired, a shard may begin anywhere."""
    spans = sorted(part for key in keys if not key.startswith(NOT_DATA) and (part := span(key)))
    ends: dict[str, int] = {}
    for shard, first, last in spans:
        expected = ends.get(shard, first if expired else 0)
        if first != expected:
            kind = "missing" if first > expected else "there twice"
            low, high = sorted((first, expected))
            found.problems.append(f"shard {shard}: records {low} to {high - 1} are {kind} in bronze")
        ends[shard] = max(last + 1, expected)
    return ends
