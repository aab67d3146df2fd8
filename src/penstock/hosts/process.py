"""What every process of ours needs: settings handed down by the parent, one worker per data folder, a way to stop."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import SettingsError
from ..objects import make_folder
from ..settings import Settings

_HANDED_DOWN = "PENSTOCK_HANDED_DOWN"


def hand_down(settings: Settings) -> dict[str, str]:
    """Environment for a child that is to use exactly these settings."""
    # In the words of the settings file, for the child reads that too, and what it is handed goes before.
    return {**os.environ, _HANDED_DOWN: settings.model_dump_json(by_alias=True)}


def handed_down() -> Settings:
    """The parent's settings, in a child."""
    return Settings.model_validate_json(os.environ[_HANDED_DOWN])


@contextmanager
def only_worker(data: Path) -> Iterator[None]:
    """Hold the data folder's worker lock; a lock of a dead process is free. Raises SettingsError if it is taken."""
    make_folder(data.absolute())
    descriptor = os.open(data / "worker.lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode() or "unknown"
            raise SettingsError(
                f"another worker (process {owner}) works in {data}", hint="stop it first, or use another --data"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def worker_runs(data: Path) -> bool:
    """Whether somebody holds the worker lock of this folder."""
    try:
        with only_worker(data):
            return False
    except SettingsError:
        return True


def end_with_parent() -> None:
    """End this process soon after its parent is gone, so that a killed parent leaves nobody behind."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def stop_event() -> threading.Event:
    """Set by SIGINT or SIGTERM."""
    event = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: event.set())
    return event
