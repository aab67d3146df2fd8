"""Any file of events → an object of bronze, as it is, once: the same content under another name adds nothing."""

from __future__ import annotations

import hashlib
import os
import re
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ..errors import BadFile
from ..objects import Objects
from .deliver import announce
from .layout import load_key
from .lines import FILE_BYTES, readable

_INDEX = "loads/"


class Loaded(NamedTuple):
    """`key` is where the content lies; `new` is False if it was there before."""

    key: str
    new: bool


def load(bronze: Objects, path: Path, now: datetime) -> Loaded:
    """Raises BadFile for what is not a regular file, or not of a kind or size that we read."""
    data = _read(path)
    digest = hashlib.sha256(data).hexdigest()
    key = load_key(digest, re.sub(r"[^A-Za-z0-9_.-]", "_", path.name)[-80:], now)
    # The index entry is written first and names the key, so a crash before the object is healed by the next try.
    if not bronze.put(_INDEX + digest, key.encode(), create=True):
        key = bronze.get(_INDEX + digest).decode()
        if bronze.exists(key):
            return Loaded(key, new=False)
    announce(bronze, key, len(data))
    bronze.put(key, data)
    return Loaded(key, new=True)


def _read(path: Path) -> bytes:
    """The file's bytes; a link is not followed, and a pipe is not waited for."""
    if path.is_symlink() or not path.is_file():
        raise BadFile("not_regular_file", f"{path} is not a regular file")
    if not readable(path.name):
        raise BadFile("unknown_kind", f"{path} is none of .jsonl .ndjson .json, plain or .gz or .zst")
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if os.fstat(file.fileno()).st_size > FILE_BYTES:
            raise BadFile("file_too_large", f"{path} has more than {FILE_BYTES} bytes; split it")
        return file.read()
