"""Chromium, driven by Playwright, and a loopback site for it to read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tracker.loopback import Site

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.test 127.0.0.1",
)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Per module, because its event loop must not be running when tests of other folders start theirs."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def chromium() -> Path:
    """The browser of the machine. Nothing is downloaded for the tests."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium here: install it (Debian: apt install chromium) or name one in CHROMIUM")
    return Path(found)


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: Path) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
    yield launched
    launched.close()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody who was never here, and whose browser does not call itself headless, which counts as a bot."""
    version = browser.version.partition(".")[0]
    agent = (
        f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    )
    context = browser.new_context(viewport={"width": 800, "height": 600}, user_agent=agent)
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def tab(visitor: BrowserContext) -> Page:
    return visitor.new_page()


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
