"""Somebody with a browser, and a loopback site for it to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

import browser_in_hand
from tracker.loopback import Site

playwright, chromium, browser = browser_in_hand.playwright, browser_in_hand.chromium, browser_in_hand.browser


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody who was never here, and counts as no bot."""
    context = browser.new_context(viewport={"width": 800, "height": 600}, user_agent=browser_in_hand.agent(browser))
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def tab(visitor: BrowserContext) -> Page:
    return visitor.new_page()


@pytest.fixture
def still(tab: Page) -> Page:
    """A tab whose clock stands; it goes on only as far as a test lets it run."""
    tab.clock.install()
    tab.clock.pause_at(datetime.now(UTC) + timedelta(seconds=1))
    return tab


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


@pytest.fixture
def read(site: Site, tab: Page) -> Callable[..., Page]:
    """`read(html, path)`: put that page on the site, open it, and wait for its view to arrive."""

    def read(html: str, path: str = "/post") -> Page:
        site.pages[path.partition("?")[0].partition("#")[0]] = html
        tab.goto(site.url(path))
        site.wait("page_view")
        return tab

    return read
