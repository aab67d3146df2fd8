"""The job that takes the inbox → one batch: rows in silver, the rest in quarantine, all of it counted in the ledger.

Steps, each repeatable: freeze the plan · read and clean · write files · commit quarantine, ledger, and last the events,
whose commit is the only one that counts · clear the inbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from ..bronze.layout import INBOX, arrival, from_inbox, inbox_key
from ..bronze.lines import Lines, read_lines
from ..errors import BadFile, Transient
from . import bookmark, snapshot
from .actions import DataFile
from .bookmark import Plan
from .columns import LEDGER, LEDGER_PARTITIONS, QUARANTINE
from .engines.duckdb import DuckDB
from .lake import Lake, Silver

BATCH_BYTES = 48 << 20
BATCH_FILES = 500
_RAW_SAMPLE = 64 << 10
_READERS = 2
_NOWHEN = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Refined:
    """What one batch did; `events` counts by outcome, `reasons` the quarantined by reason.

    `files` is how many were planned; `damaged` of them could not be read, and count as one event each.
    """

    batch: int
    files: int
    events: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    damaged: int = 0

    @property
    def read(self) -> int:
        return sum(self.events.values())


def refine(lake: Lake, *, batch_bytes: int = BATCH_BYTES, memory_limit: str | None = None) -> Refined | None:
    """One batch, or None if nothing is new."""
    silver = lake.silver
    plan = bookmark.pending(silver.plans, silver.events.batch()) or _plan(lake, silver, batch_bytes)
    return None if plan is None else complete(lake, silver, plan, memory_limit=memory_limit)


def complete(lake: Lake, silver: Silver, plan: Plan, *, memory_limit: str | None = None) -> Refined:
    """Finish a plan and clear up behind it."""
    done = finish(lake, silver, plan, memory_limit=memory_limit)
    if lake.silver is silver:  # else a rebuild was shown meanwhile, which has yet to take these objects
        lake.bronze.delete_all([inbox_key(key) for key in plan.inputs])
    bookmark.forget(silver.plans, plan.batch)
    return done


def finish(lake: Lake, silver: Silver, plan: Plan, *, memory_limit: str | None = None) -> Refined:
    """Do what was planned, by the module of that name: a new batch, or a correction that was left half done."""
    done: Refined = import_module(f"{__package__}.{plan.kind}").run(lake, silver, plan, memory_limit=memory_limit)
    return done


def run(lake: Lake, silver: Silver, plan: Plan, *, memory_limit: str | None = None) -> Refined:
    """Do one batch into that generation; doing it again changes nothing."""
    silver.events.check()
    engine = DuckDB(lake.schema, memory_limit=memory_limit)
    damaged = 0
    try:
        with ThreadPoolExecutor(_READERS) as readers:
            for key, read in zip(plan.inputs, readers.map(partial(read_object, lake), plan.inputs), strict=True):
                _hand_over(engine, key, read)
                damaged += not isinstance(read, Lines)
        engine.clean()
        engine.dedupe(known(silver, engine))
        return replace(_write(silver, engine, plan), damaged=damaged)
    finally:
        engine.close()


def _plan(lake: Lake, silver: Silver, batch_bytes: int) -> Plan | None:
    """Freeze the oldest of the inbox, up to `batch_bytes` as stored; at least one object."""
    waiting = sorted((from_inbox(entry.key), entry.key) for entry in lake.bronze.list(INBOX))
    for start in range(0, len(waiting), BATCH_FILES):  # of some, none may be there: only announced, or taken long ago
        if inputs := _inputs(lake, silver, waiting[start : start + BATCH_FILES], batch_bytes):
            return freeze(silver, Plan(silver.events.batch() + 1, tuple(inputs)))
    return None


def freeze(silver: Silver, plan: Plan) -> Plan:
    """As of `bookmark`. Raises Transient if others did that batch, and forgot its plan, since we looked."""
    counts = bookmark.freeze(silver.plans, plan)
    if silver.events.batch() < plan.batch:
        return counts
    if counts is plan:
        bookmark.forget(silver.plans, plan.batch)
    raise Transient(f"another worker did batch {plan.batch} at the same moment")


def _inputs(lake: Lake, silver: Silver, waiting: Sequence[tuple[str, str]], batch_bytes: int) -> list[str]:
    """Of (object, its marker), those that one batch is to read; markers of objects that were taken are removed."""
    taken = refined(silver, [key for key, _ in waiting])
    inputs: list[str] = []
    total = 0
    for key, marker in waiting:
        if key in taken:
            lake.bronze.delete(marker)
            continue
        size = int(lake.bronze.get(marker) or b"0")
        if inputs and total + size > batch_bytes:
            break
        if lake.bronze.exists(key):
            inputs.append(key)
            total += size
    return inputs


def refined(silver: Silver, keys: Sequence[str]) -> set[str]:
    """Those of `keys` that are in the ledger already; reads only ledger files of their days that may name them."""
    actions = pa.table(silver.ledger.open().get_add_actions(flatten=True))
    if not keys or not actions.num_rows:
        return set()
    with duckdb.connect() as db:
        db.register("actions", actions)
        db.register("wanted", pa.table({"key": list(keys), "day": [day(key) for key in keys]}))
        rows = db.execute(
            """
            select path from actions semi join wanted on day = "partition.day"
                and key between coalesce("min.bronze_file", key) and coalesce("max.bronze_file", key)
            """
        ).fetchall()
        sql = snapshot.read_sql(silver.ledger.here(row[0] for row in rows), LEDGER)
        found = db.execute(f"select distinct bronze_file from ({sql}) semi join wanted on key = bronze_file")
        return {row[0] for row in found.fetchall()}


def came(key: str) -> datetime:
    """When an object came, as far as its place says."""
    return arrival(key) or _NOWHEN


def day(key: str) -> date:
    """The ledger's partition of an object."""
    return came(key).date()


def read_object(lake: Lake, key: str) -> Lines | tuple[BadFile, bytes]:
    """An object's lines, or why it has none with the start of its bytes."""
    data = lake.bronze.get(key)
    try:
        return read_lines(data)
    except BadFile as bad:
        return bad, data[:_RAW_SAMPLE]


def _hand_over(engine: DuckDB, key: str, read: Lines | tuple[BadFile, bytes]) -> None:
    when = came(key)
    if isinstance(read, Lines):
        engine.add(key, when, read)
    else:
        bad, raw = read
        engine.reject(key, 0, when, bad.reason, str(bad), raw)


def known(silver: Silver, engine: DuckDB) -> list[str]:
    """Files that may hold a copy of one of the engine's events."""
    return snapshot.may_hold(silver.events, engine.hours(), also_unplaced=engine.any_without_clock())


def _write(silver: Silver, engine: DuckDB, plan: Plan) -> Refined:
    with TemporaryDirectory(prefix="penstock-") as temporary:
        stage = Path(temporary)
        quarantine = engine.write_quarantine(silver.quarantine.folder(stage), plan.batch, QUARANTINE)
        counts = engine.ledger(plan.batch)
        rows = [(*row, day(row[1])) for row in counts]
        ledger = engine.write_rows(rows, silver.ledger.folder(stage), LEDGER, LEDGER_PARTITIONS)
        events = engine.write_events(silver.events.folder(stage))
        for table, files in ((silver.quarantine, quarantine), (silver.ledger, ledger), (silver.events, events)):
            table.make_durable(files, stage)
    commit(silver, plan.batch, quarantine, ledger, events)
    done = Refined(plan.batch, len(plan.inputs))
    for _, _, _, _, outcome, reason, events_count in counts:
        done.events[outcome] = done.events.get(outcome, 0) + events_count
        if reason:
            done.reasons[reason] = done.reasons.get(reason, 0) + events_count
    return done


def commit(
    silver: Silver,
    batch: int,
    quarantine: Sequence[DataFile],
    ledger: Sequence[DataFile],
    events: Sequence[DataFile],
) -> None:
    """Durable files become part of the tables; the events' commit, even of no file, is the only one that counts."""

    def counts() -> bool:
        return silver.events.batch() >= batch

    if not counts():
        silver.quarantine.commit_again(batch, quarantine, counts)
        silver.ledger.commit_again(batch, ledger, counts)
        silver.events.commit(batch, events)
