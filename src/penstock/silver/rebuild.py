"""The job that makes silver again from bronze → a new generation beside the one that is shown, then shown in its place.

With a range, what arrived outside of it is carried over as it is. Everything is repeatable: a rebuild that was stopped
goes on where it was. The old generation stays until `forget`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count

import duckdb
import msgspec

from ..bronze.deliver import announce
from ..bronze.expire import kept_since
from ..bronze.layout import NOT_DATA, day_folder, minute_folder
from ..errors import LakeError, PenstockError
from ..objects import Objects
from . import bookmark, refine
from .batch import ONE_MACHINE, Engine
from .bookmark import Plan
from .carry import Range, carry
from .lake import Lake, Silver

_STATE = "rebuild"
_FIRST = ("events", "quarantine", "ledger", "plans")
"""Folders of the generation without a name."""
Progress = Callable[[int, int], None]


class Rebuild(msgspec.Struct, frozen=True):
    """What is under way: objects with `since` <= key < `until` are read again, into `generation`, beside `old`."""

    generation: str
    old: str
    since: str = ""
    until: str = "~"
    rules: str = ""

    @property
    def range(self) -> Range:
        return Range(self.since, self.until)

    @property
    def is_whole(self) -> bool:
        return self.range == Range("", "~")


def begin(lake: Lake, now: datetime, *, since: datetime | None = None, until: datetime | None = None) -> Rebuild:
    """The rebuild that is under way for this range of arrival and these rules, or a new one; another is thrown away."""
    wanted = Rebuild(
        generation=_free_name(lake, now),
        old=lake.silver.generation,
        since=max(minute_folder(since) if since else "", _first_kept(lake)),
        until=minute_folder(until) if until else "~",
        rules=lake.schema.fingerprint,
    )
    if wanted.since >= wanted.until:
        raise PenstockError("there is nothing between --from and --to", hint="--from has to be earlier than --to")
    found = under_way(lake)
    if found is not None and msgspec.structs.replace(found, generation=wanted.generation) == wanted:
        return found
    if found is not None:
        abandon(lake, found)
    _store(lake).put(_STATE, msgspec.json.encode(wanted))
    return wanted


def under_way(lake: Lake) -> Rebuild | None:
    """The rebuild that is not shown yet, if there is one; one that was stopped while it was shown is finished."""
    found = _state(lake)
    if found is not None and found.generation == lake.silver.generation:
        show(lake, found)
        return None
    return found


def _state(lake: Lake) -> Rebuild | None:
    try:
        return msgspec.json.decode(_store(lake).get(_STATE), type=Rebuild)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise LakeError(
            "the state of the rebuild is damaged", hint="remove silver/rebuild, and rebuild again"
        ) from error


def fill(
    lake: Lake,
    rebuild: Rebuild,
    *,
    batch_bytes: int,
    engine: Engine = ONE_MACHINE,
    progress: Progress = lambda done, total: None,
) -> None:
    """Bring the new generation up to all that lies in bronze now; `progress` gets bytes done and in all."""
    old, new = lake.generation(rebuild.old), lake.generation(rebuild.generation)
    if not rebuild.is_whole:
        carry(old, new, rebuild.range)
    if plan := bookmark.pending(new.plans, new.events.batch()):
        refine.run(lake, new, plan, engine)
        bookmark.forget(new.plans, plan.batch)
    todo = _todo(lake, new, rebuild)
    done, total = 0, sum(size for _, size in todo)
    for keys, size in _portions(todo, batch_bytes):
        plan = bookmark.freeze(new.plans, Plan(new.events.batch() + 1, keys))
        refine.run(lake, new, plan, engine)
        bookmark.forget(new.plans, plan.batch)
        done += size
        progress(done, total)


def show(lake: Lake, rebuild: Rebuild) -> None:
    """Swap: from now on the new generation is silver. What only the old one has taken is announced to the new one.

    Raises LakeError if it was thrown away meanwhile, as an erasure does: it may hold what was erased.
    """
    if _state(lake) != rebuild:
        raise LakeError("this rebuild was thrown away meanwhile", hint="rebuild again")
    lake.show(rebuild.generation)
    _announce_what_is_missing(lake, rebuild.old, rebuild.generation)
    _store(lake).delete(_STATE)


def undo(lake: Lake, old: str) -> None:
    """Show an older generation again; it then takes what came since."""
    shown = lake.silver.generation
    if old not in kept(lake):
        raise PenstockError("there is no older silver", hint="`penstock rebuild` keeps the one before, until told")
    lake.show(old)
    _announce_what_is_missing(lake, shown, old)


def kept(lake: Lake) -> list[str]:
    """Generations that are neither shown nor under way, the newest first."""
    found = under_way(lake)
    others = {lake.silver.generation, found.generation if found else lake.silver.generation}
    names = {folder.rstrip("/") for folder in _store(lake).children().folders}
    generations = {name for name in names if name not in _FIRST} | ({""} if "events" in names else set())
    return sorted(generations - others, reverse=True)


def abandon(lake: Lake, rebuild: Rebuild) -> None:
    """Throw away what was built and is not shown."""
    _remove(lake, rebuild.generation)
    _store(lake).delete(_STATE)


def forget(lake: Lake) -> int:
    """Delete the generations that are kept; returns how many."""
    gone = kept(lake)
    for name in gone:
        _remove(lake, name)
    return len(gone)


def _first_kept(lake: Lake) -> str:
    """Of what is gone from bronze, nothing can be made again; it is carried over."""
    day = kept_since(lake.bronze)
    return day_folder(day) if day else ""


def _free_name(lake: Lake, now: datetime) -> str:
    there = {folder.rstrip("/") for folder in _store(lake).children().folders}
    names = ((now + timedelta(microseconds=n)).strftime("g%Y%m%dT%H%M%S%f") for n in count())
    return next(name for name in names if name not in there)


def _todo(lake: Lake, new: Silver, rebuild: Rebuild) -> list[tuple[str, int]]:
    """(key, size as stored) of every object that the new generation is to read and has not, in order of arrival."""
    taken = _taken(new)
    return sorted(
        (entry.key, entry.size_bytes)
        for entry in lake.bronze.list()
        if not entry.key.startswith(NOT_DATA) and rebuild.range.holds(entry.key) and entry.key not in taken
    )


def _taken(silver: Silver) -> set[str]:
    """Every object in that generation's ledger."""
    with duckdb.connect() as db:
        rows = db.execute(f"select distinct bronze_file from ({silver.views(('ledger',))['ledger']})").fetchall()
    return {row[0] for row in rows}


def _portions(todo: list[tuple[str, int]], batch_bytes: int) -> Iterator[tuple[tuple[str, ...], int]]:
    """Neighbours that make one batch: at least one object, at most `batch_bytes`."""
    keys: list[str] = []
    total = 0
    for key, size in todo:
        if keys and (total + size > batch_bytes or len(keys) == refine.most_files(batch_bytes)):
            yield tuple(keys), total
            keys, total = [], 0
        keys.append(key)
        total += size
    if keys:
        yield tuple(keys), total


def _announce_what_is_missing(lake: Lake, old: str, new: str) -> None:
    """A worker may have put a batch into `old` while `new` was built or shown; refine takes those objects again."""
    for key in sorted(_taken(lake.generation(old)) - _taken(lake.generation(new))):
        announce(lake.bronze, key, 0)


def _store(lake: Lake) -> Objects:
    return Objects(f"{lake.url}/silver")


def _remove(lake: Lake, generation: str) -> None:
    """The plans go last; until then it is still seen to be there."""
    store = _store(lake)
    for name in _FIRST:
        store.delete_folder(f"{generation}/{name}".lstrip("/"))
    if generation:
        store.delete_folder(generation)
