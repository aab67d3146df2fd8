"""Nobody is kept out: no page breaks a rule of axe-core, in the light and in the dark."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from penstock.dashboard.pages import PAGES

from .conftest import Open

ADDRESSES = [page.url for page in PAGES]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", [*ADDRESSES, "/details/overview/pages"])
def test_nothing_is_inaccessible(opened: Open, address: str, scheme: str) -> None:
    page = opened(address, color_scheme=scheme, reduced_motion="reduce")
    found: dict[str, Any] = Axe().run(page).response
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    assert len(found["passes"]) > 10
