"""The job that takes the inbox → one batch: rows in silver, the rest in quarantine, all of it counted in the ledger.

Steps, each repeatable: freeze the plan · read and clean · write files · commit quarantine, ledger, and last the events,
whose commit is the only one that counts · clear the inbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module

import duckdb
import pyarrow as pa

from ..bronze.layout import INBOX, from_inbox, inbox_key
from ..errors import Transient
from . import bookmark, claim, snapshot
from .actions import DataFile
from .batch import ONE_MACHINE, Engine, day
from .bookmark import Plan
from .columns import LEDGER
from .lake import Lake, Silver

BATCH_BYTES = 48 << 20
BATCH_FILES = 500
"""So many objects are in a batch of that size at most, and as many times more in one that may be larger."""
_ASKED_AT_ONCE = 16


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


def refine(lake: Lake, *, batch_bytes: int = BATCH_BYTES, engine: Engine = ONE_MACHINE) -> Refined | None:
    """One batch, or None if nothing is new. Raises LakeError if another engine fills silver."""
    silver = lake.silver
    plan = bookmark.pending(silver.plans, silver.events.batch()) or _plan(lake, silver, batch_bytes, engine)
    return None if plan is None else complete(lake, silver, plan, engine)


def complete(lake: Lake, silver: Silver, plan: Plan, engine: Engine = ONE_MACHINE) -> Refined:
    """Finish a plan and clear up behind it. Raises LakeError if another engine fills silver."""
    claim.check(lake, engine.name)
    done = finish(lake, silver, plan, engine)
    if lake.silver is silver:  # else a rebuild was shown meanwhile, which has yet to take these objects
        lake.bronze.delete_all([inbox_key(key) for key in plan.inputs])
    bookmark.forget(silver.plans, plan.batch)
    return done


def finish(lake: Lake, silver: Silver, plan: Plan, engine: Engine = ONE_MACHINE) -> Refined:
    """Do what was planned: a new batch, or a correction that was left half done, by the module of that name."""
    if plan.kind == "refine":
        return run(lake, silver, plan, engine)
    done: Refined = import_module(f"{__package__}.{plan.kind}").run(lake, silver, plan)
    return done


def run(lake: Lake, silver: Silver, plan: Plan, engine: Engine = ONE_MACHINE) -> Refined:
    """Do one batch into that generation; doing it again changes nothing."""
    silver.events.check()
    made = engine.make(lake, silver, plan)
    commit(silver, plan.batch, made.quarantine, made.ledger, made.events)
    done = Refined(plan.batch, len(plan.inputs), damaged=made.damaged)
    for _, _, _, _, outcome, reason, events in made.counts:
        done.events[outcome] = done.events.get(outcome, 0) + events
        if reason:
            done.reasons[reason] = done.reasons.get(reason, 0) + events
    return done


def _plan(lake: Lake, silver: Silver, batch_bytes: int, engine: Engine = ONE_MACHINE) -> Plan | None:
    """Freeze the oldest of the inbox, up to `batch_bytes` as stored; at least one object."""
    waiting = sorted((from_inbox(entry.key), entry.key) for entry in lake.bronze.list(INBOX))
    most = most_files(batch_bytes)
    for start in range(0, len(waiting), most):  # of some, none may be there: only announced, or taken long ago
        if inputs := _inputs(lake, silver, waiting[start : start + most], batch_bytes):
            return freeze(lake, silver, Plan(silver.events.batch() + 1, tuple(inputs)), engine)
    return None


def most_files(batch_bytes: int) -> int:
    return max(BATCH_FILES, BATCH_FILES * batch_bytes // BATCH_BYTES)


def freeze(lake: Lake, silver: Silver, plan: Plan, engine: Engine = ONE_MACHINE) -> Plan:
    """As of `bookmark`. Raises Transient if others did that batch, and forgot its plan, since we looked.

    Raises LakeError if another engine fills silver; then nothing is planned.
    """
    claim.check(lake, engine.name)
    counts = bookmark.freeze(silver.plans, plan)
    if silver.events.batch() < plan.batch:
        return counts
    if counts is plan:
        bookmark.forget(silver.plans, plan.batch)
    raise Transient(f"another worker did batch {plan.batch} at the same moment")


def _inputs(lake: Lake, silver: Silver, waiting: Sequence[tuple[str, str]], batch_bytes: int) -> list[str]:
    """Of (object, its marker), those that one batch is to read; markers of objects that were taken are removed."""
    taken = refined(silver, [key for key, _ in waiting])
    lake.bronze.delete_all([marker for key, marker in waiting if key in taken])
    inputs: list[str] = []
    total = 0
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:  # a bucket answers each question late, but many at once
        new = [pair for pair in waiting if pair[0] not in taken]
        for start in range(0, len(new), _ASKED_AT_ONCE):
            some = new[start : start + _ASKED_AT_ONCE]
            for (key, _), size in zip(some, pool.map(partial(_size, lake), some), strict=True):
                if inputs and total + (size or 0) > batch_bytes:
                    return inputs
                if size is not None:
                    inputs.append(key)
                    total += size
    return inputs


def _size(lake: Lake, waiting: tuple[str, str]) -> int | None:
    """What the marker says of the object's size as stored; None if the object is not there (yet)."""
    key, marker = waiting
    return int(lake.bronze.get(marker) or b"0") if lake.bronze.exists(key) else None


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
