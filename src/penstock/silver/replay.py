"""Lines in quarantine, judged again by today's rules → those that are events now leave it, into silver; the rest stays.

What gets out is decided, and its files are written, before the plan is frozen; so whoever finishes the plan, a worker
with older settings too, only commits. A line that got out has a row in quarantine that says so, and the ledger takes
it from one outcome to the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ..bronze.lines import Lines
from ..errors import LakeError, Transient
from ..objects import Objects
from . import bookmark
from .actions import DataFile
from .batch import ONE_MACHINE, Engine, came, read_object
from .bookmark import Plan
from .columns import QUARANTINE
from .engines import Count
from .engines.duckdb import DuckDB, known, write_ledger
from .lake import Lake, Silver
from .quarantine import REPLAYED, WHOLE_FILE
from .refine import Refined, commit, complete, freeze

LINES = 100_000
"""So many lines, or those of one object, are one batch."""

_READERS = 2
_TRIES = 40
_PAUSE_SECONDS = 0.25
Progress = Callable[[int, int], None]
_T = TypeVar("_T")


@dataclass
class Replayed:
    """Of `tried` lines some are `stored` now, some `duplicate`; `still` counts the others by the reason of today.

    `gone` are those whose bytes bronze does not have any more.
    """

    tried: int = 0
    stored: int = 0
    duplicate: int = 0
    still: dict[str, int] = field(default_factory=dict)
    gone: int = 0

    def add(self, other: Replayed) -> None:
        self.tried += other.tried
        self.stored += other.stored
        self.duplicate += other.duplicate
        self.gone += other.gone
        for reason, lines in other.still.items():
            self.still[reason] = self.still.get(reason, 0) + lines


class Decided(msgspec.Struct, frozen=True):
    """What a plan of kind `replay` says: from how many objects how many lines got out, and the files that hold them."""

    objects: int
    stored: int
    duplicate: int
    quarantine: tuple[DataFile, ...]
    ledger: tuple[DataFile, ...]
    events: tuple[DataFile, ...]


def replay(
    lake: Lake,
    reasons: Sequence[str] | None = None,
    *,
    dry_run: bool = False,
    alone: bool = True,
    lines: int = LINES,
    engine: Engine = ONE_MACHINE,
    progress: Progress = lambda done, total: None,
) -> Replayed:
    """Try what is in quarantine for one of `reasons`, or all; doing it again finds nothing new.

    A plan that was left is finished first; unless we are `alone`, by the worker that runs beside us. With `dry_run`
    nothing is changed. Raises Transient if that worker is too busy to let us in.
    """
    total = Replayed()
    after: str | None = ""
    while after is not None:
        done, after, left = _portion(lake, _Asked(reasons, after, lines, dry_run, alone, engine))
        total.add(done)
        progress(total.tried, total.tried + left)
    return total


def run(lake: Lake, silver: Silver, plan: Plan) -> Refined:
    """Commit what was decided; doing it again changes nothing."""
    decided = msgspec.json.decode(dict(plan.what)["decided"], type=Decided)
    commit(silver, plan.batch, decided.quarantine, decided.ledger, decided.events)
    events = {"stored": decided.stored, "duplicate": decided.duplicate}
    return Refined(plan.batch, decided.objects, {outcome: lines for outcome, lines in events.items() if lines})


@dataclass(frozen=True)
class _Asked:
    """One portion: objects whose keys come behind `after`, until there are `lines` of them."""

    reasons: Sequence[str] | None
    after: str
    lines: int
    dry_run: bool
    alone: bool
    engine: Engine


def _portion(lake: Lake, asked: _Asked) -> tuple[Replayed, str | None, int]:
    """What became of it, its last object (None if there is no more), and how many lines are left behind it."""
    return _again(lambda: _try(lake, asked))


def _again(work: Callable[[], _T]) -> _T:
    """Until no other worker is faster."""
    for _ in range(_TRIES - 1):
        try:
            return work()
        except Transient:
            time.sleep(_PAUSE_SECONDS)
    return work()


def _try(lake: Lake, asked: _Asked) -> tuple[Replayed, str | None, int]:
    silver = lake.silver
    silver.events.check()
    if not asked.dry_run:
        _clear_the_way(lake, silver, asked)
    batch = silver.events.batch()
    engine = DuckDB(lake.schema, memory_limit=asked.engine.memory_limit)
    try:
        held, left = _hold(engine, silver, asked)
        _hand_over(engine, lake, held)
        engine.clean()
        engine.dedupe(known(silver, engine))
        done = _judged(engine)
        if (done.stored or done.duplicate) and not asked.dry_run:
            _let_out(lake, silver, batch + 1, engine, done, asked)
        return done, max(held, default=None), left
    finally:
        engine.close()


def _clear_the_way(lake: Lake, silver: Silver, asked: _Asked) -> None:
    """Finish a plan that was left, or wait for the worker that is at it; its settings may be others than ours."""
    while (plan := bookmark.pending(silver.plans, silver.events.batch())) is not None:
        if not asked.alone:
            raise Transient("the worker is at another batch", hint="try again when nothing waits in `penstock status`")
        complete(lake, silver, plan, asked.engine)


# judge


def _hold(engine: DuckDB, silver: Silver, asked: _Asked) -> tuple[dict[str, list[int]], int]:
    """Make table `held` of this portion's rows; gives their lines by object, and how many rows come behind."""
    waiting = silver.views(("quarantine",))["quarantine"]
    engine.ask(
        f"""
        create temp table wanted as
        select bronze_file, bronze_line, reason, source, received_at from ({waiting})
        where bronze_line <> {WHOLE_FILE} and bronze_file > ? and (?::varchar[] is null or list_contains(?, reason))
        """,
        [asked.after, asked.reasons, asked.reasons],
    )
    engine.ask(
        """
        create temp table held as
        select wanted.* from wanted semi join (
            select bronze_file, sum(count(*)) over (order by bronze_file) - count(*) as before
            from wanted group by bronze_file qualify before = 0 or before + count(*) <= ?
        ) as first using (bronze_file)
        """,
        [asked.lines],
    )
    [(left,)] = engine.ask("select (select count(*) from wanted) - (select count(*) from held)")
    return dict(engine.ask("select bronze_file, list(bronze_line) from held group by all order by all")), left


def _hand_over(engine: DuckDB, lake: Lake, held: dict[str, list[int]]) -> None:
    with ThreadPoolExecutor(_READERS) as readers:
        for key, found in zip(held, readers.map(partial(lines_again, lake), held, held.values()), strict=True):
            if found is not None:
                engine.add(key, came(key), found)


def lines_again(lake: Lake, key: str, numbers: list[int]) -> Lines | None:
    """These lines of an object, as they are read today; None if it is gone."""
    try:
        found = read_object(lake.bronze, key)
    except FileNotFoundError:
        return None
    if not isinstance(found, Lines):
        return None
    here = pc.is_in(found.number, value_set=pa.array(numbers, found.number.type))
    wanted = set(numbers)
    bad = [line for line in found.bad if line[0] in wanted]
    return Lines(found.text.filter(here), found.number.filter(here), bad)


def _judged(engine: DuckDB) -> Replayed:
    """Make table `released` of the lines that are events now; count all."""
    engine.ask(
        """
        create temp table released as
        select h.*, c.source as new_source, c.received_at as new_received_at,
               case when r.bronze_file is null then 'stored' else 'duplicate' end as outcome
        from held as h
        join cleaned as c on c.bronze_file = h.bronze_file and c.bronze_line = h.bronze_line
        left join repeated as r on r.bronze_file = h.bronze_file and r.bronze_line = h.bronze_line
        where c.reason is null
        """
    )
    [(tried,)] = engine.ask("select count(*) from held")
    outcomes = dict(engine.ask("select outcome, count(*) from released group by outcome"))
    still = dict(
        engine.ask(
            """
            select reason, count(*) from (
                select reason from cleaned where reason is not null union all select reason from rejects
            ) group by reason order by reason
            """
        )
    )
    stored, duplicate = outcomes.get("stored", 0), outcomes.get("duplicate", 0)
    return Replayed(tried, stored, duplicate, still, tried - stored - duplicate - sum(still.values()))


# let out


def _let_out(lake: Lake, silver: Silver, batch: int, engine: DuckDB, done: Replayed, asked: _Asked) -> None:
    """Freeze as `batch` what was judged after the one before, and finish it. Raises Transient if another was first,
    LakeError if silver is another engine's."""
    silver.events.evolve()
    decided = _written(silver, batch, engine, done)
    plan = Plan(batch, (), "replay", (("decided", msgspec.json.encode(decided).decode()),))
    try:
        _freeze(lake, silver, plan, asked.engine)
    except (Transient, LakeError):
        _throw_away(silver, decided)
        raise
    _again(lambda: complete(lake, silver, plan, asked.engine))


def _freeze(lake: Lake, silver: Silver, plan: Plan, engine: Engine) -> None:
    if freeze(lake, silver, plan, engine) != plan:
        raise Transient("the worker began another batch at the same moment")


def _written(silver: Silver, batch: int, engine: DuckDB, done: Replayed) -> Decided:
    """The files, durable but part of no table yet."""
    with TemporaryDirectory(prefix="penstock-") as temporary:
        stage = Path(temporary)
        rows = f"""
            select {batch}::bigint as batch, '{REPLAYED}' as reason, outcome as detail, source,
                   null::varchar as dialect, received_at, null::blob as raw, bronze_file, bronze_line
            from released order by bronze_file, bronze_line
        """
        quarantine = engine.write(rows, silver.quarantine.folder(stage), QUARANTINE)
        events = engine.write_events(silver.events.folder(stage))
        silver.quarantine.make_durable(quarantine, stage)
        silver.events.make_durable(events, stage)
        counts = _counts(engine, batch)
        ledger = write_ledger(engine, silver, counts, stage)
    objects = len({row[1] for row in counts})
    return Decided(objects, done.stored, done.duplicate, tuple(quarantine), tuple(ledger), tuple(events))


def _counts(engine: DuckDB, batch: int) -> list[Count]:
    """Ledger rows that take each line out of where it was counted, and count it where it is now."""
    return engine.ask(
        f"""
        select {batch}::bigint, bronze_file, date_trunc('hour', received_at), source, 'quarantined', reason, -count(*)
        from released group by all
        union all
        select {batch}::bigint, bronze_file, date_trunc('hour', new_received_at), new_source, outcome, null, count(*)
        from released group by all
        order by all
        """
    )


def _throw_away(silver: Silver, decided: Decided) -> None:
    tables = ((silver.quarantine, decided.quarantine), (silver.ledger, decided.ledger), (silver.events, decided.events))
    for table, files in tables:
        for file in files:
            Objects(table.url).delete(file.path)
