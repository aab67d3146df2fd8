"""One small lake for all pages; and dashboards of which one is open and one has a password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from dashboard_in_hand import PASSWORD, DashboardInHand, cheap
from penstock.settings import Settings
from site_in_hand import fill, visit

Make = Callable[..., DashboardInHand]


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return fill(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with visit(settings) as opened:
        yield opened


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
