"""Objects by key, on a local folder or in S3, GCS or Azure; what `put` returns from is durable.

The one place that knows obstore, which does not fsync local files and finds a meaning in some of their names; so on a
local disk we do it ourselves: temporary file, fsync, rename, fsync of every folder that changed.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore, from_url

from .errors import SettingsError

_TEMPORARY = ".tmp"


@dataclass(frozen=True)
class Entry:
    """One object in a listing; `key` is relative to the store, `size_bytes` as stored."""

    key: str
    size_bytes: int


class Objects:
    """A flat space of keys under one URL (`file:///data/bronze`, `s3://bucket/prefix`)."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.root = local_path(url)
        if self.root is not None:
            make_folder(self.root)
        else:
            self._store: ObjectStore = from_url(self.url)

    def put(self, key: str, data: bytes, *, create: bool = False) -> bool:
        """Store durably; with `create`, only if the key is free. Returns False when it was taken."""
        if self.root is not None:
            return write_durably(_below(self.root, key), data, create=create)
        try:
            obstore.put(self._store, key, data, mode="create" if create else "overwrite")
        except AlreadyExistsError:
            return False
        return True

    def get(self, key: str) -> bytes:
        """The whole object. Raises FileNotFoundError."""
        if self.root is not None:
            return _below(self.root, key).read_bytes()
        return bytes(obstore.get(self._store, key).bytes())

    def exists(self, key: str) -> bool:
        if self.root is not None:
            return _below(self.root, key).is_file()
        with contextlib.suppress(FileNotFoundError):
            obstore.head(self._store, key)
            return True
        return False

    def list(self, folder: str = "") -> Iterator[Entry]:
        """Every object below `folder`, in no particular order; temporary files and links are left out."""
        if self.root is not None:
            for path in _files(_below(self.root, folder)):
                with contextlib.suppress(FileNotFoundError):
                    yield Entry(path.relative_to(self.root).as_posix(), path.stat().st_size)
            return
        for chunk in obstore.list(self._store, prefix=folder or None):
            for meta in chunk:
                yield Entry(meta["path"], meta["size"])

    def delete(self, key: str) -> None:
        """Does nothing if it is not there. On a local disk it may be there again after a power cut."""
        if self.root is not None:
            _below(self.root, key).unlink(missing_ok=True)
            return
        with contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, key)


def _below(root: Path, key: str) -> Path:
    if key.startswith("/") or ".." in key.split("/"):
        raise ValueError(f"{key!r} is no key")
    return root / key


def _files(folder: Path) -> Iterator[Path]:
    """Regular files at any depth; what is removed meanwhile is left out."""
    todo = [folder]
    while todo:
        with contextlib.suppress(FileNotFoundError), os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False) and not entry.name.endswith(_TEMPORARY):
                    yield Path(entry.path)


def local_path(url: str) -> Path | None:
    """The folder behind a `file:///` URL, or None for an object store. Raises SettingsError for what is neither."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/") and not (parts.netloc or parts.query or parts.fragment):
        return Path(unquote(parts.path))
    if parts.scheme in ("", "file"):
        raise SettingsError(f"{url!r} is no URL", hint="write file:///absolute/folder, or s3://bucket/prefix")
    return None


def make_folder(path: Path) -> None:
    """Create `path` and its parents, each durably known to its parent."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """fsync a folder, so that the names in it survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """fsync a file that somebody else wrote."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes, *, create: bool = False) -> bool:
    """Write, fsync, put in place, fsync the folder. With `create`, False if the file is there already."""
    make_folder(path.parent)
    temporary = path.with_name(uuid.uuid4().hex + _TEMPORARY)
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        taken = False
        if create:
            try:
                path.hardlink_to(temporary)
            except FileExistsError:
                taken = True
        else:
            temporary.replace(path)
        sync_folder(path.parent)  # also if it is taken: who made it may have been stopped before
    finally:
        temporary.unlink(missing_ok=True)
    return not taken
