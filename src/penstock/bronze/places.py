"""Where others write, a local folder or a bucket → what is new there since the last look, folder by folder.

A short look asks only where something new is likely; a full one asks everywhere, also for files that are known.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, groupby
from pathlib import Path
from typing import NamedTuple, Protocol

from ..errors import BadFile, Transient
from ..objects import Entry, Objects, local_path
from .layout import origin
from .lines import FILE_BYTES
from .seen import OPEN, Folder, Seen

_HIDDEN = (".", "_")
_UNFINISHED = (".tmp", ".part")
_STAMPED_SECONDS = 2
_LOOK_AT_EACH = 1000
_RETRY_SECONDS = 5


class Found(NamedTuple):
    """A file that is new or changed; `name` is relative to the place."""

    name: str
    size_bytes: int
    stamp: str
    modified: datetime


class Listing(NamedTuple):
    """One folder: what is new in it, which known files are gone, and which folders in it were never looked at."""

    folder: Folder
    new: list[Found]
    gone: list[str]
    folders: list[str]


class Place(Protocol):
    url: str
    settles: bool
    """Whether a file may be seen while it is being written."""

    def look(self, seen: Seen, now: float, *, full: bool) -> Iterator[Listing]:
        """What changed since it was recorded in `seen`; nothing is recorded here."""

    def read(self, found: Found) -> bytes:
        """Raises FileNotFoundError or Transient if it is not what was found any more, BadFile if it is too large."""


def place(url: str, only: str = "", *, write_once: bool = False) -> Place:
    """The place behind a URL; `only` what starts with that. `write_once` if no file is ever written again."""
    root = local_path(url)
    return Bucket(url, only) if root is None else LocalFolder(url, root, only, write_once=write_once)


class LocalFolder:
    """Folders say when a name was last added, so one that did not change need not be listed."""

    settles = True

    def __init__(self, url: str, root: Path, only: str = "", *, write_once: bool = False) -> None:
        self.url = url
        self._root = str(root)
        self._only = only
        self._write_once = write_once

    def look(self, seen: Seen, now: float, *, full: bool) -> Iterator[Listing]:
        if not Path(self._root).is_dir():
            raise FileNotFoundError(f"there is no folder {self._root}")
        known = {"": OPEN, **(seen.folders() if full else seen.restless())}
        todo = list(known)
        trouble: OSError | None = None
        for folder in todo:  # grows while it is gone through
            before = known.get(folder, OPEN)
            try:
                changed = os.stat(f"{self._root}/{folder}").st_mtime_ns  # noqa: PTH116 - a Path costs more than the call
                if before == changed != OPEN and (self._write_once or not full):
                    continue
                listing = self._list(seen, folder, changed, each=full and not self._write_once)
            except (FileNotFoundError, NotADirectoryError):
                seen.forget(folder)
                continue
            except OSError as error:
                trouble = error
                continue
            todo += listing.folders
            if now - changed / 1e9 < _STAMPED_SECONDS:
                # What comes within the same tick of the clock would not be noticed.
                listing = listing._replace(folder=listing.folder._replace(changed=OPEN))
            if listing.new or listing.gone or listing.folders or listing.folder.changed != before:
                yield listing
        if trouble is not None:
            raise trouble

    def _list(self, seen: Seen, folder: str, changed: int, *, each: bool) -> Listing:
        """The folder; with `each`, also its known files are looked at, as they are if they are not too many."""
        names = seen.names(folder)
        each = each or len(names) <= _LOOK_AT_EACH
        present, inner, new, folders = 0, False, [], []
        with os.scandir(f"{self._root}/{folder}") as entries:
            for entry in entries:
                if entry.name in names:
                    present += 1
                    if not each:
                        continue
                elif not self._is_shown(folder, entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    inner = True
                    if not seen.has(path := f"{folder}{entry.name}/"):
                        folders.append(path)
                elif entry.is_file(follow_symlinks=False):
                    with contextlib.suppress(FileNotFoundError):
                        stat = entry.stat(follow_symlinks=False)
                        if names.get(entry.name) != _stamp(stat):
                            new.append(_found(folder + entry.name, stat))
        gone = [] if present == len(names) else self._gone(folder, names)
        return Listing(Folder(folder, changed, inner, origin(folder).series), sorted(new), gone, sorted(folders))

    def _gone(self, folder: str, names: Iterable[str]) -> list[str]:
        return [name for name in names if not os.path.lexists(f"{self._root}/{folder}{name}")]

    def _is_shown(self, folder: str, name: str) -> bool:
        return not _hidden(name) and (bool(folder) or name.startswith(self._only))

    def read(self, found: Found) -> bytes:
        _refuse_if_large(found)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with os.fdopen(os.open(f"{self._root}/{found.name}", flags), "rb") as file:
            data = file.read()
            if _found(found.name, os.fstat(file.fileno())) != found:
                raise Transient(f"{found.name} changed while it was read")
            return data


def _found(name: str, stat: os.stat_result) -> Found:
    modified = datetime.fromtimestamp(stat.st_mtime, UTC)
    return Found(name, stat.st_size, _stamp(stat), modified)


def _stamp(stat: os.stat_result) -> str:
    return f"{stat.st_size}-{stat.st_mtime_ns}"


class Bucket:
    """Lists by name, so a series of folders that sort by time need not be listed from its start."""

    settles = False

    def __init__(self, url: str, only: str = "") -> None:
        self.url = url
        self._objects = Objects(url, retry_seconds=_RETRY_SECONDS)
        self._only = only

    def look(self, seen: Seen, now: float, *, full: bool) -> Iterator[Listing]:
        known = seen.folders() if full else {}
        entries: Iterable[Entry]
        if full:
            entries = self._objects.list(after=self._only or None)
        else:
            entries = chain.from_iterable(self._objects.list(series, after=tail) for series, tail in seen.tails())
        for folder, group in groupby(entries, key=lambda entry: entry.key[: entry.key.rfind("/") + 1]):
            names = seen.names(folder)
            known.pop(folder, None)
            found = [
                Found(e.key, e.size_bytes, e.tag or f"{e.size_bytes}-{e.modified}", e.modified or _EPOCH)
                for e in group
                if not any(map(_hidden, e.key.split("/")))
            ]
            new = [one for one in found if names.get(one.name[len(folder) :]) != one.stamp]
            if new:
                yield Listing(Folder(folder, series=origin(folder).series), new, [], [])
        for folder in known:
            seen.forget(folder)

    def read(self, found: Found) -> bytes:
        _refuse_if_large(found)
        return self._objects.get(found.name)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _hidden(name: str) -> bool:
    """What its writer does not want to be read, or not yet."""
    return name.startswith(_HIDDEN) or name.endswith(_UNFINISHED)


def _refuse_if_large(found: Found) -> None:
    if found.size_bytes > FILE_BYTES:
        raise BadFile("file_too_large", f"{found.name} has more than {FILE_BYTES} bytes; split it")
