"""Fixtures that several tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

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
