"""When a page counts as viewed, and to which session its events belong."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from browser_in_hand import FLAGS
from tracker.loopback import Event, Site, page

Read = Callable[..., Page]
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def paths(events: list[Event]) -> list[str]:
    return [event["page_path"] for event in events if event["event_type"] == "page_view"]


def end(site: Site, tab: Page) -> list[Event]:
    """All events of the tab's session so far."""
    tab.evaluate("analytics.track('end'); analytics.flush()")
    return site.all_until("end")


def test_history_changes_are_views_when_the_path_changes(site: Site, read: Read) -> None:
    tab = read(page(), "/a")
    tab.evaluate(
        """() => {
            history.replaceState(null, '', '/a');
            history.pushState(null, '', '/a?tab=2');
            history.pushState(null, '', '/b#part');
            history.pushState({}, '');
            history.replaceState(null, '', '/c');
            location.hash = 'other';
        }"""
    )
    tab.evaluate("new Promise(done => { onpopstate = done; history.go(-2) })")

    views = [event for event in end(site, tab) if event["event_type"] == "page_view"]
    assert paths(views) == ["/a", "/b", "/c", "/b"]
    assert [view.get("referrer") for view in views] == [None, "/a", "/b", "/c"]


def test_history_still_works_for_the_page(site: Site, read: Read) -> None:
    tab = read(page(), "/a")
    tab.evaluate("history.pushState({n: 1}, '', '/b')")
    refused = tab.evaluate(
        "(() => { try { history.pushState(null, '', 'http://other.test/') } catch (e) { return e.name } })()"
    )

    assert tab.evaluate("[history.state.n, location.pathname]") == [1, "/b"]
    assert refused == "SecurityError"
    assert paths(end(site, tab)) == ["/a", "/b"]


@pytest.mark.parametrize(("attribute", "expected"), [("", ["/a"]), ("data-hash", ["/a#one", "/a#two"])])
def test_fragments_are_paths_only_if_asked(site: Site, read: Read, attribute: str, expected: list[str]) -> None:
    tab = read(page(head=f'<script defer {attribute} src="/a/analytics.js"></script>'), "/a#one")
    tab.evaluate("new Promise(done => { onhashchange = done; location.hash = 'two' })")

    assert paths(end(site, tab)) == expected


def test_scroll_and_time_start_again_with_each_view(site: Site, read: Read) -> None:
    tab = read(page("<form onsubmit='return false'><input id=i><input id=j></form>"), "/a")
    site_depths = lambda: [event["page_path"] for event in site.named("scroll_depth")]  # noqa: E731
    tab.focus("#i")
    site.wait("scroll_depth", 4)
    tab.evaluate("history.pushState(null, '', '/b')")
    tab.focus("#j")
    site.wait("scroll_depth", 8)

    assert site_depths() == ["/a"] * 4 + ["/b"] * 4
    assert [event["page_path"] for event in site.wait("form_start", 2)] == ["/a", "/b"]


def test_utm_is_kept_for_the_session_and_the_last_set_wins(site: Site, read: Read) -> None:
    tab = read(page(), "/a?utm_source=one&utm_campaign=spring")
    for path in ("/b", "/c?utm_source=two", "/d?utm_source="):
        site.pages[path.partition("?")[0]] = page()
        tab.goto(site.url(path))
        site.wait_until(lambda path=path: path.partition("?")[0] in paths(site.events), path)

    told = [(view["utm_source"], view.get("utm_campaign")) for view in site.named("page_view")]
    assert told == [("one", "spring"), ("one", "spring"), ("two", None), ("two", None)]


def test_session_is_shared_by_pages_and_tabs(site: Site, visitor: BrowserContext, read: Read) -> None:
    first = read(page())
    second = visitor.new_page()
    second.goto(site.url("/post"))
    site.wait("page_view", 2)
    first.evaluate("analytics.track('first'); analytics.flush()")
    site.wait("first")
    events = end(site, second)

    assert len({event["session_id"] for event in site.events}) == 1
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_session_ends_after_thirty_idle_minutes(site: Site, tab: Page) -> None:
    tab.clock.install(time=NOON)
    site.pages["/post"] = page()
    tab.goto(site.url("/post?utm_source=one"))
    site.wait("page_view")
    for minutes, name in ((29, "same"), (58, "still"), (90, "new")):
        tab.clock.set_fixed_time(NOON + timedelta(minutes=minutes))
        tab.evaluate(f"analytics.track('{name}'); analytics.flush()")
        site.wait(name)

    same, still, new = (site.named(name)[0] for name in ("same", "still", "new"))
    assert same["session_id"] == still["session_id"] == site.named("page_view")[0]["session_id"]
    assert new["session_id"] != still["session_id"]
    assert new["seq"] == 1
    assert "utm_source" in still
    assert "utm_source" not in new
    assert new["prev_day"] == new["first_day"] == "2026-03-10"


def test_days_of_first_and_previous_session(site: Site, tab: Page) -> None:
    tab.clock.install(time=NOON)
    site.pages["/post"] = page()
    days = []
    for visit, wait in enumerate((timedelta(), timedelta(hours=3), timedelta(days=2), timedelta(days=30)), start=1):
        tab.clock.set_fixed_time(NOON + wait)
        tab.goto(site.url("/post"))
        view = site.wait("page_view", visit)[-1]
        days.append((view["first_day"], view.get("prev_day")))

    first = "2026-03-10"
    assert days == [(first, None), (first, "2026-03-10"), (first, "2026-03-10"), (first, "2026-03-12")]


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Pacific/Auckland", "2026-03-11"), ("America/New_York", "2026-03-10"), ("", "2026-03-10"), ("Nowhere/At", None)],
)
def test_days_are_those_of_the_site(site: Site, tab: Page, zone: str, day: str | None) -> None:
    tab.clock.install(time=NOON)
    site.pages["/post"] = page(head=f'<script defer data-tz="{zone}" src="/a/analytics.js"></script>')
    tab.goto(site.url("/post"))

    assert site.wait("page_view")[0].get("first_day") == day


@pytest.mark.parametrize("identity", ["none", "visitor", "session"])
def test_identity_modes(site: Site, read: Read, identity: str) -> None:
    tab = read(page(head=f'<script defer data-identity="{identity}" src="/a/analytics.js"></script>'))
    tab.reload()
    views = site.wait("page_view", 2)
    stored = tab.evaluate("localStorage.length + sessionStorage.length + document.cookie.length")

    sessions, visitors = ({view.get(name) for view in views} for name in ("session_id", "visitor_id"))
    assert len(sessions) == (2 if identity == "none" else 1)
    assert len(visitors) == 1
    assert (visitors == {None}) == (identity != "visitor")
    assert ("first_day" in views[0]) == (identity != "none")
    assert (stored == 0) == (identity == "none")


def test_visitor_id_lives_ninety_days(site: Site, tab: Page) -> None:
    tab.clock.install(time=NOON)
    site.pages["/post"] = page(head='<script defer data-identity="visitor" src="/a/analytics.js"></script>')
    seen = []
    for visit, days in enumerate((0, 89, 91), start=1):
        tab.clock.set_fixed_time(NOON + timedelta(days=days))
        tab.goto(site.url("/post"))
        seen.append(site.wait("page_view", visit)[-1]["visitor_id"])

    assert seen[0] == seen[1] != seen[2]


def test_hidden_page_waits_until_it_is_seen(site: Site, visitor: BrowserContext) -> None:
    tab = visitor.new_page()
    tab.add_init_script("Object.defineProperty(document, 'hidden', {get: () => !window.seen})")
    site.pages["/post"] = page()
    tab.goto(site.url("/post"))
    tab.evaluate("analytics.track('early'); analytics.flush()")
    assert tab.evaluate("localStorage.length") == 0
    assert site.posts == []
    tab.evaluate("window.seen = 1; document.dispatchEvent(new Event('visibilitychange'))")

    assert paths(end(site, tab)) == ["/post"]
    assert len(site.named("early")) == 1


def test_prerendered_page_waits_until_it_is_opened(site: Site, chromium: Path, tmp_path: Path) -> None:
    """Without Playwright, because Chromium does not prerender while it is being debugged."""
    tag = f'<script defer src="/a/analytics.js" data-endpoint="{site.url("/a/e", "localhost")}"></script>'
    rules = '<script type="speculationrules">{"prerender":[{"source":"list","urls":["/next"]}]}</script>'
    tell = "<script>onload = () => fetch('/loaded?' + document.prerendering)</script>"
    go = "<script>setInterval(() => fetch('/go').then(reply => reply.ok && location.assign('/next')), 50)</script>"
    site.pages = {"/post": page(head=tag + rules + go), "/next": page(head=tag + tell)}
    asked = lambda path: [headers for _, asked, headers, _ in site.requests if asked == path]  # noqa: E731
    profile = f"--user-data-dir={tmp_path}"
    with subprocess.Popen([chromium, *FLAGS, profile, site.url("/post", "localhost")], stderr=subprocess.DEVNULL) as it:
        try:
            site.wait("page_view")
            site.wait_until(lambda: len(asked("/loaded?true")) == 1, "the prerendered page")
            site.wait("scroll_depth", 4)
            assert {event["page_path"] for event in site.events} == {"/post"}
            site.pages["/go"] = "now"
            site.wait("page_view", 2)
        finally:
            it.terminate()

    assert len(asked("/next")) == 1, "the page that was opened is not the one that was prerendered"
    assert paths(site.named("page_view")) == ["/post", "/next"]


@pytest.fixture
def remembering(playwright: Playwright, chromium: Path) -> Iterator[Browser]:
    """Chromium with the back/forward cache that Playwright switches off."""
    launched = playwright.chromium.launch(
        executable_path=chromium, args=FLAGS, ignore_default_args=["--disable-back-forward-cache"]
    )
    yield launched
    launched.close()


def test_page_from_the_back_forward_cache_is_a_new_view(site: Site, remembering: Browser) -> None:
    tab = remembering.new_page()
    site.pages = {"/a": page(), "/b": page()}
    tab.goto(site.url("/a"))
    tab.evaluate("window.kept = 1; addEventListener('pageshow', event => { window.restored = event.persisted })")
    site.wait("page_view")
    tab.goto(site.url("/b"))
    site.wait("page_view", 2)
    tab.evaluate("setTimeout(() => history.back())")
    tab.wait_for_function("window.restored")

    assert tab.evaluate("window.kept") == 1
    assert paths(site.wait("page_view", 3)) == ["/a", "/b", "/a"]
    tab.evaluate("analytics.track('end'); analytics.flush()")
    assert len(paths(site.all_until("end"))) == 3
