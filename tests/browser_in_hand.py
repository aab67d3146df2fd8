"""Chromium, driven by Playwright: fixtures for the folders whose tests need a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

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


def agent(browser: Browser) -> str:
    """What it calls itself without the word headless, which counts as a bot."""
    version = browser.version.partition(".")[0]
    return (
        f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    )
