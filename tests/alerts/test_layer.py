"""Which layer broke, as a table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from penstock.alerts.layer import Share, Signals, broken

HOUR = timedelta(hours=1)
JUMPED, USUAL = Share(30, 100), Share(10, 1000)

CASES: list[tuple[str, Signals, str]] = [
    ("nothing known", Signals(), "traffic"),
    ("all as usual", Signals(refused=Share(1, 100), refused_usually=USUAL, bots_usually=USUAL), "traffic"),
    ("events wait for an hour", Signals(waiting=HOUR), "pipeline"),
    ("events wait a little", Signals(waiting=timedelta(minutes=15)), "traffic"),
    ("they wait as long as was asked for", Signals(waiting=HOUR, patience=2 * HOUR), "traffic"),
    ("waiting explains the rest", Signals(HOUR, refused=JUMPED, bots=JUMPED), "pipeline"),
    ("refused from 1 to 30 %", Signals(refused=JUMPED, refused_usually=USUAL), "tracking"),
    ("refused, and never before", Signals(refused=Share(2, 20)), "tracking"),
    ("refused, of a few", Signals(refused=Share(9, 19)), "traffic"),
    ("refused 4 % is little", Signals(refused=Share(4, 100)), "traffic"),
    ("refused 30 % as ever", Signals(refused=JUMPED, refused_usually=Share(300, 1000)), "traffic"),
    ("all refused, half were before", Signals(refused=Share(99, 100), refused_usually=Share(50, 100)), "tracking"),
    ("refused goes before bots", Signals(refused=JUMPED, bots=JUMPED), "tracking"),
    ("bots from 1 to 30 %", Signals(bots=JUMPED, bots_usually=USUAL), "bots"),
    ("bots 9 % is little", Signals(bots=Share(9, 100)), "traffic"),
    ("bots 30 % as ever", Signals(bots=JUMPED, bots_usually=Share(25, 100)), "traffic"),
    ("bots, fewer than usual", Signals(bots=Share(1, 100), bots_usually=Share(50, 100)), "traffic"),
]


@pytest.mark.parametrize(("signals", "layer"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_layer(signals: Signals, layer: str) -> None:
    assert broken(signals) == layer
