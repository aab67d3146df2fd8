"""A crash between any two steps: a stand-in for a store or a stream that raises at the n-th call of its methods."""

from __future__ import annotations

from typing import Any


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
