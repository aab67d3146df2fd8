"""A/B tests: who was exposed to what, when a conversion counts, and what is said about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock.errors import PenstockError

from .rows_in_hand import RowsInHand

START = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def hand() -> RowsInHand:
    return RowsInHand()


def event(what: str, second: int, session: str = "s", variants: str | None = None, **more: Any) -> dict[str, Any]:
    at = START + timedelta(seconds=second)
    return {"event_type": what, "event_ts": at, "session_id": session, "variants": variants, **more}


def found(hand: RowsInHand, **asked: Any) -> list[tuple[Any, ...]]:
    rows = hand.rows("experiments", since="2026-02-01", until="2026-02-01", **asked)
    return [(row["experiment"], row["variant"], row["exposures"], row["conversions"], row["mixed"]) for row in rows]


A, B = '{"h":"A"}', '{"h":"B"}'


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([event("page_view", 0)], []),
        ([event("page_view", 0, variants=A)], [("h", "A", 1, 0, 0)]),
        # the click counts that comes with the exposure or after it, not the one before
        ([event("cta_click", 0, variants=A)], [("h", "A", 1, 1, 0)]),
        ([event("page_view", 0, variants=A), event("cta_click", 1)], [("h", "A", 1, 1, 0)]),
        ([event("cta_click", 0), event("page_view", 1, variants=A)], [("h", "A", 1, 0, 0)]),
        # twice is once
        ([event("cta_click", n, variants=A) for n in range(3)], [("h", "A", 1, 1, 0)]),
        # who saw both is in neither
        (
            [event("page_view", 0, variants=A), event("page_view", 1, variants=B), event("page_view", 0, "t", B)],
            [("h", "B", 1, 0, 1)],
        ),
        ([event("page_view", 0, variants=A), event("page_view", 1, variants=B)], []),
        # without the column, by the event
        (
            [event("experiment_view", 0, properties='{"experiment":"h","variant":"B"}'), event("cta_click", 3)],
            [("h", "B", 1, 1, 0)],
        ),
        # several experiments, and what is none
        (
            [event("page_view", 0, variants='{"h":"A","price list":"high"}')],
            [("h", "A", 1, 0, 0), ("price list", "high", 1, 0, 0)],
        ),
        ([event("page_view", 0, variants=text) for text in ("{}", "[1]", "nonsense", '"A"')], []),
    ],
)  # fmt: skip
def test_exposures_and_conversions(
    hand: RowsInHand, rows: list[dict[str, Any]], expected: list[tuple[Any, ...]]
) -> None:
    hand.put(rows)
    assert found(hand) == expected


def test_by_user_and_of_one_experiment(hand: RowsInHand) -> None:
    hand.put(
        [
            event("page_view", 0, "s", '{"h":"A","g":"X"}', user_id="u"),
            event("cta_click", 1, "t", user_id="u", page_path="/other"),
            event("cta_click", 2, "t", user_id="u", page_path="/here"),
        ]
    )
    assert found(hand, experiment="h") == [("h", "A", 1, 0, 0)]
    assert found(hand, experiment="h", per="user") == [("h", "A", 1, 1, 0)]
    assert found(hand, experiment="h", per="user", goal="cta_click & page_path=/nowhere") == [("h", "A", 1, 0, 0)]


def crowd(variant: str, exposures: int, conversions: int) -> list[dict[str, Any]]:
    return [
        event("cta_click" if number < conversions else "page_view", 0, f"{variant}{number}", f'{{"h":"{variant}"}}')
        for number in range(exposures)
    ]


def test_what_is_said(hand: RowsInHand) -> None:
    hand.put([*crowd("A", 1000, 100), *crowd("B", 1000, 140), *crowd("C", 1000, 95)])
    control, better, same = hand.rows("experiments", since="2026-02-01", until="2026-02-01")
    assert control["verdict"] == "the control" and control["lift"] is None
    assert (better["rate"], better["lift"]) == pytest.approx((0.14, 0.4))
    assert better["rate_low"] < 0.14 < better["rate_high"] and better["lift_low"] > 0
    assert better["p_value"] < 0.01 and better["chance_to_beat"] > 0.99 and better["split_p_value"] == 1
    assert better["verdict"].startswith("B is better than A by 40.0%")
    assert same["verdict"].startswith("No difference shown between C and A")
    assert control["needed"] == better["needed"] == 14_751


def test_another_control_and_other_shares(hand: RowsInHand) -> None:
    hand.put([*crowd("A", 900, 90), *crowd("B", 100, 30)])
    asked = {"since": "2026-02-01", "until": "2026-02-01"}
    assert "Do not trust" in hand.rows("experiments", **asked)[1]["verdict"]
    rows = hand.rows("experiments", control="B", shares="A=90,B=10", **asked)
    assert [row["variant"] for row in rows] == ["B", "A"]
    assert rows[1]["verdict"].startswith("A is worse than B")


@pytest.mark.parametrize(
    "asked", [{"control": "C"}, {"shares": "A=90"}, {"shares": "A"}, {"shares": "A=0,B=1"}, {"effect": 0}, {"goal": ""}]
)
def test_what_cannot_be_asked(hand: RowsInHand, asked: dict[str, Any]) -> None:
    hand.put([*crowd("A", 10, 1), *crowd("B", 10, 1)])
    with pytest.raises(PenstockError):
        found(hand, **asked)
