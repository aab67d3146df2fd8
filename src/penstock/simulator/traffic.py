"""Sessions → windows of time, each with exactly as many events as ordered; what goes on later waits for its window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from . import dirt
from .arrays import Array, Columns, joined, length, take

_STEP_MS = 3_600_000


class Profile(Protocol):
    """Somebody's visitors. `keep` hears which sessions were taken of those that `sessions` offered last.

    `stamped`: in files, their lines are as our collector writes them.
    """

    name: str
    types: tuple[str, ...]
    time_field: str
    stamped: bool
    salt: int

    def sessions(self, rng: np.random.Generator, start: int, length: int, count: int) -> Columns: ...
    def keep(self, sessions: Columns) -> None: ...
    def human(self, events: Columns) -> Array: ...
    def lines(self, events: Columns) -> list[str]: ...
    def agents(self, events: Columns) -> Sequence[str]: ...


class Traffic:
    """`skew` is the share of sessions whose sender has a wrong clock; column `skew` says by how much."""

    def __init__(self, profile: Profile, seed: int, *, skew: float = 0) -> None:
        self._profile = profile
        self._skew, self._salt = skew, seed * 16 + 12
        self._rng = np.random.default_rng((seed, profile.salt))
        self._later: Columns | None = None
        self._sessions = self._events = 0
        self._inside = 4.0

    @property
    def oldest_session(self) -> int:
        """No session with a lower number will have another event."""
        later = self._later
        return int(later["session"].min()) if later and length(later) else self._sessions

    def window(self, start: int, duration: int, count: int) -> Columns:
        """The `count` events from `start` on, by time; windows follow each other. Times are in milliseconds."""
        steps = -(-duration // _STEP_MS)
        starts = [start + duration * n // steps for n in range(steps + 1)]
        counts = [count * n // steps for n in range(steps + 1)]
        return joined(
            [self._step(starts[n], starts[n + 1] - starts[n], counts[n + 1] - counts[n]) for n in range(steps)]
        )

    def _step(self, start: int, duration: int, count: int) -> Columns:
        end = start + duration
        found = [self._new(start, duration, 0)] if self._later is None else [self._later]
        missing = count - int((found[0]["at"] < end).sum())
        while missing > 0:
            found.append(self._new(start, duration, missing))
            missing -= int((found[-1]["at"] < end).sum())
        events = joined(found)
        now = events["at"] < end
        self._later = take(events, ~now)
        events = take(events, now)
        # More than wanted are there only if a crowd that came at once goes on; then some leave early.
        return take(events, np.argsort(events["at"], kind="stable")[:count])

    def _new(self, start: int, duration: int, missing: int) -> Columns:
        """Sessions that begin now, at most so many that nothing is missing."""
        offered = self._profile.sessions(self._rng, start, duration, int(missing / self._inside * 1.02) + 8)
        inside = np.cumsum(offered["at"] < start + duration)
        self._inside = max(1.0, inside[-1] / (offered["session"][-1] + 1))
        taken = take(offered, slice(0, int(np.searchsorted(inside, missing)) + 1 if missing else 0))
        self._profile.keep(taken)
        count = length(taken)
        begins = taken["at"][np.searchsorted(taken["session"], taken["session"])]
        taken["session"] = taken["session"] + self._sessions
        taken["skew"] = dirt.skew(taken["session"], begins, self._skew, self._salt)
        taken["event"] = np.arange(self._events, self._events + count)
        self._events += count
        if count:
            self._sessions = int(taken["session"][-1]) + 1
        return taken
