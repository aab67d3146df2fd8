"""The job that takes the many small objects of an hour that is over → a few merged ones; every key stays readable.

Steps, each repeatable: write the index, which is also the plan · write the merged object · read it back · only then
delete the originals. A crash leaves an index with originals beside it, and the next round goes on from there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple

from ..objects import Objects
from .folders import folders
from .layout import INBOX, STATE, from_inbox, hour_folder, hour_of, span
from .merged import MergedObject, intact, plan, sha256, write
from .store import Bronze

MANY = 24
"""So many small objects in one hour are worth a merged one."""
MOST_BYTES = 64 << 20
"""Of one merged object; three times this is held in memory."""
_MARK = STATE + "merged-until"
_THREADS = 8


class Merged(NamedTuple):
    """`objects_before` became `objects_after`; both 0 if there was nothing to do."""

    objects_before: int = 0
    objects_after: int = 0

    def __add__(self, other: object) -> Merged:
        assert isinstance(other, Merged)
        return Merged(self.objects_before + other.objects_before, self.objects_after + other.objects_after)


def merge(
    bronze: Bronze, before: datetime, *, many: int = MANY, most_bytes: int = MOST_BYTES, hours: int | None = None
) -> Merged:
    """Merge the hours that ended before `before`, all that silver has taken; at most `hours` of them.

    History is not listed: an object is written in the hour of its arrival, so an hour that was done stays done. The
    mark says which is next.
    """
    waiting = {from_inbox(entry.key) for entry in bronze.objects.list(INBOX)}
    start, end = _mark(bronze.objects), min([hour_folder(before), *_oldest_hour(bronze, waiting)])
    done, worked = Merged(), 0
    if end <= start:
        return done
    for folder in folders(bronze.objects, "hour=", start, end):
        if worked == hours:
            return done
        now = merge_hour(bronze, folder, waiting, many=many, most_bytes=most_bytes)
        if now.objects_before:
            done, worked = done + now, worked + 1
            _set_mark(bronze.objects, folder)
    _set_mark(bronze.objects, end)
    return done


def look_again(bronze: Bronze, since: datetime) -> None:
    """Objects may come into hours that were done: the stream is replayed from `since` on."""
    if hour_folder(since) < _mark(bronze.objects):
        _set_mark(bronze.objects, hour_folder(since))


def merge_hour(
    bronze: Bronze, folder: str, waiting: Collection[str], *, many: int = MANY, most_bytes: int = MOST_BYTES
) -> Merged:
    """Finish what was begun in this hour's folder, then merge the objects that are `many`, small, and not `waiting`."""
    sizes = {entry.key: entry.size_bytes for entry in bronze.objects.list(folder) if span(entry.key)}
    done = Merged()
    for begun in bronze.indexes(folder):
        if sizes.keys() & begun.parts:
            done += _finish(bronze.objects, begun)
    # What is in a merged object and was not deleted just now is another version, and stays what counts.
    known = {key for merged in bronze.merged(folder) for key in merged.parts}
    small = sorted(key for key in sizes.keys() - known - set(waiting) if 0 < 2 * sizes[key] <= most_bytes)
    if len(small) >= many:
        for group in _groups(small, sizes, most_bytes):
            done += _finish(bronze.objects, plan(folder, _read(bronze.objects, group)))
    if done.objects_before:
        bronze.objects.settle(folder)
    return done


def _finish(objects: Objects, merged: MergedObject) -> Merged:
    """Carry out what the index says: from the originals, or, if some are deleted, from the merged object itself."""
    body, replaced = _body(objects, merged)
    if body is None:
        return Merged()
    # Written also if it is there: who wrote it may have been stopped before it was durable.
    write(objects, merged, body)
    _for_each(objects.delete, replaced)
    return Merged(len(replaced), 1)


def _body(objects: Objects, merged: MergedObject) -> tuple[bytes | None, list[str]]:
    """The merged object's bytes, or None if they cannot be had; and the originals that are the same as in it."""
    found = _read(objects, merged.parts)
    same = [key for key, data in found.items() if sha256(data) == merged.parts[key].sha256]
    if len(same) == len(merged.parts):
        return b"".join(found[key] for key in merged.parts), same
    with contextlib.suppress(FileNotFoundError):
        body = objects.get(merged.key)
        if same and intact(merged, body):
            return body, same
    return None, []


def _groups(keys: Sequence[str], sizes: dict[str, int], most_bytes: int) -> Iterator[list[str]]:
    """In order, each of at most `most_bytes`; one alone is not worth it."""
    group: list[str] = []
    total = 0
    for key in keys:
        if total + sizes[key] > most_bytes:
            if len(group) > 1:
                yield group
            group, total = [], 0
        group.append(key)
        total += sizes[key]
    if len(group) > 1:
        yield group


def _oldest_hour(bronze: Bronze, waiting: Iterable[str]) -> list[str]:
    """The hour of the oldest object from the stream that silver has not taken; none, or one."""
    for key in sorted(key for key in waiting if span(key)):
        hour = hour_of(key)
        if hour is not None and bronze.exists(key):
            return [hour]
    return []


def _read(objects: Objects, keys: Iterable[str]) -> dict[str, bytes]:
    """Those that are there."""
    found: dict[str, bytes] = {}

    def read(key: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            found[key] = objects.get(key)

    _for_each(read, keys := list(keys))
    return {key: found[key] for key in keys if key in found}


def _for_each(do: Callable[[str], None], keys: Iterable[str]) -> None:
    """Several at a time: a bucket takes its time for each."""
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(do, keys))


def _mark(objects: Objects) -> str:
    """The folder of the first hour that is not done; "" if none is."""
    with contextlib.suppress(FileNotFoundError):
        return objects.get(_MARK).decode()
    return ""


def _set_mark(objects: Objects, folder: str) -> None:
    objects.put(_MARK, folder.encode())
