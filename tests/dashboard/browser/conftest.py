"""A dashboard that is served, and somebody who looks at it with Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

import browser_in_hand
from penstock.hosts.supervisor import Supervisor, free_port
from penstock.settings import Settings
from site_in_hand import fill

playwright, chromium, browser = browser_in_hand.playwright, browser_in_hand.chromium, browser_in_hand.browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, chromium: object) -> Iterator[Supervisor]:
    settings = fill(tmp_path_factory.mktemp("served"))
    dashboard = settings.dashboard.model_copy(update={"port": free_port(), "patience_seconds": 60})
    made = Supervisor(settings.model_copy(update={"dashboard": dashboard}), settings.data / "log", ("dashboard",))
    made.start()
    yield made
    made.stop()


Open = Callable[..., Page]


@pytest.fixture
def opened(served: Supervisor, browser: Browser) -> Iterator[Open]:
    """`opened("/?period=7d", color_scheme="dark")`: that page, in a browser that was never there.

    At the end nothing was asked of anybody else, no script failed and no policy was broken.
    """
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def ask(request: Request) -> None:
        if not request.url.startswith((served.dashboard_url, "data:", "blob:")):
            wrong.append(f"asked for {request.url}")

    def open_(address: str, **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", ask)
        page.on("pageerror", lambda error: wrong.append(f"script failed: {error}"))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.goto(served.dashboard_url + address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def settings(served: Supervisor) -> Settings:
    return served.settings
