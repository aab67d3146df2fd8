"""The upright axis: round numbers around the values, and where on it a value stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

from .formats import Unit, finite

_MOST_STEPS = 5
_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True)
class Scale:
    """From `low` to `high`, both of them ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def y(self, value: float) -> float:
        """How far from the top, in percent."""
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return 100 - 100 * max(0.0, min(1.0, share))

    @property
    def zero(self) -> float:
        """Where 0 is, or the end of the axis that is nearest to it."""
        return self.y(0.0)


def scale(values: Iterable[Any], unit: str = Unit.whole) -> Scale:
    """An axis for these values, from 0 on, with at most six ticks."""
    drawn = [number for value in values if (number := finite(value)) is not None]
    low, high = min([0.0, *drawn]), max([0.0, *drawn])
    if low == high:
        high = 1.0
    step = _step((high / 2 - low / 2) / _MOST_STEPS * 2, unit)
    first, last = floor(low / step), ceil(high / step)
    ticks = tuple(_clean(step * nth, step) for nth in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def _step(least: float, unit: str) -> float:
    """The round number that is not less: 1, 2, 2.5 or 5 times a power of ten; of seconds, as a clock has them."""
    if unit == Unit.seconds and _SECONDS[0] <= least <= _SECONDS[-1]:
        return float(next(step for step in _SECONDS if step >= least))
    whole = unit in (Unit.whole, Unit.bytes)
    power = 10.0 ** floor(log10(max(least, 1.0) if whole else least))
    parts = (1, 2, 5, 10) if whole and power < 10 else (1, 2, 2.5, 5, 10, 20)
    return next(power * part for part in parts if power * part >= least * (1 - 1e-9))


def _clean(value: float, step: float) -> float:
    """0.30000000000000004 → 0.3."""
    return round(value, max(0, 2 - floor(log10(step)))) if step < 1e6 else value
