"""What a command asks of the worker that runs beside it → an answer: files in the data folder, for its owner's eyes.

A request is removed after its answer is there; so a worker that was stopped on the way does it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import uuid_utils

from .errors import Transient
from .objects import Objects

_PAUSE_SECONDS = 0.2


class Requests:
    """`requests/<kind>/<id>` and `answers/<kind>/<id>` below the data folder."""

    def __init__(self, data: Path) -> None:
        self._folder = data.absolute() / "asked"

    def ask(self, kind: str, what: dict[str, str], *, seconds: float) -> Any:
        """Raises Transient if no worker has answered in that time; it may still do it."""
        store = self._store()
        name = f"{kind}/{uuid_utils.uuid7()}"
        store.put(f"requests/{name}", msgspec.json.encode(what))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if store.exists(f"answers/{name}"):
                answer = msgspec.json.decode(store.get(f"answers/{name}"))
                store.delete(f"answers/{name}")
                return answer
            time.sleep(_PAUSE_SECONDS)
        raise Transient("the worker has not answered yet", hint="it will still do it; `penstock status` shows its work")

    def answer(self, kind: str, work: Callable[[dict[str, str]], Any]) -> int:
        """Do what was asked, oldest first; returns how many."""
        if not (self._folder / "requests" / kind).is_dir():
            return 0
        store = self._store()
        done = 0
        for entry in sorted(store.list(f"requests/{kind}"), key=lambda entry: entry.key):
            answer = work(msgspec.json.decode(store.get(entry.key), type=dict[str, str]))
            store.put(entry.key.replace("requests", "answers", 1), msgspec.json.encode(answer))
            store.delete(entry.key)
            done += 1
        return done

    def _store(self) -> Objects:
        store = Objects(self._folder.as_uri())
        self._folder.chmod(0o700)
        return store
