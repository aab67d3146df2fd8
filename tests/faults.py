"""A crash between any two steps: a stand-in for a store or a stream that raises at the n-th call of its methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from penstock.objects import Objects
from penstock.silver import bookmark
from penstock.silver.commit import Table


class Crash(Exception):
    """As if the process had ended here."""


class Fault:
    """Counts calls over all that it stands in for, and raises at the `nth`: before it is done, or after."""

    def __init__(self, nth: int, *, after: bool = False) -> None:
        self.left = nth
        self.after = after

    def at(self, target: Any) -> Any:
        return _StandIn(target, self)

    @property
    def happened(self) -> bool:
        return self.left <= 0

    def call(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Crash
        done = method(*args, **kwargs)
        if self.left == 0:
            raise Crash
        return done


class _StandIn:
    def __init__(self, target: Any, fault: Fault) -> None:
        self._target = target
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return found
        return lambda *args, **kwargs: self._fault.call(found, *args, **kwargs)


@contextmanager
def crash_at(call: int) -> Iterator[list[int]]:
    """Raise at the `call`-th change of something durable; gives how many there were."""
    count = [0]
    patch = pytest.MonkeyPatch()

    def counting(original: Callable[..., Any], after: bool) -> Callable[..., Any]:
        def changed(*args: Any, **kwargs: Any) -> Any:
            count[0] += 1
            if count[0] == call and not after:
                raise Crash
            result = original(*args, **kwargs)
            count[0] += 1
            if count[0] == call and after:
                raise Crash
            return result

        return changed

    for owner, name in (
        (Objects, "put"),
        (Objects, "delete"),
        (Table, "commit"),
        (Table, "commit_again"),
        (Table, "_sync_commit"),
        (Table, "make_durable"),
        (bookmark, "forget"),
    ):
        for after in (False, True):
            patch.setattr(owner, name, counting(getattr(owner, name), after))
    try:
        yield count
    finally:
        patch.undo()
