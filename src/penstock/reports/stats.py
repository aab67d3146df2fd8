"""Counts of an experiment → intervals, tests and a verdict in words. Pure; nothing but the standard library.

Rates are shares from 0 to 1. Every interval is two-sided, with 95 % confidence unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import erfc, exp, floor, isfinite, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import NamedTuple

_NORMAL = NormalDist()
_STEPS = 400
"""Nodes of the integral of `chance_to_beat`; even, and enough for ten digits."""

SRM_BELOW = 0.001
"""A sample ratio that is less likely than this is a broken split, not chance: the field's usual mark."""
_FEWEST = 5
"""Of conversions, and of those who did not convert, on each side; below it the tests' normal curve does not hold."""


class Interval(NamedTuple):
    low: float
    high: float


class Arm(NamedTuple):
    """One variant: who saw it, and how many of them converted."""

    exposures: int
    conversions: int

    @property
    def rate(self) -> float | None:
        return self.conversions / self.exposures if self.exposures else None


class Lift(NamedTuple):
    """Relative to the control: 0.1 is ten per cent more."""

    lift: float
    low: float
    high: float


def z_of(confidence: float) -> float:
    """How many standard deviations each side of the mean holds this share: 1.96 for 0.95."""
    return _NORMAL.inv_cdf((1 + confidence) / 2)


def wilson(arm: Arm, confidence: float = 0.95) -> Interval | None:
    """Interval of a rate; never below 0 or above 1, and right for few and for rare. None without exposures."""
    n = arm.exposures
    if not n:
        return None
    z2, rate = z_of(confidence) ** 2, arm.conversions / n
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At the ends the interval touches them exactly; rounding would leave 1e-17.
    low = 0.0 if arm.conversions == 0 else max(0.0, middle - half)
    high = 1.0 if arm.conversions == n else min(1.0, middle + half)
    return Interval(low, high)


def z_test(control: Arm, variant: Arm) -> float | None:
    """z of the difference of two rates, with the pooled variance; None where there is none."""
    if not control.exposures or not variant.exposures:
        return None
    n = control.exposures + variant.exposures
    pooled = (control.conversions + variant.conversions) / n
    variance = pooled * (1 - pooled) * (1 / control.exposures + 1 / variant.exposures)
    if not variance:
        return None
    return (variant.conversions / variant.exposures - control.conversions / control.exposures) / sqrt(variance)


def p_value(control: Arm, variant: Arm) -> float | None:
    """How often chance alone would give a difference at least so large, either way."""
    z = z_test(control, variant)
    return None if z is None else erfc(abs(z) / sqrt(2))


def lift(control: Arm, variant: Arm, confidence: float = 0.95) -> Lift | None:
    """By the logarithm of the ratio of the rates (delta method). None while either side has no conversion."""
    if not control.conversions or not variant.conversions:
        return None
    a, b = variant, control
    ratio = log(a.conversions / a.exposures) - log(b.conversions / b.exposures)
    error = sqrt(1 / a.conversions - 1 / a.exposures + 1 / b.conversions - 1 / b.exposures)
    half = z_of(confidence) * error
    return Lift(exp(ratio) - 1, exp(ratio - half) - 1, exp(ratio + half) - 1)


def chance_to_beat(control: Arm, variant: Arm) -> float:
    """Probability that the variant's rate is the higher one, after these counts and nothing known before (Beta(1, 1)).

    The integral of one side's density times the other's distribution, in the variable log(p / (1 - p)): there both are
    bell-shaped for any counts, however rare or many, so Simpson's rule over the narrower bell is enough.
    """
    a, b = _Beta.of(variant), _Beta.of(control)
    return _above(a, b) if a.width <= b.width else 1 - _above(b, a)


def _above(a: _Beta, b: _Beta) -> float:
    """Probability that the rate of `a` is the higher one."""
    middle, low, high = a.bell()
    step = (high - low) / _STEPS
    total = norm = 0.0
    for index in range(_STEPS + 1):
        x = low + index * step
        weight = (1 if index in (0, _STEPS) else 4 if index % 2 else 2) * exp(a.log_density(x) - a.log_density(middle))
        total += weight * b.below(x)
        norm += weight
    return min(1.0, max(0.0, total / norm))


class _Beta(NamedTuple):
    """Of a rate p; the variable is x = log(p / (1 - p))."""

    a: float
    b: float

    @classmethod
    def of(cls, arm: Arm) -> _Beta:
        return cls(arm.conversions + 1.0, arm.exposures - arm.conversions + 1.0)

    @property
    def width(self) -> float:
        return sqrt(1 / self.a + 1 / self.b)

    def bell(self) -> tuple[float, float, float]:
        """Where the density in x is highest, and from where to where it is more than nothing.

        Its middle is as a normal curve; its tails are e^(ax) to the left and e^(-bx) to the right.
        """
        top = log(self.a / self.b)
        return top, top - 8 * self.width - 40 / self.a, top + 8 * self.width + 40 / self.b

    def log_density(self, x: float) -> float:
        """In x; without what does not depend on it."""
        return -self.a * _softplus(-x) - self.b * _softplus(x)

    def below(self, x: float) -> float:
        """Probability of a rate below that of x: the regularised incomplete beta function, by continued fraction."""
        a, b = self
        p = 1 / (1 + exp(-x)) if x > -700 else 0.0
        front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + self.log_density(x))
        if p < (a + 1) / (a + b + 2):
            return front * _fraction(a, b, p) / a
        return 1 - front * _fraction(b, a, 1 / (1 + exp(x)) if x < 700 else 0.0) / b


def _softplus(x: float) -> float:
    """log(1 + e^x), also where e^x is beyond a float."""
    return max(x, 0.0) + log1p(exp(-abs(x)))


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function (Lentz's way)."""
    tiny = 1e-300
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, 20_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away(1 + term * d, tiny)
            c = _away(1 + term / c, tiny)
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return value


def _away(x: float, tiny: float) -> float:
    """Not nearer to zero than `tiny`."""
    return x if abs(x) > tiny else tiny


def sample_ratio(exposures: Sequence[int], shares: Sequence[float] | None = None) -> float | None:
    """p-value of the split that was seen, if it was meant to be `shares` (equal ones unless told): a chi-square test.

    Near 0 something keeps variants from being counted alike, and no other number of the experiment can be believed.
    None with fewer than two variants, or nobody.
    """
    total = sum(exposures)
    if len(exposures) < 2 or not total:
        return None
    parts = list(shares or [1] * len(exposures))
    expected = [total * part / sum(parts) for part in parts]
    chi2 = sum((seen - meant) ** 2 / meant for seen, meant in zip(exposures, expected, strict=True))
    return chi_square_above(chi2, len(exposures) - 1)


def chi_square_above(x: float, freedom: int) -> float:
    """Probability that chi-square with so many degrees of freedom exceeds x; the finite sums for whole degrees."""
    if x <= 0:
        return 1.0
    half = x / 2
    if freedom % 2 == 0:
        return sum(exp(k * log(half) - half - lgamma(k + 1)) for k in range(freedom // 2))
    tail = sum(exp((k - 0.5) * log(half) - half - lgamma(k + 0.5)) for k in range(1, freedom // 2 + 1))
    return erfc(sqrt(half)) + tail


def needed_per_variant(rate: float, effect: float, *, power: float = 0.8, confidence: float = 0.95) -> int | None:
    """Exposures of each variant to find a relative `effect` (0.1 is ten per cent) on `rate` with this power.

    None if there is nothing to find: a rate of 0 or 1, no effect, or one that leads out of 0 to 1.
    """
    other = rate * (1 + effect)
    if not 0 < rate < 1 or not 0 < other < 1 or not effect:
        return None
    mean = (rate + other) / 2
    found = z_of(confidence) * sqrt(2 * mean * (1 - mean))
    found += _NORMAL.inv_cdf(power) * sqrt(rate * (1 - rate) + other * (1 - other))
    needed = (found / (other - rate)) ** 2
    return floor(needed) + 1 if isfinite(needed) else None


class Call(StrEnum):
    """What may be said of a variant against its control."""

    broken_split = "broken split"
    not_enough = "not enough data"
    no_difference = "no difference shown"
    better = "better"
    worse = "worse"


def call(control: Arm, variant: Arm, srm: float | None, *, tests: int = 1, confidence: float = 0.95) -> Call:
    """`srm` is the p-value of the split; with several `tests` (variants), each has to be surer (Bonferroni)."""
    if srm is not None and srm < SRM_BELOW:
        return Call.broken_split
    p = p_value(control, variant)
    if p is None or min(_fewest(control), _fewest(variant)) < _FEWEST:
        return Call.not_enough
    if p >= (1 - confidence) / tests:
        return Call.no_difference
    return Call.better if (variant.rate or 0) > (control.rate or 0) else Call.worse


def _fewest(arm: Arm) -> int:
    return min(arm.conversions, arm.exposures - arm.conversions)


def verdict(
    name: str,
    control_name: str,
    control: Arm,
    variant: Arm,
    srm: float | None,
    *,
    effect: float = 0.1,
    tests: int = 1,
    confidence: float = 0.95,
) -> str:
    """One or two sentences for people. `effect` is the smallest relative difference that would matter to them."""
    found = call(control, variant, srm, tests=tests, confidence=confidence)
    if found is Call.broken_split:
        return (
            f"Do not trust this experiment: the variants were not shown in the ratio that was meant (p = {srm:.2g}). "
            "Find out why before reading on."
        )
    needed = needed_per_variant(control.rate or 0, effect)
    least = min(control.exposures, variant.exposures)
    is_early = needed is not None and needed > least
    wait = f" To find {effect:.0%} it takes about {needed:,} exposures of each." if is_early else ""
    if found is Call.not_enough:
        return (
            f"Not enough data: {name} and {control_name} each need {_FEWEST} who converted and {_FEWEST} who did not."
        )
    p = p_value(control, variant)
    if found is Call.no_difference:
        return f"No difference shown between {name} and {control_name} (p = {p:.2g}).{wait}"
    by = lift(control, variant, confidence)
    assert by is not None  # `call` wants conversions on both sides
    so_far = " so far, which is too early to decide" if is_early else ""
    return (
        f"{name} is {found.value} than {control_name} by {abs(by.lift):.1%} "
        f"({by.low:+.1%} to {by.high:+.1%}, p = {p:.2g}){so_far}.{wait}"
    )
