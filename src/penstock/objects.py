"""Objects by key, on a local folder or in S3, GCS or Azure; what `put` returns from is durable.

The one place that knows obstore, which does not fsync local files and finds a meaning in some of their names; so on a
local disk we do it ourselves: temporary file, fsync, rename, fsync of every folder that changed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore, from_url

from .errors import SettingsError

_TEMPORARY = ".tmp"
_PIECE_BYTES = 4 << 20


@dataclass(frozen=True)
class Entry:
    """One object in a listing; `key` is relative to the store, `size_bytes` as stored.

    A bucket also says when it was written and, in `tag`, which content it has; on a local disk both are missing.
    """

    key: str
    size_bytes: int
    tag: str | None = None
    modified: datetime | None = None


class Children(NamedTuple):
    """`folders` end with `/`; both are relative to the store."""

    folders: list[str]
    objects: list[Entry]


class Objects:
    """A flat space of keys under one URL (`file:///data/bronze`, `s3://bucket/prefix`)."""

    def __init__(self, url: str, *, retry_seconds: float = 180) -> None:
        """A bucket that does not answer is asked again for `retry_seconds` before that is an error."""
        self.url = url.rstrip("/")
        self.root = local_path(url)
        if self.root is not None:
            make_folder(self.root)
        else:
            self._store: ObjectStore = from_url(
                self.url, retry_config={"retry_timeout": timedelta(seconds=retry_seconds)}, **_options(self.url)
            )

    def put(self, key: str, data: bytes, *, create: bool = False) -> bool:
        """Store durably; with `create`, only if the key is free. Returns False when it was taken."""
        if self.root is not None:
            return write_durably(_below(self.root, key), data, create=create)
        try:
            obstore.put(self._store, key, data, mode="create" if create else "overwrite")
        except AlreadyExistsError:
            return False
        return True

    def put_file(self, key: str, path: Path) -> None:
        """Store a file's content durably, in parts if it is large."""
        if self.root is not None:
            self.put(key, path.read_bytes())
            return
        obstore.put(self._store, key, path)

    def fetch(self, key: str, path: Path) -> None:
        """Write the object to a file, piece by piece. Not durable yet. Raises FileNotFoundError."""
        if self.root is not None:
            shutil.copyfile(_below(self.root, key), path)
            return
        pieces = obstore.get(self._store, key).stream(min_chunk_size=_PIECE_BYTES)
        with path.open("wb") as file:
            for piece in pieces:
                file.write(piece)

    def get(self, key: str) -> bytes:
        """The whole object. Raises FileNotFoundError."""
        if self.root is not None:
            return _below(self.root, key).read_bytes()
        return bytes(obstore.get(self._store, key).bytes())

    def get_range(self, key: str, start: int, size: int) -> bytes:
        """`size` bytes (at least 1) from offset `start` on; fewer if it ends before. Raises FileNotFoundError."""
        if self.root is not None:
            with _below(self.root, key).open("rb") as file:
                file.seek(start)
                return file.read(size)
        return bytes(obstore.get_range(self._store, key, start=start, length=size))

    def exists(self, key: str) -> bool:
        if self.root is not None:
            return _below(self.root, key).is_file()
        with contextlib.suppress(FileNotFoundError):
            obstore.head(self._store, key)
            return True
        return False

    def list(self, folder: str = "", *, after: str | None = None) -> Iterator[Entry]:
        """Every object below `folder`, in no particular order; temporary files and links are left out.

        A bucket lists by name, and begins `after` a key without looking at those before; local folders cannot.
        """
        if self.root is not None:
            for path in _files(_below(self.root, folder)):
                with contextlib.suppress(FileNotFoundError):
                    yield Entry(path.relative_to(self.root).as_posix(), path.stat().st_size)
            return
        for chunk in obstore.list(self._store, prefix=folder or None, offset=after, chunk_size=1000):
            for meta in chunk:
                yield Entry(meta["path"], meta["size"], meta["e_tag"], meta["last_modified"])

    def children(self, folder: str = "") -> Children:
        """What lies in `folder` itself, sorted; one request, however much lies below."""
        if self.root is not None:
            return _children(self.root, _below(self.root, folder))
        found = obstore.list_with_delimiter(self._store, prefix=folder or None)
        return Children(
            sorted(f"{prefix}/" for prefix in found["common_prefixes"]),
            sorted((Entry(meta["path"], meta["size"]) for meta in found["objects"]), key=lambda entry: entry.key),
        )

    def delete_folder(self, folder: str) -> None:
        """Everything below it. On a local disk it may be there again after a power cut."""
        if self.root is not None:
            shutil.rmtree(_below(self.root, folder), ignore_errors=True)
            return
        for chunk in obstore.list(self._store, prefix=f"{folder}/"):
            obstore.delete(self._store, [meta["path"] for meta in chunk])

    def delete(self, key: str) -> None:
        """Does nothing if it is not there. On a local disk it may be there again after a power cut: see `settle`."""
        if self.root is not None:
            _below(self.root, key).unlink(missing_ok=True)
            return
        with contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, key)

    def delete_all(self, keys: Sequence[str]) -> None:
        """As `delete` of each; in a bucket with one request for many."""
        if self.root is not None:
            for key in keys:
                self.delete(key)
        elif keys:
            obstore.delete(self._store, list(keys))

    def settle(self, folder: str) -> None:
        """Remove empty folders there, below and above; after this, what was deleted there stays deleted."""
        if self.root is not None and (path := _below(self.root, folder)).is_dir():
            _settle(path)
            while path != self.root and _removed(path):
                path = path.parent
            sync_folder(path)


def bucket_options(url: str) -> dict[str, str]:
    """What the SDKs' environment variables say of an S3 bucket and our libraries do not read by themselves.

    Where it answers, also over plain HTTP if that is what the variable says; a put that never overwrites.
    """
    if urlsplit(url).scheme not in ("s3", "s3a"):
        return {}
    found = {"aws_conditional_put": "etag"}
    if endpoint := os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"):
        found["aws_endpoint_url"] = endpoint
        if endpoint.startswith("http://"):
            found["aws_allow_http"] = "true"
    return found


def _options(url: str) -> dict[str, Any]:
    """The same for obstore, which knows no profiles: boto3 reads them, where it is installed."""
    options: dict[str, Any] = dict(bucket_options(url))
    if options.pop("aws_allow_http", None):
        options["client_options"] = {"allow_http": True}
    if options and os.environ.get("AWS_PROFILE") and not os.environ.get("AWS_ACCESS_KEY_ID"):
        options["credential_provider"] = _of_profile()
    return options


def _of_profile() -> Any:
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError as error:
        raise SettingsError("AWS_PROFILE needs boto3", hint="pip install 'penstock[aws]'") from error
    return Boto3CredentialProvider()


def _below(root: Path, key: str) -> Path:
    if key.startswith("/") or ".." in key.split("/"):
        raise ValueError(f"{key!r} is no key")
    return root / key


def _files(folder: Path, *, temporary: bool = False) -> Iterator[Path]:
    """Regular files at any depth, or only the temporary ones; what is removed meanwhile is left out."""
    todo = [folder]
    while todo:
        with contextlib.suppress(FileNotFoundError), os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False) and entry.name.endswith(_TEMPORARY) == temporary:
                    yield Path(entry.path)


def _children(root: Path, folder: Path) -> Children:
    found = Children([], [])
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            key = Path(entry.path).relative_to(root).as_posix()
            if entry.is_dir(follow_symlinks=False):
                found.folders.append(f"{key}/")
            elif entry.is_file(follow_symlinks=False) and not entry.name.endswith(_TEMPORARY):
                with contextlib.suppress(FileNotFoundError):
                    found.objects.append(Entry(key, entry.stat().st_size))
    return found


def _settle(folder: Path) -> None:
    """fsync every folder at and below `folder`, but the empty ones, which are removed."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _settle(Path(entry.path))
    if not _removed(folder):
        sync_folder(folder)


def _removed(folder: Path) -> bool:
    """Remove it if it is empty."""
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def sweep(folder: Path, before: datetime) -> int:
    """Delete temporary files that a killed process left before that time; returns how many."""
    swept = 0
    for path in _files(folder, temporary=True):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
                swept += 1
    return swept


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
