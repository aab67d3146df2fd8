"""Page → tracker → collector → stream → bronze → silver: the rows are exactly the events that the browser sent."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Request

import penstock
from penstock.api import OpenLake
from penstock.collect.tracker import script
from tracker.loopback import Site, page

BODY = (
    '<div style="height:4000px"><a class="cta" href="/next">Next</a><a href="/f.pdf" onclick="return false">f</a>'
    '<form name="contact" onsubmit="return false"><input name="mail"><button>Send</button></form></div>'
)


class Posted:
    """The events that left the browser, by its own account."""

    def __init__(self, visitor: BrowserContext) -> None:
        self.events: list[dict[str, Any]] = []
        self.answers: list[int] = []
        visitor.on("request", self._asked)
        visitor.on("requestfinished", lambda request: self._answered(request))

    def _asked(self, request: Request) -> None:
        if request.method == "POST":
            self.events += json.loads(request.post_data or "[]")

    def _answered(self, request: Request) -> None:
        if request.method == "POST":
            answer = request.response()
            assert answer
            self.answers.append(answer.status)

    @property
    def by_type(self) -> Counter[str]:
        return Counter({event["event_id"]: event["event_type"] for event in self.events}.values())


def act(tab: Page) -> None:
    """Read, click, fill, buy, and go on to the next page."""
    tab.evaluate("scrollTo(0, 99999)")
    tab.click("a[href='/f.pdf']")
    tab.fill("input", "me@example.test")
    tab.click("form button")
    tab.evaluate(
        """() => {
            analytics.variant('title', ['A', 'B']);
            analytics.track('purchase', {coupon: 'X'}, {product_id: 'p1', price: 9.5, quantity: 2});
            history.pushState(null, '', '/part');
        }"""
    )
    tab.click(".cta")
    tab.wait_for_url("**/next")
    tab.evaluate("analytics.track('done'); analytics.flush()")


def stored(lake: OpenLake) -> Counter[str]:
    return Counter(dict(lake.sql("select event_type, count(*) from events group by all").fetchall()))


@pytest.mark.heavy
@pytest.mark.parametrize("proxied", [True, False], ids=["same origin behind a prefix", "another origin"])
def test_silver_holds_what_the_page_sent(site: Site, visitor: BrowserContext, proxied: bool) -> None:
    posted = Posted(visitor)
    tab = visitor.new_page()
    with penstock.collector() as collector:
        if proxied:
            site.behind = collector.url
        head = f'<script defer src="{"" if proxied else collector.url}/a/analytics.js"></script>'
        site.pages = {"/post": page(BODY, head=head), "/next": page(head=head)}
        tab.goto(site.url("/post?utm_source=news&utm_campaign=spring"))
        tab.wait_for_function("window.analytics")
        act(tab)
        tab.wait_for_function("JSON.parse(localStorage.penstock).queue.length == 0")
        tab.wait_for_load_state("networkidle")
        tab.goto("about:blank")
        with collector.stop() as lake:
            assert stored(lake) == posted.by_type
            assert set(posted.answers) == {200}
            assert posted.by_type.keys() >= {
                *("page_view", "scroll_depth", "cta_click", "form_start", "form_submit", "download"),
                *("experiment_view", "purchase", "done"),
            }
            assert lake.sql("select count(*) from quarantine").fetchall() == [(0,)]
            assert lake.sql("select distinct utm_source, utm_campaign, browser, dialect from events").fetchall() == [
                ("news", "spring", "Chrome", "events")
            ]
            assert lake.sql(
                "select count(distinct session_id), min(seq), max(seq) - count(*) from events"
            ).fetchall() == [(1, 1, 0)]
            bought = "select revenue, first_day = event_ts::date, prev_day from events where product_id = 'p1'"
            assert lake.sql(bought).fetchall() == [(19, True, None)]
            today = datetime.now(UTC).date()
            [people] = lake.report("visitors", since=today - timedelta(1), until=today).rows()
            assert (people["visitors"], people["new"], people["sessions"]) == (1, 1, 1)
            paths = "select page_path from events where event_type = 'page_view' order by seq"
            assert lake.sql(paths).fetchall() == [("/post",), ("/part",), ("/next",)]


@pytest.mark.heavy
def test_pinned_script_and_pixel_of_a_running_collector(site: Site, visitor: BrowserContext) -> None:
    tab = visitor.new_page()
    with penstock.collector() as collector:
        pinned = f"{collector.url}/analytics.{script().digest}.js"
        tag = f'<script defer src="{pinned}" integrity="{script().integrity}" crossorigin="anonymous"></script>'
        pixel = f'<img src="{collector.url}/v1/pixel.gif?page=/pixel" width="1" height="1">'
        site.pages["/post"] = page(pixel, head=tag)
        answers: dict[str, dict[str, str]] = {}
        tab.on("response", lambda response: answers.update({response.url: response.headers}))
        with tab.expect_request_finished(lambda request: request.method == "POST"):
            tab.goto(site.url("/post"))
        tab.goto("about:blank")
        with collector.stop() as lake:
            views = lake.sql(
                "select page_path, dialect from events where event_type = 'page_view' order by 1"
            ).fetchall()
            assert views == [("/pixel", "beacon"), ("/post", "events")]
    assert answers[pinned]["content-encoding"] == "gzip"
    assert int(answers[pinned]["content-length"]) == len(script().gzipped)
    assert not [name for headers in answers.values() for name in headers if name == "set-cookie"]
