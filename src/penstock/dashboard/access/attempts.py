"""How often a password may be tried: so often per peer, and so often in all."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from ...clock import Clock

PER_PEER = 10
ALL = 100
WITHIN = timedelta(minutes=5)


class Attempts:
    """Those of the last minutes. As ALL bounds them, so is the memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tried: deque[tuple[datetime, str]] = deque()

    def begin(self, peer: str) -> float:
        """0 if it may be tried now, which then counts; else after how many seconds."""
        now = self._clock()
        while self._tried and self._tried[0][0] <= now - WITHIN:
            self._tried.popleft()
        own = [at for at, who in self._tried if who == peer]
        for tried, most in (own, PER_PEER), ([at for at, _ in self._tried], ALL):
            if len(tried) >= most:
                return (tried[-most] + WITHIN - now).total_seconds()
        self._tried.append((now, peer))
        return 0

    def succeeded(self, peer: str) -> None:
        """Whoever knows the password has not been guessing."""
        self._tried = deque((at, who) for at, who in self._tried if who != peer)
