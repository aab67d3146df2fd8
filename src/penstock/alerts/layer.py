"""Which layer broke? What the stages say of themselves → traffic, tracking, bots or pipeline. Pure.

The order is that of trust: while events wait, no count is right; while they are refused, those that are left say
little; crawlers can explain any number of the rest.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

_FEWEST = 20
"""A share of fewer events is chance."""
_TIMES = 3.0
_REFUSED_AT_LEAST = 0.05
_BOTS_AT_LEAST = 0.1


class Layer(StrEnum):
    pipeline = "pipeline"
    tracking = "tracking"
    bots = "bots"
    traffic = "traffic"


class Share(NamedTuple):
    """So many of so many."""

    part: int = 0
    whole: int = 0

    @property
    def value(self) -> float:
        return self.part / self.whole if self.whole else 0.0


class Signals(NamedTuple):
    """`waiting` is the age of the oldest event that is not in silver yet; shares are those of the time judged."""

    waiting: timedelta = timedelta()
    patience: timedelta = timedelta(minutes=15)
    refused: Share = Share()
    refused_usually: Share = Share()
    bots: Share = Share()
    bots_usually: Share = Share()


def broken(signals: Signals) -> Layer:
    if signals.waiting > signals.patience:
        return Layer.pipeline
    if _jumped(signals.refused, signals.refused_usually, _REFUSED_AT_LEAST):
        return Layer.tracking
    if _jumped(signals.bots, signals.bots_usually, _BOTS_AT_LEAST):
        return Layer.bots
    return Layer.traffic


def _jumped(now: Share, usually: Share, least: float) -> bool:
    """It is at least `least` higher than usual; and three times what is usual, or what remains has been halved."""
    if now.whole < _FEWEST or now.value < usually.value + least:
        return False
    return now.value >= _TIMES * usually.value or (1 - now.value) <= (1 - usually.value) / 2
