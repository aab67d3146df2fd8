"""All events of one person or session → gone from silver, quarantine and bronze; and a receipt of what was rewritten.

What has to go is decided, and the files without it are written, before the plan is frozen; so whoever finishes the plan
only rewrites and commits. A line that goes becomes an empty one: all others keep their numbers, which silver names.
Only the worker does this, or a command while no worker runs: another writer could put the old bytes back.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import duckdb
import msgspec
import pyarrow as pa

from ..bronze.layout import INBOX
from ..bronze.lines import Lines
from ..bronze.rewrite import rewrite
from ..clock import iso
from ..errors import LakeError
from . import bookmark, rebuild, snapshot
from .actions import DataFile
from .batch import ONE_MACHINE, Engine, came, read_object
from .bookmark import Plan
from .commit import Table
from .engines import Count
from .engines.duckdb import DuckDB, write_ledger
from .lake import Lake, Silver
from .quarantine import WHOLE_FILE
from .refine import Refined, complete, freeze

Who = Literal["user_id", "anonymous_id", "session_id"]
_AT_ONCE = 8
"""So many objects are searched together."""
_ROWS_AT_ONCE = 10_000


class Decided(msgspec.Struct, frozen=True):
    """What a plan of kind `erase` says: lines of bronze, and the files that take the place of `old` ones."""

    lines: dict[str, list[int]]
    counts: dict[str, int]
    old_events: tuple[str, ...]
    events: tuple[DataFile, ...]
    old_quarantine: tuple[str, ...]
    quarantine: tuple[DataFile, ...]
    ledger: tuple[DataFile, ...]


class Receipt(msgspec.Struct, frozen=True):
    """What was done; of the person only a hash. `unsearchable`: damaged files that nobody can look into."""

    at: str
    who: str
    sha256: str
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    bronze_objects: tuple[str, ...] = ()
    silver_files: int = 0
    quarantine_files: int = 0
    unsearchable: tuple[str, ...] = ()


def erase(lake: Lake, who: Who, value: str, now: datetime, *, engine: Engine = ONE_MACHINE) -> Receipt:
    """Nothing may wait in the inbox. Doing it again finds nothing more. Older generations of silver are deleted.

    Raises LakeError if objects wait, or another worker is at it.
    """
    silver = lake.silver
    while (plan := bookmark.pending(silver.plans, silver.events.batch())) is not None:
        complete(lake, silver, plan, engine)
    if waiting := len(list(lake.bronze.list(INBOX))):
        raise LakeError(f"{waiting} objects wait to be refined", hint="run `penstock refine --once` first")
    decided, unsearchable = _decide(lake, silver, who, value)
    if decided.lines:
        plan = Plan(silver.events.batch() + 1, (), "erase", (("decided", msgspec.json.encode(decided).decode()),))
        if freeze(lake, silver, plan, engine) != plan:
            raise LakeError("another worker is at it", hint="let only one worker write")
        complete(lake, silver, plan, engine)
    _forget_old_files(lake, silver)
    return Receipt(
        at=iso(now),
        who=who,
        sha256=hashlib.sha256(value.encode()).hexdigest(),
        bronze_objects=tuple(sorted(decided.lines)),
        silver_files=len(decided.old_events),
        quarantine_files=len(decided.old_quarantine),
        unsearchable=tuple(unsearchable),
        **decided.counts,
    )


def run(lake: Lake, silver: Silver, plan: Plan) -> Refined:
    """Do what was decided; doing it again changes nothing."""
    decided = msgspec.json.decode(dict(plan.what)["decided"], type=Decided)
    rewrite(lake.bronze, {key: set(numbers) for key, numbers in decided.lines.items()})
    silver.quarantine.commit(plan.batch, decided.quarantine, old=decided.old_quarantine)
    silver.ledger.commit(plan.batch, decided.ledger)
    silver.events.commit(plan.batch, decided.events, old=decided.old_events)
    return Refined(plan.batch, 0, {"erased": sum(decided.counts.values())})


# decide


class _Gone(NamedTuple):
    """A line that goes; `path` is the file of silver that holds its row, if one does."""

    bronze_file: str
    bronze_line: int
    source: str
    hour: datetime
    outcome: str
    reason: str | None
    path: str | None


def _decide(lake: Lake, silver: Silver, who: Who, value: str) -> tuple[Decided, list[str]]:
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        for name, sql in silver.views().items():
            db.execute(f"create temp view {name} as {sql}")
        stored = list(_stored(db, silver, who, value))
        found = {(g.bronze_file, g.bronze_line): g for g in (*_copies(db, lake, who, value), *_quarantined(db, value))}
        gone = [*stored, *found.values()]
        rows = db.execute(
            "select bronze_file from quarantine where bronze_line = ? order by 1", [WHOLE_FILE]
        ).fetchall()
    with TemporaryDirectory(prefix="penstock-") as temporary:
        return _written(silver, gone, Path(temporary)), [key for (key,) in rows]


def _stored(db: duckdb.DuckDBPyConnection, silver: Silver, who: Who, value: str) -> Iterator[_Gone]:
    """Rows of silver, each with the file that holds it."""
    for path in silver.events.sizes():
        rows = snapshot.rows_sql(silver.events, silver.events.always, only=[path])
        found = db.execute(
            f"select bronze_file, bronze_line, source, date_trunc('hour', received_at) from ({rows}) where {who} = ?",
            [value],
        )
        for row in found.fetchall():
            yield _Gone._make((*row, "stored", None, path))


def _copies(db: duckdb.DuckDBPyConnection, lake: Lake, who: Who, value: str) -> Iterator[_Gone]:
    """Lines that silver does not hold, because they were copies; their objects are read again, and only those."""
    rows = db.execute(
        "select bronze_file from ledger where outcome = 'duplicate' group by 1 having sum(events) > 0 order by 1"
    ).fetchall()
    keys = iter([key for (key,) in rows])
    while some := list(islice(keys, _AT_ONCE)):
        found = _search(lake, some, who, value)
        if not found:
            continue
        db.register("found", pa.Table.from_pylist(found))
        unstored = db.execute(
            """
            select bronze_file, bronze_line, source, hour from found
            anti join events using (bronze_file, bronze_line) anti join quarantine using (bronze_file, bronze_line)
            """
        ).fetchall()
        db.unregister("found")
        yield from (_Gone._make((*row, "duplicate", None, None)) for row in unstored)


def _search(lake: Lake, keys: Sequence[str], who: Who, value: str) -> list[dict[str, Any]]:
    """The lines of these objects that are this person's."""
    engine = DuckDB(lake.schema)
    try:
        for key in keys:
            read = read_object(lake.bronze, key)
            if isinstance(read, Lines):
                engine.add(key, came(key), read)
        engine.clean()
        return engine.lines_of(who, value)
    finally:
        engine.close()


def _quarantined(db: duckdb.DuckDBPyConnection, value: str) -> Iterator[_Gone]:
    """Lines in quarantine that have the value as a JSON text or number, wherever in them it is."""
    texts = {json.dumps(value, ensure_ascii=ascii).encode() for ascii in (True, False)}
    number = re.compile(rb"[:\[,]\s*" + re.escape(value.encode()) + rb"\s*[,}\]]") if value.isdigit() else None
    rows = db.execute(
        "select bronze_file, bronze_line, source, date_trunc('hour', received_at), reason, raw from quarantine"
        f" where bronze_line <> {WHOLE_FILE}"
    )
    while some := rows.fetchmany(_ROWS_AT_ONCE):
        for *line, reason, raw in some:
            if raw and (any(text in raw for text in texts) or (number and number.search(raw))):
                yield _Gone._make((*line, "quarantined", reason, None))


# write


def _written(silver: Silver, gone: Sequence[_Gone], stage: Path) -> Decided:
    """The files that hold all but what goes, durable but part of no table yet."""
    lines: dict[str, list[int]] = {}
    for one in gone:
        lines.setdefault(one.bronze_file, []).append(one.bronze_line)
    engine = DuckDB(silver.schema)
    try:
        engine.ask("create temp table gone (bronze_file varchar, bronze_line bigint)")
        for one in gone:
            engine.ask("insert into gone values (?, ?)", [one.bronze_file, one.bronze_line])
        old_events = sorted({one.path for one in gone if one.path})
        old_quarantine = _holding(engine, silver.quarantine) if any(g.reason for g in gone) else []
        events = _without(engine, silver.events, old_events, stage)
        quarantine = _without(engine, silver.quarantine, old_quarantine, stage)
        counts = _counts(silver.events.batch() + 1, gone)
        ledger = write_ledger(engine, silver, counts, stage)
    finally:
        engine.close()
    outcomes = Counter(one.outcome for one in gone)
    return Decided(
        lines, dict(outcomes), tuple(old_events), tuple(events), tuple(old_quarantine), tuple(quarantine), tuple(ledger)
    )


def _holding(engine: DuckDB, table: Table) -> list[str]:
    """Files with a row of a line that goes."""
    return [
        path
        for path in table.sizes()
        if engine.ask(f"select 1 from ({_rows(table, path)}) semi join gone using (bronze_file, bronze_line) limit 1")
    ]


def _without(engine: DuckDB, table: Table, paths: Sequence[str], stage: Path) -> list[DataFile]:
    partitions = {file.path: file.partition for file in table.files()}
    found: list[DataFile] = []
    for path in paths:
        kept = f"select * from ({_rows(table, path)}) anti join gone using (bronze_file, bronze_line)"
        found += engine.write_partition(kept, table.folder(stage), table.stored(), partitions[path])
    table.make_durable(found, stage)
    return found


def _rows(table: Table, path: str) -> str:
    return snapshot.rows_sql(table, table.stored(), only=[path])


def _counts(batch: int, gone: Iterable[_Gone]) -> list[Count]:
    """Ledger rows that take each line out of where it was counted."""
    counted = Counter((one.bronze_file, one.hour, one.source, one.outcome, one.reason) for one in gone)
    return [(batch, *key, -count) for key, count in counted.items()]


def _forget_old_files(lake: Lake, silver: Silver) -> None:
    """Delete what the tables no longer have, and older generations: all of it may hold what was erased."""
    if (begun := rebuild.under_way(lake)) is not None:
        rebuild.abandon(lake, begun)
    rebuild.forget(lake)
    for table, _ in silver.tables:
        table.purge()
