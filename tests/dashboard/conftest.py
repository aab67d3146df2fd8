"""Dashboards: one that is open, one with a password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard_in_hand import PASSWORD, DashboardInHand, cheap

Make = Callable[..., DashboardInHand]


@pytest.fixture
def make_dashboard(tmp_path: Path) -> Iterator[Make]:
    made: list[DashboardInHand] = []

    def make(**dashboard: Any) -> DashboardInHand:
        made.append(DashboardInHand(tmp_path, **dashboard))
        return made[-1]

    yield make
    for dashboard in made:
        dashboard.close()


@pytest.fixture
def open_dashboard(make_dashboard: Make) -> DashboardInHand:
    return make_dashboard()


@pytest.fixture
def locked(make_dashboard: Make) -> DashboardInHand:
    return make_dashboard(password=cheap(PASSWORD), hosts=["stats.test"])
