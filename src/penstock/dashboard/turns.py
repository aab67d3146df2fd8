"""Who goes next when only so many may at once: first what somebody waits for, then what is needed later."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from itertools import count
from typing import NamedTuple


class _Waiting(NamedTuple):
    urgent: bool
    place: int
    turn: asyncio.Future[None]

    @property
    def rank(self) -> tuple[bool, int]:
        """The urgent in the order in which they came; of the others the newest, whose page is still being looked at."""
        return self.urgent, -self.place if self.urgent else self.place


class Turns:
    """Of one event loop. Whoever was let in says `leave` in the end."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._places = count()
        self._waiting: dict[Hashable, _Waiting] = {}

    async def enter(self, who: Hashable, *, urgent: bool) -> None:
        if self._free:
            self._free -= 1
            return
        waiting = _Waiting(urgent, next(self._places), asyncio.get_running_loop().create_future())
        self._waiting[who] = waiting
        try:
            await waiting.turn
        except asyncio.CancelledError:
            self._waiting.pop(who, None)
            if waiting.turn.done() and not waiting.turn.cancelled():
                self.leave()
            raise

    def hurry(self, who: Hashable) -> None:
        """Somebody waits for it now; nothing happens if it does not wait."""
        if who in self._waiting:
            self._waiting[who] = self._waiting[who]._replace(urgent=True)

    def leave(self) -> None:
        if not self._waiting:
            self._free += 1
            return
        who = max(self._waiting, key=lambda each: self._waiting[each].rank)
        self._waiting.pop(who).turn.set_result(None)
