"""Every kind of event that the tracker sends, made in a real browser as a reader would."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tracker.loopback import LONG, Site, page

Read = Callable[..., Page]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def percents(site: Site) -> list[int]:
    return [event["properties"]["percent"] for event in site.named("scroll_depth")]


def test_page_view_says_where_and_on_what(site: Site, read: Read) -> None:
    read(page(title="Hello"), "/post?secret=1&utm_source=news&utm_medium=email&utm_campaign=")

    view = site.events[0]
    assert view["page_path"] == "/post"
    assert view["page_url"] == site.url("/post")
    assert view["page_title"] == "Hello"
    assert (view["utm_source"], view["utm_medium"]) == ("news", "email")
    assert "utm_campaign" not in view
    assert (view["screen_width"], view["screen_height"]) == (800, 600)
    assert view["language"] == "en-US"
    assert view["timezone"]
    assert view["properties"] == {"webdriver": True}
    assert "referrer" not in view
    assert b"secret" not in b"".join(site.posts)


def test_identity_is_a_random_session_with_days(site: Site, read: Read) -> None:
    read(page())

    view = site.events[0]
    assert UUID.fullmatch(view["event_id"])
    assert UUID.fullmatch(view["session_id"])
    assert view["event_id"] != view["session_id"]
    assert view["seq"] == 1
    assert view["first_day"] == datetime.now(UTC).date().isoformat()
    assert not {"prev_day", "visitor_id", "user_id"} & view.keys()
    event_ts, sent_ts = (datetime.fromisoformat(view[name]) for name in ("event_ts", "sent_ts"))
    assert event_ts <= sent_ts


@pytest.mark.parametrize(
    ("referring", "expected"),
    [("other.test", "http://other.test:{port}/from"), ("site.test", "/from")],
)
def test_referrer_is_cut_to_origin_and_path(site: Site, tab: Page, referring: str, expected: str) -> None:
    site.pages = {"/from": f'<a href="{site.url("/post")}">go</a>', "/post": page()}
    site.headers = {"Referrer-Policy": "unsafe-url"}
    tab.goto(site.url("/from?q=private", host=referring))
    tab.click("a")

    assert site.wait("page_view")[0]["referrer"] == expected.format(port=site.port)


def test_scroll_depth_once_per_quarter(site: Site, read: Read) -> None:
    tab = read(LONG)
    for share in (0.3, 0.55, 0.3, 0.8, 1):
        tab.evaluate("share => scrollTo(0, document.documentElement.scrollHeight * share)", share)
        tab.wait_for_function("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    tab.evaluate("analytics.flush()")

    site.wait("scroll_depth", 4)
    assert percents(site) == [25, 50, 75, 100]


def test_a_page_that_fits_the_screen_is_read_to_the_end(site: Site, read: Read) -> None:
    read(page())

    site.wait("scroll_depth", 4)
    assert percents(site) == [25, 50, 75, 100]


def test_a_long_page_that_is_not_scrolled_has_no_depth(site: Site, tab: Page) -> None:
    tab.clock.install()
    site.pages["/post"] = LONG
    tab.goto(site.url("/post"))
    site.wait("page_view")
    tab.clock.run_for(31_000)
    tab.evaluate("analytics.flush()")

    site.wait("time_on_page")
    assert percents(site) == []


def test_time_on_page_counts_visible_seconds(site: Site, still: Page) -> None:
    site.pages["/post"] = page()
    still.goto(site.url("/post"))
    site.wait("page_view")
    still.clock.run_for(25_000)
    _hide(still, True)
    still.clock.run_for(600_000)
    assert site.named("time_on_page") == []
    _hide(still, False)
    still.clock.run_for(6_000)
    still.clock.run_for(600_000)

    site.wait("time_on_page", 4)
    assert [event["properties"]["seconds"] for event in site.named("time_on_page")] == [30, 60, 180, 300]


def test_cta_click_tells_label_and_host_and_leaves_the_link_alone(site: Site, read: Read) -> None:
    site.pages["/next"] = page()
    tab = read(
        page(
            '<a class="cta" href="/next"><b>Book <i>now</i></b></a>'
            '<a data-cta="Docs" href="http://docs.test/x" onclick="return false">?</a><button class="cta">Go</button>'
        )
    )
    tab.click("[data-cta]")
    tab.click("button")
    tab.click("i")
    tab.wait_for_url("**/next")

    clicks = site.wait("cta_click", 3)
    told = [(click["properties"]["label"], click["properties"].get("host")) for click in clicks]
    assert told == [("Docs", "docs.test"), ("Go", None), ("Book now", "site.test")]
    assert clicks[2]["page_path"] == "/post"


@pytest.mark.parametrize(("button", "clicks"), [("left", 1), ("middle", 1), ("right", 0)])
def test_cta_click_by_button(site: Site, read: Read, button: Any, clicks: int) -> None:
    tab = read(
        page('<a class="cta" href="/nowhere" onclick="return false">Go</a><button data-event="end">end</button>')
    )
    tab.click(".cta", button=button)
    tab.bring_to_front()
    tab.click("button")
    tab.evaluate("analytics.flush()")

    site.all_until("end")
    assert len(site.named("cta_click")) == clicks


def test_cta_selector_of_the_owner(site: Site, read: Read) -> None:
    tab = read(
        page("<button id=buy>Buy</button>", head='<script defer data-cta="#buy" src="/a/analytics.js"></script>')
    )
    tab.click("#buy")

    assert site.wait("cta_click")[0]["properties"]["label"] == "Buy"


@pytest.mark.parametrize(
    ("link", "file"),
    [
        ('href="/files/report.PDF?token=secret"', "/files/report.PDF"),
        ('href="http://cdn.test/a.zip"', "http://cdn.test/a.zip"),
        ('href="/generated" download', "/generated"),
        ('href="/article.html"', None),
    ],
)
def test_download_is_a_link_to_a_file(site: Site, read: Read, link: str, file: str | None) -> None:
    tab = read(page(f'<a id=it {link}>it</a><script>it.onclick = () => false</script><button data-event="end">end'))
    tab.click("#it")
    tab.click("button")
    tab.evaluate("analytics.flush()")

    site.all_until("end")
    assert [event["properties"]["file"] for event in site.named("download")] == ([file] if file else [])


def test_forms_are_named_but_never_read(site: Site, read: Read) -> None:
    tab = read(
        page(
            '<form name="contact" id="f"><input name="name"><input name="id"><input name="attributes">'
            '<input type="password" name="pass"><button data-event="end">Send</button></form>'
            "<script>f.onsubmit = () => false</script>"
        )
    )
    for name in ("name", "id", "attributes", "pass"):
        tab.fill(f"input[name={name}]", "my-secret-value")
    tab.click("button")
    tab.evaluate("analytics.flush()")

    site.wait("form_submit")
    assert [event["properties"]["form"] for event in site.wait("form_start")] == ["contact"]
    assert [event["properties"]["form"] for event in site.named("form_submit")] == ["contact"]
    assert b"my-secret-value" not in b"".join(site.posts)


@pytest.mark.parametrize(("attributes", "name"), [('id="signup"', "signup"), ("", None)])
def test_form_without_a_name(site: Site, read: Read, attributes: str, name: str | None) -> None:
    tab = read(page(f"<form {attributes} onsubmit='return false'><button>Send</button></form>"))
    tab.click("button")

    assert site.wait("form_submit")[0]["properties"]["form"] == name


def test_exit_intent_once_when_the_pointer_leaves_at_the_top(site: Site, read: Read) -> None:
    tab = read(page("<p id=p>text</p>"))
    for y, other in ((300, "null"), (-1, "document.body"), (-1, "null"), (-1, "null")):
        tab.evaluate(
            f"p.dispatchEvent(new MouseEvent('mouseout', {{bubbles: true, clientY: {y}, relatedTarget: {other}}}))"
        )
    tab.evaluate("analytics.track('end'); analytics.flush()")

    site.all_until("end")
    assert len(site.named("exit_intent")) == 1


def test_track_keeps_twenty_scalars_of_one_kilobyte(site: Site, read: Read) -> None:
    tab = read(page())
    kept = tab.evaluate(
        """() => [
            analytics.track('plain', {plan: 'pro', seats: 3, trial: false, none: null, list: [1], object: {},
                                      f: () => 1, big: 10n, symbol: Symbol('x')}),
            analytics.track('many', Object.fromEntries([...Array(30).keys()].map(i => ['k' + i, i]))),
            analytics.track('large', {text: 'x'.repeat(990), more: 'y'.repeat(50)}),
            analytics.track('bare'),
            analytics.track('text', 'no object'),
            analytics.flush(),
        ]"""
    )

    site.wait("text")
    assert kept == [None] * 6
    properties = {
        event["event_type"]: {k: v for k, v in event["properties"].items() if k != "webdriver"} for event in site.events
    }
    assert properties["plain"] == {"plan": "pro", "seats": 3, "trial": False}
    assert properties["many"] == {f"k{i}": i for i in range(20)}
    assert list(properties["large"]) == ["text"]
    assert properties["bare"] == {}


def test_track_fills_columns_but_never_the_fixed_ones(site: Site, read: Read) -> None:
    tab = read(page())
    tab.evaluate(
        """() => {
            analytics.track('purchase', {coupon: 'X'}, {product_id: 'p1', price: 9.5, quantity: 2, event_id: 'mine',
                                                        session_id: 'mine', page_path: '/mine', odd: 1n});
            analytics.flush();
        }"""
    )

    event = site.wait("purchase")[0]
    assert (event["product_id"], event["price"], event["quantity"]) == ("p1", 9.5, 2)
    assert event["properties"]["coupon"] == "X"
    assert event["page_path"] == "/post"
    assert "mine" not in (event["event_id"], event["session_id"])
    assert "odd" not in event


@pytest.mark.parametrize(
    "call",
    ["track()", "track('x', new Proxy({}, {ownKeys() { throw 1 }}))", "variant('x')", "variant('x', 5)", "q.push(5)"],
)
def test_api_never_throws(site: Site, read: Read, call: str) -> None:
    tab = read(page())
    tab.evaluate(f"analytics.{call}; undefined")
    tab.evaluate("analytics.track('after'); analytics.flush()")

    site.wait("after")


def test_events_from_attributes(site: Site, read: Read) -> None:
    tab = read(page('<button data-event="signup" data-event-plan="pro" data-mail="me@x.test"><b>Join</b></button>'))
    tab.click("b")
    tab.evaluate("analytics.flush()")

    assert site.wait("signup")[0]["properties"] == {"plan": "pro", "webdriver": True}


def test_early_calls_wait_for_the_script(site: Site, read: Read) -> None:
    stub = "<script>window.analytics ??= {q: []}; analytics.q.push(['track', 'early', {n: 1}])</script>"
    tab = read(page(head=f'{stub}<script defer src="/a/analytics.js"></script>'))
    tab.evaluate("analytics.q.push(['track', 'late']); analytics.flush()")

    order = [event["event_type"] for event in site.all_until("late") if event["event_type"] != "scroll_depth"]
    assert order == ["page_view", "early", "late"]


def test_two_tags_count_once(site: Site, read: Read) -> None:
    tab = read(page(head='<script defer src="/a/analytics.js"></script>' * 2))
    tab.evaluate("analytics.track('end'); analytics.flush()")

    site.all_until("end")
    assert len(site.named("page_view")) == 1


def test_variant_is_sticky_logged_once_and_on_every_event(site: Site, read: Read) -> None:
    tab = read(page())
    choices = [tab.evaluate("analytics.variant('title', ['A', 'B'])") for _ in range(5)]
    tab.reload()
    choices.append(tab.evaluate("analytics.variant('title', ['A', 'B'])"))
    tab.evaluate("analytics.track('end'); analytics.flush()")

    end = site.wait("end")[0]
    assert len(set(choices)) == 1
    assert end["variants"] == {"title": choices[0]}
    assert [event["properties"]["variant"] for event in site.named("experiment_view")] == [choices[0]]


def test_variants_are_shared_out_evenly(read: Read) -> None:
    tab = read(page())
    chosen = tab.evaluate("[...Array(600).keys()].map(i => analytics.variant('e' + i, ['A', 'B', 'C']))")

    assert {name: chosen.count(name) > 130 for name in "ABC"} == {"A": True, "B": True, "C": True}


def test_variant_that_was_withdrawn_is_drawn_again(read: Read) -> None:
    tab = read(page())
    assert tab.evaluate("analytics.variant('title', ['A'])") == "A"
    assert tab.evaluate("analytics.variant('title', ['B', 'B'])") == "B"


def test_variant_of_a_mail_comes_in_its_link(site: Site, read: Read) -> None:
    read(page(), "/post?utm_source=mail&utm_content=subject%3AB")

    site.wait("experiment_view")
    view = site.wait("page_view")[0]
    assert view["utm_content"] == "subject:B"
    assert view["variants"] == {"subject": "B"}


def _hide(tab: Page, hidden: bool) -> None:
    """Headless pages are never hidden by themselves."""
    tab.evaluate(
        """hidden => {
            Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


def test_nothing_breaks_a_page_without_anything(site: Site, visitor: BrowserContext) -> None:
    tab = visitor.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    site.pages["/post"] = page()
    tab.goto(site.url("/post"))
    site.wait("page_view")
    tab.evaluate("document.dispatchEvent(new Event('click')); window.dispatchEvent(new Event('focusin'))")

    assert errors == []
