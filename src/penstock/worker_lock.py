"""The lock of a data folder: one worker at a time changes what is in it; anybody can see whether one runs."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import SettingsError
from .objects import make_folder

_TRIES = 5
_PAUSE_SECONDS = 0.02
"""Who only looks holds it for a moment."""


@contextmanager
def only_worker(data: Path) -> Iterator[None]:
    """Hold the data folder's worker lock; a lock of a dead process is free. Raises SettingsError if it is taken."""
    make_folder(data.absolute())
    descriptor = os.open(_path(data), os.O_CREAT | os.O_RDWR, 0o644)
    try:
        if not any(_taken(descriptor, fcntl.LOCK_EX, nth) for nth in range(_TRIES)):
            owner = os.read(descriptor, 20).decode() or "unknown"
            raise SettingsError(
                f"another worker (process {owner}) works in {data}", hint="stop it first, or use another --data"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def worker_runs(data: Path) -> bool:
    """Whether somebody holds the worker lock of this folder. Changes nothing, and keeps no worker from starting."""
    try:
        descriptor = os.open(_path(data), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _taken(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _path(data: Path) -> Path:
    return data / "worker.lock"


def _taken(descriptor: int, kind: int, nth: int = 0) -> bool:
    """Whether the lock is ours now; every try but the first waits a little before."""
    if nth:
        time.sleep(_PAUSE_SECONDS)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
