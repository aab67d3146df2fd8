"""Files of a bucket → copies of them in a folder on this machine, fetched once, bounded in bytes.

The files never change under their name, so a copy is right for as long as it is there; what was used longest ago goes
first. Several processes may share the folder. It can be deleted at any time when nobody asks.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

from .errors import LakeError, Transient
from .objects import Objects, sync_file

_AT_ONCE = 8
_TEMPORARY = ".tmp"
_UNUSED_SECONDS = 24 * 3600
_LOOK_AGAIN = 16
"""After a sixteenth of the bound was added, the folder is looked at again, for others may have added to it too."""


class Cache:
    """Copies below `folder`, together at most `most_bytes`; what nobody used for a day goes too."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder.absolute()
        self._most = most_bytes
        self._added: int | None = None
        self._lock = threading.Lock()

    def here(self, store: Objects, sizes: Mapping[str, int | None]) -> dict[str, Path]:
        """Key → its copy; what is missing, or has not as many bytes as `sizes` says, if it does, is fetched.

        Raises LakeError if all of them together are more than the bound, Transient if one is gone from the bucket.
        """
        if (total := _total(sizes.values())) > self._most:
            raise LakeError(
                f"this reads {total:,} bytes of {store.url}, and its copies here may have {self._most:,}",
                hint="ask for less (a report of fewer days), or raise cache_bytes",
            )
        found = {key: self.path(store.url, key) for key in sizes}
        lacking = [key for key, path in found.items() if not _used(path, sizes[key])]
        if lacking:
            self._make_room(_total(sizes[key] for key in lacking))
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                for _ in pool.map(lambda key: self._fetch(store, key, found[key]), lacking):
                    pass
        return found

    def add(self, store: Objects, key: str, file: Path) -> None:
        """A copy of what was just put there, if there is room: who wrote it mostly reads it next."""
        size = file.stat().st_size
        if size > self._most // _LOOK_AGAIN:
            return
        self._make_room(size)
        path = self.path(store.url, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(path)
        with contextlib.suppress(OSError):  # a full disk is no reason to fail: it can be fetched
            shutil.copyfile(file, temporary)
            _put(temporary, path)

    def path(self, url: str, key: str = "") -> Path:
        """Where the copy of that object is, or would be."""
        parts = urlsplit(url)
        names = [parts.scheme, parts.netloc, *f"{parts.path}/{key}".split("/")]
        safe = (quote(name, safe="=-_.~").replace("..", "%2E%2E") for name in names if name not in ("", "."))
        return self.folder.joinpath(*safe)

    def forget(self, url: str) -> None:
        """Drop every copy from there."""
        shutil.rmtree(self.path(url), ignore_errors=True)

    def _fetch(self, store: Objects, key: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(path)
        try:
            store.fetch(key, temporary)
            _put(temporary, path)
        except FileNotFoundError as error:
            raise Transient(
                f"{store.url}/{key} is gone", hint="it was merged with others meanwhile, so ask again; else: verify"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        with self._lock:
            if self._added is None or self._added + size > self._most // _LOOK_AGAIN:
                self._evict(self._most - size)
                self._added = 0
            self._added += size

    def _evict(self, most: int) -> None:
        """Down to `most`, less what may be added before the next look."""
        copies = sorted(_copies(self.folder))
        total = sum(size for _, size, _ in copies)
        bound = max(0, most - self._most // _LOOK_AGAIN)
        unused = time.time() - _UNUSED_SECONDS
        for used, size, path in copies:
            if total <= bound and used >= unused:
                break
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - the names are as many as files, and stay texts
            total -= size


def _total(sizes: Iterable[int | None]) -> int:
    return sum(size or 0 for size in sizes)


def _used(path: Path, size: int | None) -> bool:
    """Whether the copy is there; if so it has been used now."""
    try:
        if path.stat().st_size != size and size is not None:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _temporary(path: Path) -> Path:
    return path.with_name(uuid.uuid4().hex + _TEMPORARY)


def _put(temporary: Path, path: Path) -> None:
    """A copy is whole or not there, after a power cut too."""
    sync_file(temporary)
    temporary.replace(path)


def _copies(folder: Path) -> list[tuple[float, int, str]]:
    """(when it was last used, bytes, path) of every file, at any depth."""
    found: list[tuple[float, int, str]] = []
    todo = [str(folder)]
    while todo:
        with contextlib.suppress(FileNotFoundError), os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                    continue
                with contextlib.suppress(FileNotFoundError):
                    stat = entry.stat(follow_symlinks=False)
                    found.append((stat.st_mtime, stat.st_size, entry.path))
    return found
