"""Fixtures that several tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from hand_clock import HandClock
from penstock.pipeline import Pipeline
from penstock.settings import load
from support import LakeInHand

# How long an example takes says nothing on a machine that others use too.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def hand(tmp_path: Path) -> LakeInHand:
    return LakeInHand(tmp_path / "lake")


@pytest.fixture
def make_hand(tmp_path: Path) -> Callable[[str], LakeInHand]:
    return lambda name: LakeInHand(tmp_path / name)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def way(tmp_path: Path, clock: HandClock) -> Iterator[Pipeline]:
    opened = Pipeline(load(data=tmp_path / "data"), clock=clock)
    yield opened
    opened.close()
