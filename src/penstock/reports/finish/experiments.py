"""Exposures and conversions of each variant → rates, lifts, tests and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa

from ...errors import PenstockError
from .. import stats
from ..question import Question

_NUMBERS = (
    "rate",
    "rate_low",
    "rate_high",
    "lift",
    "lift_low",
    "lift_high",
    "p_value",
    "chance_to_beat",
    "split_p_value",
)
_SCHEMA = pa.schema(
    [
        ("experiment", pa.string()),
        ("variant", pa.string()),
        ("exposures", pa.int64()),
        ("conversions", pa.int64()),
        *((name, pa.float64()) for name in _NUMBERS),
        ("needed", pa.int64()),
        ("mixed", pa.int64()),
        ("verdict", pa.string()),
    ]
)


def finish(table: pa.Table, question: Question) -> pa.Table:
    """`table` has experiment, variant (null: saw several), exposures and conversions. Raises PenstockError."""
    asked = question.given.bound
    shares = _shares(asked["shares"])
    rows: list[dict[str, Any]] = []
    for name, found in groupby(table.to_pylist(), itemgetter("experiment")):
        arms = {row["variant"]: stats.Arm(row["exposures"], row["conversions"]) for row in found}
        mixed = arms.pop(None, stats.Arm(0, 0)).exposures
        rows += _experiment(name, arms, mixed, asked["control"], shares, asked["effect"])
    return pa.Table.from_pylist(rows, _SCHEMA)


def _experiment(
    name: str, arms: Mapping[str, stats.Arm], mixed: int, control: str, shares: Mapping[str, float], effect: float
) -> list[dict[str, Any]]:
    if not arms:
        return []
    if control and control not in arms:
        raise PenstockError(f"experiment {name} has no variant {control!r}", hint=f"it has {', '.join(arms)}")
    base = control or min(arms)
    split = _split(name, arms, shares)
    order = sorted(arms, key=lambda variant: (variant != base, variant))
    return [
        {"experiment": name, "variant": variant, "mixed": mixed, **_variant(variant, base, arms, split, effect)}
        for variant in order
    ]


def _variant(
    variant: str, base: str, arms: Mapping[str, stats.Arm], split: float | None, effect: float
) -> dict[str, Any]:
    arm, control = arms[variant], arms[base]
    low, high = stats.wilson(arm) or (None, None)
    row = {
        "exposures": arm.exposures,
        "conversions": arm.conversions,
        "rate": arm.rate,
        "rate_low": low,
        "rate_high": high,
        "split_p_value": split,
        "needed": stats.needed_per_variant(control.rate or 0, effect),
    }
    if variant == base:
        return {**row, "verdict": "the control"}
    lift, lift_low, lift_high = stats.lift(control, arm) or (None, None, None)
    tests = len(arms) - 1
    return {
        **row,
        "lift": lift,
        "lift_low": lift_low,
        "lift_high": lift_high,
        "p_value": stats.p_value(control, arm),
        "chance_to_beat": stats.chance_to_beat(control, arm),
        "verdict": stats.verdict(variant, base, control, arm, split, effect=effect, tests=tests),
    }


def _split(name: str, arms: Mapping[str, stats.Arm], shares: Mapping[str, float]) -> float | None:
    if shares and shares.keys() != arms.keys():
        raise PenstockError(f"shares are for {', '.join(shares)}, but {name} has {', '.join(arms)}")
    meant = [shares[variant] for variant in arms] if shares else None
    return stats.sample_ratio([arm.exposures for arm in arms.values()], meant)


def _shares(text: str) -> dict[str, float]:
    """`A=90,B=10`. Raises PenstockError."""
    try:
        found = {
            name.strip(): float(share) for name, share in (part.rsplit("=", 1) for part in text.split(",") if part)
        }
    except ValueError:
        found = {"": 0.0}
    if not all(0 < share < 1e9 for share in found.values()):
        raise PenstockError(f"{text[:80]!r} are no shares", hint="write for example shares=A=90,B=10")
    return found
