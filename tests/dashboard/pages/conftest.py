"""One small lake for all pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from penstock.settings import Settings
from site_in_hand import fill, visit


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return fill(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with visit(settings) as opened:
        yield opened
