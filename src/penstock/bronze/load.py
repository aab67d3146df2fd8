"""Any file of events → an object of bronze, as it is, once: the same content under another name adds nothing."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ..errors import BadFile
from ..objects import Objects
from .deliver import announce
from .layout import load_key
from .lines import readable

_INDEX = "loads/"


class Loaded(NamedTuple):
    """`key` is where the content lies; `new` is False if it was there before."""

    key: str
    new: bool


def load(bronze: Objects, path: Path, now: datetime) -> Loaded:
    """Raises BadFile for what is not a regular file, or not of a kind that we read."""
    if path.is_symlink() or not path.is_file():
        raise BadFile("not_regular_file", f"{path} is not a regular file")
    if not readable(path.name):
        raise BadFile("unknown_kind", f"{path} is none of .jsonl .ndjson .json, plain or .gz or .zst")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    key = load_key(digest, re.sub(r"[^\w.-]", "_", path.name)[-80:], now)
    # The index entry is written first and names the key, so a crash before the object is healed by the next try.
    if not bronze.put(_INDEX + digest, key.encode(), create=True):
        key = bronze.get(_INDEX + digest).decode()
        if bronze.exists(key):
            return Loaded(key, new=False)
    announce(bronze, key, len(data))
    bronze.put(key, data)
    return Loaded(key, new=True)
