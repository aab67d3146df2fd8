"""Charts in Chromium under the dashboard's policy: no violation, as wide as their place, reached by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from importlib.resources import files

import pytest
from markupsafe import Markup
from playwright.sync_api import Browser, Page, Route

import browser_in_hand
from penstock.dashboard.charts import (
    Anomaly,
    Cell,
    Cohort,
    Note,
    Plot,
    Ranked,
    Series,
    Stage,
    Step,
    area,
    bars,
    flow,
    funnel,
    heat,
    interval,
    legend,
    ranked,
    spark,
)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
playwright, chromium, browser = browser_in_hand.playwright, browser_in_hand.chromium, browser_in_hand.browser
WATCH = "window.broken = []; addEventListener('securitypolicyviolation', e => broken.push(e.violatedDirective));"
PAGE = Markup(
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<title>Charts</title><link rel="stylesheet" href="/charts.css"><script src="/watch.js"></script>{}'
)
DAYS = [date(2026, 10, 21) + timedelta(days=nth) for nth in range(30)]


def everything() -> Markup:
    views = Series("Page views " * 20, [(day, 1e12 + nth) for nth, day in enumerate(DAYS)])
    marks = {"anomalies": [Anomaly(DAYS[11], "3.6× expected")], "notes": [Note(DAYS[19], "Release", "?note=1")]}
    main = Plot([views, views], before=views, running=DAYS[-1], **marks)
    charts = [
        area(main),
        legend(main),
        spark([1, 5, 2], running=True),
        bars(views, grain="day"),
        ranked([Ranked("/a/very/long/path" * 20, 3), Ranked("b", 1)]),
        funnel([Step("step" * 100, 1e12), Step("b", 5, 6, 80, "?lost=2")]),
        Markup('<div class="scroll">{}</div>').format(heat([Cohort(DAYS[0], 10, [Cell(10), Cell(2), Cell(0, False)])])),
        interval(0.1, 0.2, 0.3, on=(0.0, 1.0), reference=0.2),
        flow([Stage("Collector" * 20, "1", ["fact " * 50], "41 events"), Stage("Stream")]),
    ]
    return Markup("").join(Markup("<section>{}</section>").format(chart) for chart in charts)


@pytest.fixture(params=[390, 1200])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    def answer(route: Route) -> None:
        if route.request.url.endswith("/charts.css"):
            static = files("penstock.dashboard") / "static"
            css = "".join((static / name).read_text("utf-8") for name in ("charts.css", "figures.css"))
            route.fulfill(body=css, content_type="text/css")
        elif route.request.url.endswith("/watch.js"):
            route.fulfill(body=WATCH, content_type="text/javascript")
        else:
            headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": POLICY}
            route.fulfill(body=str(PAGE.format(everything())), headers=headers)

    context = browser.new_context(viewport={"width": request.param, "height": 900})
    context.route("**/*", answer)
    opened = context.new_page()
    opened.goto("http://charts.test/")
    yield opened
    context.close()


def test_nothing_is_against_the_policy(page: Page) -> None:
    page.locator(".chart.area").hover()
    assert page.evaluate("broken") == []


def test_nothing_is_wider_than_the_page(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= (page.viewport_size or {})["width"]


def test_labels_are_inside_of_their_chart(page: Page) -> None:
    outside = page.evaluate(
        """[...document.querySelectorAll('.chart .tick')].filter(tick => {
            const label = tick.getBoundingClientRect(), chart = tick.closest('.chart').getBoundingClientRect();
            return label.width && (label.left < chart.left || label.right > chart.right + 1
                || label.bottom > chart.bottom || label.top < chart.top);
        }).map(tick => tick.textContent)"""
    )
    assert outside == []


def test_labels_do_not_touch_each_other(page: Page) -> None:
    gaps = page.evaluate(
        """[...document.querySelectorAll('.chart')].flatMap(chart => {
            const ticks = [...chart.querySelectorAll('.tick.x')];
            const boxes = ticks.map(tick => tick.getBoundingClientRect()).filter(box => box.width);
            return boxes.slice(1).map((box, nth) => box.left - boxes[nth].right);
        })"""
    )
    assert gaps and min(gaps) > 4


def test_marks_are_reached_by_keyboard(page: Page) -> None:
    reached = []
    for _ in range(2):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert reached == ["9 Nov: Release", "3.6× expected"]


def test_marks_keep_their_shape_and_are_big_enough_to_be_hit(page: Page) -> None:
    box = page.locator(".anomaly .target").bounding_box()
    assert box is not None
    assert (round(box["width"]), round(box["height"])) == (24, 24)
