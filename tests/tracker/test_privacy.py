"""What the tracker does not do: against the reader's will, against the page's policy, toward anybody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from penstock.collect.tracker import script
from tracker.loopback import Site, page

Read = Callable[..., Page]
ACT = "analytics.track('acted'); analytics.variant('x', ['control', 'other']); analytics.flush()"


def quiet(site: Site, tab: Page) -> bool:
    """Nothing is sent and nothing stored, though the page is used and time goes by."""
    tab.evaluate(ACT)
    tab.clock.run_for(60_000)
    tab.evaluate("history.pushState(null, '', '/elsewhere'); scrollTo(0, 500)")
    tab.clock.run_for(60_000)
    control = tab.evaluate("analytics.variant('y', ['control', 'other'])")
    storage = tab.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length")
    return control == "control" and storage == 0 and not [method for method, *_ in site.requests if method != "GET"]


@pytest.mark.parametrize(("signal", "value"), [("globalPrivacyControl", "true"), ("doNotTrack", "'1'")])
def test_signals_of_the_browser_are_obeyed(site: Site, tab: Page, signal: str, value: str) -> None:
    tab.clock.install()
    tab.add_init_script(f"Object.defineProperty(Navigator.prototype, '{signal}', {{get: () => {value}}})")
    site.pages["/post"] = page()
    tab.goto(site.url("/post"))

    assert quiet(site, tab)


@pytest.mark.parametrize(("signal", "value"), [("globalPrivacyControl", "false"), ("doNotTrack", "'unspecified'")])
def test_signals_that_are_off_change_nothing(site: Site, tab: Page, read: Read, signal: str, value: str) -> None:
    tab.add_init_script(f"Object.defineProperty(Navigator.prototype, '{signal}', {{get: () => {value}}})")
    read(page())


def test_owner_may_ignore_signals(tab: Page, read: Read) -> None:
    tab.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")
    read(page(head='<script defer data-ignore-signals src="/a/analytics.js"></script>'))


@pytest.mark.parametrize("identity", ["session", "none"])
def test_own_visits_are_switched_off_and_on_by_the_address(site: Site, visitor: BrowserContext, identity: str) -> None:
    tab = visitor.new_page()
    tab.clock.install()
    site.pages["/post"] = page(head=f'<script defer data-identity="{identity}" src="/a/analytics.js"></script>')
    tab.goto(site.url("/post#analytics-off"))
    tab.goto(site.url("/post"))
    tab.evaluate(ACT)
    tab.clock.run_for(60_000)
    assert site.posts == []
    assert tab.evaluate("localStorage.penstock") == '{"off":1,"queue":[]}'

    tab.goto(site.url("/post#analytics-on"))
    assert len(site.wait("page_view")) == 1
    tab.goto(site.url("/post"))
    tab.reload()
    site.wait("page_view", 2)


def test_opt_out_forgets_everything_and_opt_in_begins_anew(site: Site, read: Read) -> None:
    tab = read(page())
    tab.evaluate("analytics.track('kept'); analytics.optOut()")
    tab.evaluate(ACT)
    assert tab.evaluate("localStorage.penstock") == '{"off":1,"queue":[]}'
    tab.evaluate("analytics.optIn()")

    first, second = site.wait("page_view", 2)
    assert first["session_id"] != second["session_id"]
    assert second["seq"] == 1
    assert {event["event_type"] for event in site.events} <= {"page_view", "scroll_depth"}


def test_opt_in_without_opt_out_changes_nothing(site: Site, read: Read) -> None:
    tab = read(page())
    tab.evaluate("analytics.optIn(); analytics.track('end'); analytics.flush()")

    assert [event["event_type"] for event in site.all_until("end")].count("page_view") == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_developers_machine_is_counted_only_with_an_endpoint(site: Site, tab: Page, host: str) -> None:
    tab.clock.install()
    site.pages = {
        "/plain": page(),
        "/meant": page(head='<script defer data-endpoint="/a/e" src="/a/analytics.js"></script>'),
    }
    tab.goto(site.url("/plain", host))
    assert quiet(site, tab)
    tab.goto(site.url("/meant", host))
    assert [view["page_path"] for view in site.wait("page_view")] == ["/meant"]


def test_blocked_storage_costs_no_event(site: Site, read: Read) -> None:
    site.headers = {"Content-Security-Policy": "sandbox allow-scripts"}
    tab = read(page())
    tab.evaluate("analytics.track('end'); analytics.flush()")

    assert tab.evaluate("(() => { try { localStorage } catch (error) { return error.name } })()") == "SecurityError"
    events = site.all_until("end")
    assert len({event["session_id"] for event in events}) == 1


def test_strict_policy_of_the_page_is_kept(site: Site, tab: Page, read: Read) -> None:
    site.headers = {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    }
    messages: list[str] = []
    tab.on("console", lambda message: messages.append(message.text))
    before = page('<button class="cta">go</button><form name="f"><input></form>')
    read(before)
    tab.click("button")
    tab.focus("input")
    site.wait("cta_click")

    assert [message for message in messages if "favicon" not in message and "404" not in message] == []


def test_page_is_left_as_it_was(site: Site, tab: Page, read: Read) -> None:
    site.pages["/plain"] = page('<button class="cta">go</button>', head="")
    tab.goto(site.url("/plain"))
    names = set(tab.evaluate("Object.getOwnPropertyNames(window)"))
    plain = tab.evaluate("document.body.outerHTML")
    read(page('<button class="cta">go</button>'))
    tab.click("button")
    site.wait("cta_click")

    assert tab.evaluate("document.body.outerHTML") == plain
    assert set(tab.evaluate("Object.getOwnPropertyNames(window)")) - names == {"analytics"}


@pytest.mark.parametrize("good", [True, False])
def test_subresource_integrity(site: Site, tab: Page, read: Read, good: bool) -> None:
    digest = script().integrity if good else "sha384-" + "A" * 64
    html = page(head=f'<script defer src="/a/analytics.js" integrity="{digest}"></script>')
    if good:
        read(html)
    else:
        site.pages["/post"] = html
        tab.goto(site.url("/post"))
        assert tab.evaluate("typeof analytics") == "undefined"
        assert site.posts == []


def test_no_third_party_and_no_cookie_by_the_browsers_own_log(site: Site, browser: Browser) -> None:
    """Everything the tracker can do, and then every request and every cookie header that Chromium saw."""
    context = browser.new_context(viewport={"width": 800, "height": 600})
    tab = context.new_page()
    log = context.new_cdp_session(tab)
    log.send("Network.enable")
    sent: list[dict[str, Any]] = []
    headers: list[dict[str, str]] = []
    log.on("Network.requestWillBeSent", lambda event: sent.append(event["request"]))
    log.on("Network.requestWillBeSentExtraInfo", lambda event: headers.append(event["headers"]))
    log.on("Network.responseReceivedExtraInfo", lambda event: headers.append(event["headers"]))
    body = '<div style="height:5000px"><button class="cta">go</button><form><input></form><a href="/f.pdf">f</a></div>'
    site.pages["/post"] = page(body, head='<script defer data-identity="visitor" src="/a/analytics.js"></script>')
    tab.goto(site.url("/post?utm_source=x"))
    tab.click("button")
    tab.fill("input", "text")
    tab.click("a", modifiers=["Alt"])
    tab.evaluate("scrollTo(0, 9999); analytics.variant('x', ['A']); analytics.track('end'); analytics.flush()")
    site.all_until("end")

    assert {request["url"].split("/")[2] for request in sent} == {f"site.test:{site.port}"}
    assert {request["url"] for request in sent if request["method"] == "POST"} == {site.url("/a/e")}
    assert len(headers) >= len(sent) > 3
    assert not [name for group in headers for name in group if "cookie" in name.lower()]
    assert context.cookies() == []
    assert tab.evaluate("Object.keys(localStorage)") == ["penstock"]
    context.close()
