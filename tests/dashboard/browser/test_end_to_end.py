"""A web site that is read in Chromium → tracker → collector → stream → lake: the dashboard shows exactly that."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import pytest
from playwright.sync_api import Browser, Page, Request

import browser_in_hand
from penstock.hosts.supervisor import ALL, Supervisor, free_port
from penstock.settings import load
from tracker.loopback import Site, page

pytestmark = pytest.mark.heavy

VISITS = (("/", "letter"), ("/", "letter"), ("/pricing", "forum"), ("/", "forum"), ("/guides/first", "letter"))
"""What somebody reads who was never there, and whence he comes; everybody goes on to /next."""
CLICKS = (3, 1, 0, 0, 2)
"""By each of them, on the call to action there."""
_DEPTHS = (25, 50, 75, 100)
"""Of a short page, all are seen at once."""
_PATIENCE_SECONDS = 90


@pytest.fixture
def running(tmp_path_factory: pytest.TempPathFactory, chromium: object) -> Iterator[Supervisor]:
    """Everything, as `penstock up` starts it; only that what waits for some seconds or a minute waits less."""
    folder = tmp_path_factory.mktemp("running")
    told = load(data=folder / "data")
    changed = {name: getattr(told, name).model_copy(update={"port": free_port()}) for name in ("collect", "dashboard")}
    changed |= {name: getattr(told, name).model_copy(update={"seconds": 0.2}) for name in ("deliver", "rollup")}
    made = Supervisor(told.model_copy(update=changed), folder / "log", ALL)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def site(running: Supervisor) -> Iterator[Site]:
    """The site that is read, with the collector behind its own address."""
    made = Site()
    made.behind = running.url
    made.pages = {path: page('<a class="on" href="/next">Next</a>') for path, _ in VISITS}
    made.pages["/next"] = page('<button class="cta">Book a call</button>')
    yield made
    made.close()


def acknowledged(request: Request) -> dict[str, str]:
    """Event id → type of what was answered with 200."""
    answer = request.response()
    if request.method != "POST" or answer is None or answer.status != 200:
        return {}
    return {event["event_id"]: event["event_type"] for event in json.loads(request.post_data or "[]")}


def read(browser: Browser, site: Site, path: str, source: str, clicks: int) -> Counter[str]:
    """A visit by somebody new; how many events of each type it sent.

    He leaves no page before all of it is acknowledged: what a closed page still sends, Chromium sends under its own
    name, which is a bot's.
    """
    context = browser.new_context(viewport={"width": 800, "height": 600}, user_agent=browser_in_hand.agent(browser))
    context.set_default_timeout(15_000)
    sent: dict[str, str] = {}
    context.on("requestfinished", lambda request: sent.update(acknowledged(request)))
    tab = context.new_page()
    tab.goto(site.url(f"{path}?utm_source={source}"))
    until_sent(tab, sent, {"page_view": 1, "scroll_depth": len(_DEPTHS)})
    tab.click(".on")
    tab.wait_for_url("**/next")
    for _ in range(clicks):
        tab.click(".cta")
    until_sent(tab, sent, {"page_view": 2, "scroll_depth": 2 * len(_DEPTHS), "cta_click": clicks})
    context.close()
    return Counter(sent.values())


def until_sent(tab: Page, sent: Mapping[str, str], expected: Mapping[str, int]) -> None:
    tab.wait_for_function("window.analytics")
    until = time.monotonic() + _PATIENCE_SECONDS
    while Counter(sent.values()) != Counter(expected):
        assert time.monotonic() < until, Counter(sent.values())
        tab.evaluate("analytics.flush()")
        tab.wait_for_timeout(20)


def rows(tab: Page, heading: str) -> dict[str, int]:
    """A card's names, each with its first number."""
    found = tab.locator("section.card", has=tab.get_by_role("heading", name=heading, exact=True)).locator("tbody tr")
    return {
        row.locator("th bdi").inner_text(): int(row.locator("td:not(.line)").first.inner_text()) for row in found.all()
    }


def tiles(tab: Page) -> dict[str, str]:
    return {
        tile.locator(".name").inner_text(): tile.locator(".value").inner_text() for tile in tab.locator(".tile").all()
    }


def said(tab: Page) -> str:
    return tab.locator("main").inner_text()


def wait(tab: Page, address: str, condition: Callable[[], bool]) -> None:
    """Look at it again and again, until it is so."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while tab.goto(address) and not condition():
        assert time.monotonic() < until, said(tab)


def test_the_dashboard_shows_what_a_browser_sent(running: Supervisor, site: Site, browser: Browser) -> None:
    sent = Counter[str]()
    for (path, source), clicks in zip(VISITS, CLICKS, strict=True):
        sent += read(browser, site, path, source, clicks)
    assert (sent["page_view"], sent["cta_click"]) == (2 * len(VISITS), sum(CLICKS))

    there = running.dashboard_url
    tab = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
    wait(tab, f"{there}/events?period=7d", lambda: rows(tab, "Event types") == sent)
    expected = {"Visitors": str(len(VISITS)), "Sessions": str(len(VISITS)), "Page views": str(sent["page_view"])}
    first = f"{there}/?period=7d&sources=utm_source"
    wait(tab, first, lambda: expected.items() <= tiles(tab).items())
    # Each card comes by itself: one that takes longer than the page's patience is there the next time.
    wait(tab, first, lambda: rows(tab, "Events") == sent)
    pages = Counter(path for path, _ in VISITS) + Counter({"/next": len(VISITS)})
    wait(tab, first, lambda: rows(tab, "Pages") == pages)
    wait(tab, first, lambda: rows(tab, "Sources") == Counter(source for _, source in VISITS))

    wait(tab, f"{there}/?period=7d&utm_source=letter", lambda: tiles(tab).get("Sessions") == "3")
    wait(tab, f"{there}/status", lambda: f"{sent.total()} received = {sent.total()} stored + 0 duplicates" in said(tab))
    tab.context.close()
