"""Statistics against published values, against sums and integrals done the slow way, and against each other."""

from __future__ import annotations

from math import comb, exp, inf, lgamma, log, pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.reports import stats
from penstock.reports.stats import Arm, Call

ARMS = st.builds(lambda n, share: Arm(n, round(n * share)), st.integers(1, 5000), st.floats(0, 1))


@pytest.mark.parametrize(
    ("arm", "low", "high"),
    [
        # Newcombe (1998), table I, method 3: score without continuity correction
        (Arm(263, 81), 0.2553, 0.3662),
        (Arm(148, 15), 0.0624, 0.1605),
        (Arm(20, 0), 0.0, 0.1611),
        (Arm(29, 1), 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(arm: Arm, low: float, high: float) -> None:
    assert stats.wilson(arm) == pytest.approx((low, high), abs=5e-5)


@given(arm=ARMS)
def test_wilson_is_where_the_test_of_the_rate_just_fails(arm: Arm) -> None:
    """Its ends are the rates p for which |rate - p| is 1.96 standard errors of p."""
    interval = stats.wilson(arm)
    assert interval is not None and 0 <= interval.low <= arm.conversions / arm.exposures <= interval.high <= 1
    for end in interval:
        if 0 < end < 1:
            distance = abs(arm.conversions / arm.exposures - end)
            assert distance == pytest.approx(stats.z_of(0.95) * sqrt(end * (1 - end) / arm.exposures))


def test_z_test_as_published() -> None:
    """The NIST handbook's kind of example: 65 of 120 against 43 of 110, pooled."""
    control, variant = Arm(110, 43), Arm(120, 65)
    pooled = 108 / 230
    by_hand = (65 / 120 - 43 / 110) / sqrt(pooled * (1 - pooled) * (1 / 120 + 1 / 110))
    assert stats.z_test(control, variant) == pytest.approx(by_hand)
    assert stats.p_value(control, variant) == pytest.approx(_two_sided(by_hand), rel=1e-6)


@pytest.mark.parametrize(("z", "p"), [(1.959964, 0.05), (2.575829, 0.01), (3.290527, 0.001)])
def test_normal_table(z: float, p: float) -> None:
    assert stats.z_of(1 - p) == pytest.approx(z, abs=1e-6)
    assert _two_sided(z) == pytest.approx(p, rel=1e-5)


@given(a=ARMS, b=ARMS)
def test_square_of_z_is_chi_square_of_the_table(a: Arm, b: Arm) -> None:
    z = stats.z_test(a, b)
    rest_a, rest_b = a.exposures - a.conversions, b.exposures - b.conversions
    n, converted = a.exposures + b.exposures, a.conversions + b.conversions
    if converted in (0, n):
        assert z is None and stats.p_value(a, b) is None
    else:
        cross = a.conversions * rest_b - b.conversions * rest_a
        chi2 = n * cross**2 / (converted * (n - converted) * a.exposures * b.exposures)
        assert z is not None and z**2 == pytest.approx(chi2)
        assert stats.p_value(a, b) == pytest.approx(stats.chi_square_above(chi2, 1))


def test_lift_as_published() -> None:
    """The Physicians' Health Study: 104 of 11,037 against 189 of 11,034; relative risk 1.82, 1.43 to 2.31 (Agresti)."""
    found = stats.lift(Arm(11_037, 104), Arm(11_034, 189))
    assert found is not None
    assert (1 + found.lift, 1 + found.low, 1 + found.high) == pytest.approx((1.82, 1.43, 2.31), abs=6e-3)


@given(control=ARMS, variant=ARMS)
def test_lift_the_other_way_round(control: Arm, variant: Arm) -> None:
    there, back = stats.lift(control, variant), stats.lift(variant, control)
    assert (there is None) == (control.conversions == 0 or variant.conversions == 0) == (back is None)
    if there and back:
        assert (1 + there.lift) * (1 + back.lift) == pytest.approx(1)
        assert (1 + there.low) * (1 + back.high) == pytest.approx(1)
        assert there.low <= there.lift <= there.high


@given(control=ARMS, variant=ARMS)
def test_chance_to_beat_is_the_exact_sum(control: Arm, variant: Arm) -> None:
    """For whole counts the probability is a finite sum of beta functions."""
    assert stats.chance_to_beat(control, variant) == pytest.approx(_exact(control, variant), abs=1e-8)


@pytest.mark.parametrize(
    ("control", "variant"),
    [(Arm(3, 1), Arm(4, 3)), (Arm(0, 0), Arm(10, 0)), (Arm(40, 11), Arm(60, 25)), (Arm(9, 9), Arm(9, 9))],
)
def test_chance_to_beat_is_the_integral(control: Arm, variant: Arm) -> None:
    assert stats.chance_to_beat(control, variant) == pytest.approx(_integral(control, variant), abs=1e-6)


@given(control=ARMS, variant=ARMS)
def test_one_of_two_beats_the_other(control: Arm, variant: Arm) -> None:
    both = stats.chance_to_beat(control, variant) + stats.chance_to_beat(variant, control)
    assert both == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("size", [10**6, 10**8])
def test_chance_to_beat_of_many_is_the_normal_curve(size: int) -> None:
    control, variant = Arm(size, size // 10), Arm(size, size // 10 + int(sqrt(size) / 3))
    z = stats.z_test(control, variant)
    assert z is not None
    assert stats.chance_to_beat(control, variant) == pytest.approx(1 - _two_sided(z) / 2, abs=1e-4)


@pytest.mark.parametrize(
    ("freedom", "x", "p"),
    # upper critical values of chi-square, as in every table
    [(1, 3.841, 0.05), (1, 10.828, 0.001), (2, 5.991, 0.05), (3, 7.815, 0.05), (4, 13.277, 0.01), (10, 18.307, 0.05)],
)
def test_chi_square_table(freedom: int, x: float, p: float) -> None:
    assert stats.chi_square_above(x, freedom) == pytest.approx(p, rel=2e-3)


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("x", [0.3, 4.0, 25.0])
def test_chi_square_is_the_integral_of_its_density(freedom: int, x: float) -> None:
    half = freedom / 2

    def density(root: float) -> float:
        """In the variable root = sqrt(x), in which it is smooth also at 0."""
        return (
            2 * exp((freedom - 1) * log(root) - root**2 / 2 - half * log(2) - lgamma(half))
            if root
            else 2 * (freedom == 1) / sqrt(2 * pi)
        )

    assert stats.chi_square_above(x, freedom) == pytest.approx(1 - _simpson(density, 0, sqrt(x)), abs=1e-8)


def test_sample_ratio_as_published() -> None:
    """Fabijan et al. (2019): 821,588 against 815,482 looks like halves and is not (p = 1.8e-6)."""
    assert stats.sample_ratio([821_588, 815_482]) == pytest.approx(1.8e-6, rel=0.02)
    assert stats.sample_ratio([900, 100], [90, 10]) == 1
    assert stats.sample_ratio([100]) is None
    assert stats.sample_ratio([0, 0]) is None


@pytest.mark.parametrize(
    ("rate", "effect", "needed"),
    # Fleiss, Levin and Paik, table A.4 without continuity correction: 0.1 against 0.2 is 199; 0.5 against 0.6 is 388
    [(0.1, 1.0, 199), (0.5, 0.2, 388), (0.1, 0.2, 3841)],
)
def test_needed_as_published(rate: float, effect: float, needed: int) -> None:
    assert stats.needed_per_variant(rate, effect) == pytest.approx(needed, abs=1)


@pytest.mark.parametrize(("rate", "effect"), [(0, 0.1), (1, 0.1), (0.5, 1.0), (0.5, -1.0), (0.3, 0)])
def test_nothing_to_find(rate: float, effect: float) -> None:
    assert stats.needed_per_variant(rate, effect) is None


@pytest.mark.parametrize(("control", "effect"), [(0.3, 0.2), (0.1, 0.5)])
def test_needed_has_the_power_that_it_promises(control: float, effect: float) -> None:
    """The probability of a p-value below 0.05 with so many, summed over all outcomes that are at all likely."""
    n = stats.needed_per_variant(control, effect) or 0
    first, second = _binomial(n, control), _binomial(n, control * (1 + effect))
    power = sum(
        p * q for a, p in first.items() for b, q in second.items() if (stats.p_value(Arm(n, a), Arm(n, b)) or 1) < 0.05
    )
    assert power == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    ("control", "variant", "tests", "expected"),
    [
        (Arm(0, 0), Arm(0, 0), 1, Call.not_enough),
        (Arm(1000, 0), Arm(1000, 30), 1, Call.not_enough),
        (Arm(50, 4), Arm(50, 20), 1, Call.not_enough),
        (Arm(6, 6), Arm(6, 6), 1, Call.not_enough),
        (Arm(1000, 100), Arm(1000, 110), 1, Call.no_difference),
        (Arm(1000, 100), Arm(1000, 140), 1, Call.better),
        (Arm(1000, 140), Arm(1000, 100), 1, Call.worse),
        # p is 0.006: enough for one comparison, not for the best of ten
        (Arm(1000, 100), Arm(1000, 140), 10, Call.no_difference),
        (Arm(1000, 100), Arm(2000, 400), 1, Call.broken_split),
    ],
)
def test_what_may_be_said(control: Arm, variant: Arm, tests: int, expected: Call) -> None:
    split = stats.sample_ratio([control.exposures, variant.exposures])
    assert stats.call(control, variant, split, tests=tests) is expected


@pytest.mark.parametrize(
    ("control", "variant", "words"),
    [
        (Arm(1000, 100), Arm(2000, 400), "Do not trust this experiment"),
        (Arm(10, 1), Arm(10, 2), "Not enough data"),
        (
            Arm(1000, 100),
            Arm(1000, 110),
            "No difference shown between B and A (p = 0.47). To find 10% it takes about 14,751",
        ),
        (Arm(20_000, 2000), Arm(20_000, 2800), "B is better than A by 40.0% (+32.6% to +47.8%, p = 8.1e-35)."),
        (
            Arm(1000, 100),
            Arm(1000, 140),
            "B is better than A by 40.0% (+10.0% to +78.2%, p = 0.0059) so far, which is too early to decide."
            " To find 10% it takes about 14,751",
        ),
        (Arm(1000, 140), Arm(1000, 100), "B is worse than A by 28.6%"),
    ],
)
def test_verdict(control: Arm, variant: Arm, words: str) -> None:
    split = stats.sample_ratio([control.exposures, variant.exposures])
    assert stats.verdict("B", "A", control, variant, split).startswith(words)


@given(control=st.builds(Arm, st.integers(0, 50), st.just(0)), variant=ARMS, effect=st.sampled_from([0.01, 0.1, 5.0]))
def test_there_is_always_a_verdict(control: Arm, variant: Arm, effect: float) -> None:
    assert stats.verdict("B", "A", control, variant, None, effect=effect)
    assert stats.verdict("A", "B", variant, control, None, effect=effect)


def _two_sided(z: float) -> float:
    return 1 - _simpson(lambda x: exp(-x * x / 2) / sqrt(2 * pi), -abs(z), abs(z))


def _simpson(density: object, low: float, high: float, steps: int = 2000) -> float:
    assert callable(density) and high < inf
    step = (high - low) / steps
    weights = [1, *([4, 2] * (steps // 2))[:-1], 1]
    return sum(w * density(low + i * step) for i, w in enumerate(weights)) * step / 3


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _exact(control: Arm, variant: Arm) -> float:
    a, b = control.conversions + 1, control.exposures - control.conversions + 1
    c, d = variant.conversions + 1, variant.exposures - variant.conversions + 1
    return sum(exp(_log_beta(a + i, b + d) - log(d + i) - _log_beta(1 + i, d) - _log_beta(a, b)) for i in range(c))


def _integral(control: Arm, variant: Arm) -> float:
    """Over the square, by its middle points."""
    steps = 2000
    points = [(i + 0.5) / steps for i in range(steps)]

    def weights(arm: Arm) -> list[float]:
        k, rest = arm.conversions, arm.exposures - arm.conversions
        found = [p**k * (1 - p) ** rest for p in points]
        return [weight / sum(found) for weight in found]

    of_control, of_variant = weights(control), weights(variant)
    below = total = 0.0
    for left, right in zip(of_control, of_variant, strict=True):
        total += right * (below + left / 2)
        below += left
    return total


def _binomial(n: int, p: float) -> dict[int, float]:
    chances = {k: exp(log(comb(n, k)) + k * log(p) + (n - k) * log(1 - p)) for k in range(n + 1)}
    return {k: chance for k, chance in chances.items() if chance > 1e-7}
