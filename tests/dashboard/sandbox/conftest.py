"""A small lake whose every file is known, a secret beside it, and a playground over it."""

from __future__ import annotations

import pytest

from penstock.pipeline import Pipeline
from penstock.settings import Settings, load
from support import LakeInHand

from .targets import Targets

EVENTS = [
    {
        "event_type": ("page_view", "add_to_cart", "purchase")[n % 3],
        "event_id": f"e{n:03}",
        "session_id": f"s{n % 7}",
        "event_ts": f"2026-11-{18 + n % 3:02}T{n % 24:02}:15:00Z",
        "page_path": f"/p/{n % 5}",
        "price": n + 0.25,
        "quantity": 1 + n % 4,
        "category": "books" if n % 2 else "=cmd|' /C calc'!A0",
        "product_id": f"p_{n % 11}",
    }
    for n in range(60)
]


@pytest.fixture(scope="session")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Targets:
    folder = tmp_path_factory.mktemp("sandbox")
    hand = LakeInHand(folder / "data")
    hand.put([*hand.post(EVENTS), b"{broken"])
    hand.refine()
    way = Pipeline(load(data=folder / "data"))
    way.rollup()
    way.close()
    return Targets(folder)


@pytest.fixture
def settings(targets: Targets) -> Settings:
    return load(data=targets.data, dashboard={"sql_seconds": 10})
