"""Any file of events → an object of bronze, as it is, once: the same content under another name adds nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ..errors import BadFile
from ..objects import Objects
from .deliver import announce
from .layout import LOADS, load_key, origin
from .lines import FILE_BYTES, may_be_readable, readable


class Loaded(NamedTuple):
    """`key` is where the content lies; `new` is False if it was there before."""

    key: str
    new: bool


def load(bronze: Objects, path: Path, now: datetime, below: Path | None = None) -> Loaded:
    """Raises BadFile for what is not a regular file, or not of a kind or size that we read.

    It arrived when the folders between `below` and it say, if they do, else now.
    """
    told = origin(path.relative_to(below).as_posix() if below else path.name)
    return take(bronze, _read(path), path.name, told.at or now, told.source)


def take(bronze: Objects, data: bytes, name: str, at: datetime, source: str | None = None) -> Loaded:
    """Make an object of a file's bytes, unless bronze has this content. Repeated after a crash, it is finished."""
    digest = hashlib.sha256(data).hexdigest()
    key = load_key(digest, name, at, source)
    # The index entry is written first and names the key, so a crash before the object is healed by the next try.
    if not bronze.put(LOADS + digest, key.encode(), create=True):
        key = bronze.get(LOADS + digest).decode()
        if bronze.exists(key):
            return Loaded(key, new=False)
    announce(bronze, key, len(data))
    bronze.put(key, data)
    return Loaded(key, new=True)


def files(folder: Path) -> Iterator[Path]:
    """Every file below `folder` whose name is that of a kind we read, in order."""
    found = (Path(path) / name for path, _, names in os.walk(folder) for name in names)
    return iter(sorted(path for path in found if may_be_readable(path.name) and not path.is_symlink()))


def _read(path: Path) -> bytes:
    """The file's bytes; a link is not followed, and a pipe is not waited for."""
    if path.is_symlink() or not path.is_file():
        raise BadFile("not_regular_file", f"{path} is not a regular file")
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if not readable(path.name, file.read(64)):
            raise BadFile("unknown_kind", f"{path} is none of .jsonl .ndjson .json, plain or .gz or .zst")
        if os.fstat(file.fileno()).st_size > FILE_BYTES:
            raise BadFile("file_too_large", f"{path} has more than {FILE_BYTES} bytes; split it")
        file.seek(0)
        return file.read()
