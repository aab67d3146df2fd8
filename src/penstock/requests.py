"""What is asked of the worker that runs beside us → an answer: files in the data folder, for its owner's eyes.

A request is removed after its answer is there; so a worker that was stopped on the way does it again. An answer that
nobody took away is removed a day later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import uuid_utils

from .errors import Transient
from .objects import Objects

_PAUSE_SECONDS = 0.2
_KEPT_SECONDS = 86_400


class Requests:
    """`requests/<kind>/<id>` and `answers/<kind>/<id>` below the data folder."""

    def __init__(self, data: Path) -> None:
        self._folder = data.absolute() / "asked"

    def ask(self, kind: str, what: dict[str, str], *, seconds: float) -> Any:
        """Raises Transient if no worker has answered in that time; it may still do it."""
        name = self.put(kind, what)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if (answer := self.answered(kind, name)) is not None:
                self._store().delete(f"answers/{kind}/{name}")
                return answer
            time.sleep(_PAUSE_SECONDS)
        raise Transient("the worker has not answered yet", hint="it will still do it; `penstock status` shows its work")

    def put(self, kind: str, what: dict[str, str]) -> str:
        """Ask, and do not wait; returns the id to ask for the answer with."""
        name = str(uuid_utils.uuid7())
        self._store().put(f"requests/{kind}/{name}", msgspec.json.encode(what))
        return name

    def answered(self, kind: str, name: str) -> Any | None:
        """The answer, which stays; None if there is none. A name that we did not give has none either."""
        if not _is_ours(name):
            return None
        try:
            return msgspec.json.decode(self._store().get(f"answers/{kind}/{name}"))
        except FileNotFoundError:
            return None

    def waits(self, kind: str, name: str) -> bool:
        """Whether it was asked, and not answered yet."""
        return _is_ours(name) and self._store().exists(f"requests/{kind}/{name}")

    def any_waits(self, kind: str) -> bool:
        """Whether something of that kind was asked, and not answered yet."""
        folder = self._folder / "requests" / kind
        return folder.is_dir() and any(self._store().list(f"requests/{kind}"))

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
        if done:
            self._forget(store, kind)
        return done

    def _forget(self, store: Objects, kind: str) -> None:
        """Their names say when they were asked."""
        before = (time.time() - _KEPT_SECONDS) * 1000
        for entry in store.list(f"answers/{kind}"):
            name = entry.key.rpartition("/")[2]
            if _is_ours(name) and UUID(name).int >> 80 < before:
                store.delete(entry.key)

    def _store(self) -> Objects:
        store = Objects(self._folder.as_uri())
        self._folder.chmod(0o700)
        return store


def _is_ours(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
