"""What was done arrives once, whatever the network, the server or the reader does meanwhile."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Error, Page

from tracker.loopback import Site, page

Read = Callable[..., Page]
LATER_MS = 14_000


def queue(tab: Page) -> list[str]:
    """Event types that wait in the browser."""
    found: list[str] = tab.evaluate("JSON.parse(localStorage.penstock).queue.map(event => event.event_type)")
    return found


def until_kept(tab: Page) -> None:
    """The answer is awaited in real time, what follows from it in the clock's."""
    for _ in range(1000):
        tab.clock.run_for(1)
        if queue(tab):
            return
    raise AssertionError("the event that failed is not kept")


def delivered(site: Site) -> list[str]:
    """Event types that were answered with 200, with repetitions."""
    return [event["event_type"] for body in site.posts for event in json.loads(body)]


def once_answered(tab: Page, act: Callable[[], object]) -> None:
    """Do what makes the tracker post, and wait until it knows that the post arrived: it then sends what waits."""
    with tab.expect_event("requestfinished", lambda request: request.method == "POST"):
        act()
    tab.evaluate("fetch('/a/analytics.js').then(reply => reply.text())")


def test_views_clicks_and_submits_go_at_once_others_in_batches(site: Site, still: Page) -> None:
    site.pages["/post"] = page("<button class=cta>go</button>")
    once_answered(still, lambda: still.goto(site.url("/post")))
    still.evaluate("for (let i = 0; i < 4; i++) analytics.track('small')")
    assert len(site.posts) == 1
    once_answered(still, lambda: still.click("button"))
    assert [len(json.loads(body)) for body in site.posts] == [1, 5]

    still.evaluate("for (let i = 0; i < 3; i++) analytics.track('few')")
    assert len(site.posts) == 2
    still.clock.run_for(3_001)
    assert len(site.wait("few")) == 3
    still.evaluate("for (let i = 0; i < 10; i++) analytics.track('many')")
    site.wait("many", 10)


def test_no_preflight_no_credentials_and_plain_text(site: Site, read: Read) -> None:
    other = site.url("/a/e", "collector.test")
    site.headers = {"Set-Cookie": "own=1"}
    read(page(head=f'<script defer src="/a/analytics.js" data-endpoint="{other}"></script>'))

    posts = [(path, headers) for method, path, headers, _ in site.requests if method == "POST"]
    assert {method for method, *_ in site.requests} == {"GET", "POST"}
    assert posts[0][0] == "/a/e"
    assert posts[0][1]["Content-Type"] == "text/plain;charset=UTF-8"
    assert posts[0][1]["Host"].startswith("collector.test")
    assert "Cookie" not in posts[0][1]


def test_site_is_sent_as_write_key(site: Site, read: Read) -> None:
    read(page(head='<script defer src="/a/analytics.js" data-site="example.com"></script>'))

    assert next(path for method, path, *_ in site.requests if method == "POST") == "/a/e?writeKey=example.com"


def test_offline_then_online(site: Site, visitor: BrowserContext, read: Read) -> None:
    tab = read(page())
    site.wait("scroll_depth", 4)
    visitor.set_offline(True)
    tab.evaluate("for (let i = 0; i < 3; i++) analytics.track('offline', {i}); analytics.flush()")
    assert queue(tab) == ["offline"] * 3
    visitor.set_offline(False)

    assert [event["properties"]["i"] for event in site.wait("offline", 3)] == [0, 1, 2]
    site.wait_until(lambda: queue(tab) == [], "an empty queue")


def test_offline_and_closed_arrives_with_the_next_page(site: Site, visitor: BrowserContext, read: Read) -> None:
    tab = read(page())
    visitor.set_offline(True)
    # Closing a tab ends the emulation in it before its pagehide, which would then see a network that is there and dead.
    tab.evaluate("Object.defineProperty(navigator, 'onLine', {value: false}); analytics.track('offline')")
    tab.close()
    visitor.set_offline(False)
    next_tab = visitor.new_page()
    next_tab.goto(site.url("/post"))

    event = site.wait("offline")[0]
    view = site.wait("page_view", 2)[1]
    assert event["seq"] < view["seq"]
    assert event["event_ts"] < view["event_ts"]
    assert event["sent_ts"] > event["event_ts"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_refused_for_now_is_sent_again_with_the_same_id(site: Site, tab: Page, status: int) -> None:
    tab.clock.install()
    site.pages["/post"] = page()
    site.statuses = [status]
    tab.goto(site.url("/post"))
    site.wait_until(lambda: len(site.posts) == 1, "the first post")
    until_kept(tab)
    tab.evaluate("analytics.track('meanwhile'); analytics.flush()")
    assert len(site.posts) == 1, "a server that is in trouble is left alone for a while"
    tab.clock.run_for(LATER_MS)
    site.wait("meanwhile")

    first, second = (json.loads(body)[0] for body in site.posts[:2])
    assert first["event_id"] == second["event_id"]
    assert first["sent_ts"] < second["sent_ts"]
    assert len(site.named("page_view")) == 1


@pytest.mark.parametrize("status", [400, 401, 413])
def test_refused_for_good_is_dropped(site: Site, tab: Page, status: int) -> None:
    tab.clock.install()
    site.pages["/post"] = page()
    site.statuses = [status]
    tab.goto(site.url("/post"))
    site.wait_until(lambda: len(site.posts) == 1, "the first post")
    tab.clock.run_for(LATER_MS)
    tab.evaluate("analytics.track('next'); analytics.flush()")
    site.wait("next")

    assert site.named("page_view") == []


def test_unreachable_server_then_reachable(site: Site, tab: Page) -> None:
    tab.clock.install()
    site.pages["/post"] = page()
    tab.route("**/a/e", lambda route: route.abort())
    tab.goto(site.url("/post"))
    until_kept(tab)
    assert queue(tab)[0] == "page_view"
    tab.unroute("**/a/e")
    tab.clock.run_for(LATER_MS)

    site.wait("page_view")
    assert delivered(site).count("page_view") == 1


def test_blocked_request_is_not_tried_all_the_time(site: Site, tab: Page) -> None:
    tries: list[str] = []
    tab.clock.install()
    site.pages["/post"] = page()
    tab.on("requestfailed", lambda request: tries.append(request.url))
    tab.route("**/a/e", lambda route: route.abort())
    tab.goto(site.url("/post"))
    for _ in range(60):
        tab.clock.run_for(10_000)

    assert 2 <= len(tries) <= 12


def test_at_most_fifty_events_wait_and_the_newest_stay(site: Site, visitor: BrowserContext, read: Read) -> None:
    tab = read(page())
    site.wait("scroll_depth", 4)
    visitor.set_offline(True)
    tab.evaluate("for (let i = 0; i < 80; i++) analytics.track('offline', {i})")
    visitor.set_offline(False)

    assert [event["properties"]["i"] for event in site.wait("offline", 50)] == list(range(30, 80))


def test_a_request_has_at_most_25_events_and_16_kilobytes(site: Site, visitor: BrowserContext, read: Read) -> None:
    tab = read(page())
    site.wait("scroll_depth", 4)
    before = len(site.posts)
    visitor.set_offline(True)
    tab.evaluate(
        """() => {
            for (let i = 0; i < 20; i++) analytics.track('small');
            for (let i = 0; i < 30; i++) analytics.track('large', {text: '→'.repeat(300), more: 'ü'.repeat(300)});
        }"""
    )
    visitor.set_offline(False)
    site.wait("large", 30)
    site.wait("small", 20)

    posts = site.posts[before:]
    assert max(len(body) for body in posts) <= 16 << 10
    assert max(len(json.loads(body)) for body in posts) <= 25
    assert sum(len(json.loads(body)) for body in posts) == 50


def test_long_texts_are_cut(site: Site, read: Read) -> None:
    read(page(title="t" * 5000), "/post?utm_source=" + "u" * 5000)

    view = site.events[0]
    assert (len(view["page_title"]), len(view["utm_source"])) == (500, 500)


@pytest.mark.parametrize("leave", ["close", "navigate", "crash"])
def test_tab_that_ends_in_the_middle_of_a_batch(site: Site, visitor: BrowserContext, read: Read, leave: str) -> None:
    tab = read(page())
    site.wait("scroll_depth", 4)
    tab.evaluate("for (let i = 0; i < 5; i++) analytics.track('waiting', {i})")
    match leave:
        case "close":
            tab.close()
        case "navigate":
            tab.goto("about:blank")
        case "crash":
            with tab.expect_event("crash"), contextlib.suppress(Error):
                tab.goto("chrome://crash")
    visitor.new_page().goto(site.url("/post"))

    assert [event["properties"]["i"] for event in site.wait("waiting", 5)] == list(range(5))


def test_click_that_leaves_the_site_is_delivered(site: Site, read: Read) -> None:
    site.pages["/away"] = page(head="")
    tab = read(page(f'<a class="cta" href="{site.url("/away", "other.test")}">away</a>'))
    tab.click("a")
    tab.wait_for_url("**/away")

    assert site.wait("cta_click")[0]["properties"]["host"] == "other.test"
    assert delivered(site).count("cta_click") == 1


def test_pages_that_are_left_before_the_answer_send_nothing_twice(site: Site, tab: Page) -> None:
    """Chromium fails the requests of a page that goes away, and yet delivers them."""
    site.answering.clear()
    for count in range(1, 5):
        site.pages[f"/{count}"] = page()
        tab.goto(site.url(f"/{count}"))
        site.wait("page_view", count)
    site.answering.set()
    tab.evaluate("analytics.track('end'); analytics.flush()")

    sent = [event["event_id"] for body in site.posts for event in json.loads(body)]
    site.all_until("end")
    assert len(sent) == len(set(sent))


def test_two_tabs_do_not_send_the_same_event_twice(site: Site, visitor: BrowserContext, read: Read) -> None:
    first = read(page())
    second = visitor.new_page()
    second.goto(site.url("/post"))
    site.wait("page_view", 2)
    site.wait("scroll_depth", 8)
    visitor.set_offline(True)
    for i in range(20):
        tab, other = (first, second) if i % 2 else (second, first)
        tab.evaluate("i => analytics.track('offline', {i})", i)
        # tabs are processes of their own, and hear of each other's storage some milliseconds later (docs/tracker.md)
        other.wait_for_function("n => JSON.parse(localStorage.penstock).queue.length == n", arg=i + 1)
    visitor.set_offline(False)

    assert sorted(event["properties"]["i"] for event in site.wait("offline", 20)) == list(range(20))
    ids = [event["event_id"] for body in site.posts for event in json.loads(body)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("damage", ["nonsense", "5", "{}", "null", '{"queue":5}', '{"queue":[],"at":"x"}'])
def test_damaged_storage_costs_no_event(site: Site, tab: Page, damage: str) -> None:
    site.pages = {"/post": page(), "/empty": page(head="")}
    tab.goto(site.url("/empty"))
    tab.evaluate("damage => { localStorage.penstock = damage }", damage)
    tab.goto(site.url("/post"))

    view = site.wait("page_view")[0]
    assert view["seq"] == 1


def test_full_storage_costs_no_event(site: Site, tab: Page) -> None:
    site.pages = {"/post": page(), "/empty": page(head="")}
    tab.goto(site.url("/empty"))
    tab.evaluate(
        """() => {
            for (let size = 1 << 20; size >= 1; size >>= 1)
                try { for (let i = 0; ; i++) localStorage['fill' + size + '-' + i] = 'x'.repeat(size) } catch {}
        }"""
    )
    tab.goto(site.url("/post"))
    tab.evaluate("analytics.track('one'); analytics.track('two'); analytics.flush()")

    events = site.all_until("two")
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
