"""Traffic for `penstock demo`: simulated visitors who post to a collector over real HTTP, until told to stop."""

from __future__ import annotations

import threading

from ..clock import Clock, utc_now
from ..simulator.dirt import Dirt
from ..simulator.plan import Kind, Plan
from ..simulator.send import Sender

_DIRT = Dirt(duplicates=0.01)
"""One in a hundred batches is sent twice, as a browser that lost the answer would."""


class Traffic:
    """About `rate` events a second, a third of them a shop's; a batch that is not answered is sent again."""

    def __init__(self, url: str, *, rate: float = 20, seed: int = 1, clock: Clock = utc_now) -> None:
        plan = Plan(events=0, every_ms=0, start_ms=0, kind=Kind.both, seed=seed, dirt=_DIRT)
        self._sender = Sender(url, plan, rate, connections=1, clock=clock)

    @property
    def sent(self) -> int:
        return self._sender.counts["accepted"]

    def run(self, stop: threading.Event) -> None:
        self._sender.run(stop)
