"""What every process of ours needs: settings handed down by the parent, an end when it is gone, a way to stop."""

from __future__ import annotations

import os
import signal
import threading
import time

from ..settings import Settings

_HANDED_DOWN = "PENSTOCK_HANDED_DOWN"


def hand_down(settings: Settings) -> dict[str, str]:
    """Environment for a child that is to use exactly these settings."""
    # In the words of the settings file, for the child reads that too, and what it is handed goes before.
    return {**os.environ, _HANDED_DOWN: settings.model_dump_json(by_alias=True)}


def handed_down() -> Settings:
    """The parent's settings, in a child."""
    return Settings.model_validate_json(os.environ[_HANDED_DOWN])


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
