"""The SQL page in Chromium: run, complete, cancel, download; and the same without script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from penstock.hosts.supervisor import Supervisor

ENDLESS = "select count(*) from range(1000000000000)"
COUNT = "select event_type, count(*) as n from events group by 1 order by 1"
Open = Callable[..., Page]


@pytest.fixture
def sql(served: Supervisor, browser: Browser) -> Iterator[Open]:
    """`sql("?q=…")`: the page, with its list of tables; a query may be wrong, a script or policy must not be."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def hear(said: Any) -> None:
        if said.type == "error" and "status of 400" not in said.text:
            wrong.append(said.text)

    def open_(address: str = "", **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(f"script failed: {error}"))
        page.on("console", hear)
        page.goto(f"{served.dashboard_url}/sql{address}")
        if options.get("java_script_enabled", True):
            page.wait_for_selector("[data-table=events]", state="attached")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


def write(page: Page, text: str) -> None:
    page.locator("textarea").fill("")
    page.locator("textarea").press_sequentially(text)


def run(page: Page, text: str) -> None:
    page.locator("textarea").fill(text)
    page.locator("textarea").press("Control+Enter")


def facts(page: Page) -> str:
    return page.locator(".facts").inner_text()


def test_control_enter_runs_and_the_address_says_it(sql: Open) -> None:
    page = sql()
    run(page, COUNT)
    page.wait_for_selector(".facts")
    shown = page.locator(".answer tbody").inner_text()
    assert "page_view" in shown
    assert page.locator("#result svg, #result .ranked").count() > 0
    again = sql(page.url.partition("/sql")[2])
    assert again.locator("textarea").input_value() == COUNT
    assert again.locator(".answer tbody").inner_text() == shown
    assert page.locator("#history li").count() == 1


def test_order_and_chart_are_changed_in_place(sql: Open) -> None:
    page = sql()
    run(page, COUNT)
    page.click("th button >> text='n'")
    expect(page.locator("th[aria-sort=descending]")).to_have_text("n")
    counts = [int(text) for text in page.locator(".answer td:nth-child(2)").all_inner_texts()]
    assert counts == sorted(counts, reverse=True)
    page.click("text=No chart")
    expect(page.locator(".drawn")).to_have_count(0)
    expect(page.locator("th[aria-sort=descending]")).to_have_text("n")
    assert "chart=none" in page.url
    page.go_back()
    expect(page.locator(".drawn")).to_have_count(1)
    run(page, "select 1 as still_alive")
    expect(page.locator(".answer thead")).to_have_text("still_alive")


def test_a_selection_runs_alone(sql: Open) -> None:
    page = sql()
    text = page.locator("textarea")
    text.fill("select 1 as first;\nselect 2 as second,\n  nothing")
    text.evaluate("(each) => each.setSelectionRange(0, 17)")
    text.press("Control+Enter")
    expect(page.locator(".answer thead")).to_have_text("first")
    text.evaluate("(each) => each.setSelectionRange(19, each.value.length)")
    text.press("Control+Enter")
    expect(page.locator(".problem")).to_contain_text("Line 3, column 3")
    assert text.input_value().startswith("select 1 as first;")


@pytest.mark.parametrize(
    ("typed", "made"),
    [
        ("sel", "select"),
        ("select * from ev", "select * from events"),
        ("select utm_so", "select utm_so"),
        ("from events select utm_so", "from events select utm_source"),
        ("from sessions s select s.entry", "from sessions s select s.entry_page"),
        ("select cou", "select count("),
        ("from events where event_type = 'page", "from events where event_type = 'page_view'"),
        ("select 'ev", "select 'ev"),
        ("-- sel", "-- sel"),
    ],
)
def test_tab_completes(sql: Open, typed: str, made: str) -> None:
    page = sql()
    page.evaluate("""document.querySelector("#tables").dataset.values = '["page_view"]'""")
    write(page, typed)
    page.keyboard.press("Tab")
    assert page.locator("textarea").input_value() == made


def test_escape_closes_and_tab_leaves_then(sql: Open) -> None:
    page = sql()
    write(page, "select * from e")
    expect(page.locator("#offers")).to_be_visible()
    page.keyboard.press("ArrowDown")
    assert page.locator("#offers [aria-selected=true]").inner_text().startswith("event_counts")
    page.keyboard.press("Escape")
    expect(page.locator("#offers")).to_be_hidden()
    write(page, "select 1 ")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"


def test_a_click_on_a_column_writes_it(sql: Open) -> None:
    page = sql()
    page.locator("textarea").fill("select")
    page.click("[data-table=sessions] summary", position={"x": 4, "y": 8})
    page.click("[data-table=sessions] >> text=entry_page")
    assert page.locator("textarea").input_value() == "select entry_page"


def test_an_error_is_marked_where_it_is(sql: Open) -> None:
    page = sql()
    run(page, "select day,\n  coont(*)\nfrom events")
    expect(page.locator(".paint mark")).to_have_text("coont")
    line, caret = page.locator(".problem pre").inner_text().split("\n")[:2]
    assert line.index("coont") == caret.index("^")
    page.locator("textarea").press_sequentially(" ")
    expect(page.locator(".paint mark")).to_have_count(0)


def test_colours_are_those_of_the_text(sql: Open) -> None:
    page = sql()
    text = "select 'it''s', 1.5e3 -- why\nfrom \"events\" /* open"
    page.locator("textarea").fill(text)
    assert page.locator(".paint").evaluate("(each) => each.textContent") == text + "\n"
    painted = {tag: page.locator(f".paint {tag}").all_inner_texts() for tag in ("b", "s", "u", "i")}
    assert painted == {"b": ["select", "from"], "s": ["'it''s'"], "u": ["1.5e3"], "i": ["-- why", "/* open"]}
    boxes = page.evaluate(
        "['.paint', 'textarea'].map((each) => document.querySelector(each).getBoundingClientRect().toJSON())"
    )
    assert boxes[0] == boxes[1]


def test_what_runs_too_long_is_cancelled(sql: Open) -> None:
    """More often than there is room for queries: so each is gone when it is cancelled."""
    page = sql()
    for _ in range(5):
        run(page, ENDLESS)
        page.click("#cancel")
        expect(page.locator("#elapsed")).to_contain_text("Cancelled")
    run(page, "select nothing_like_it")
    expect(page.locator(".problem")).to_be_visible()
    run(page, ENDLESS)
    page.click("#cancel")
    expect(page.locator(".problem")).to_have_count(0)  # it was that of another query
    run(page, "select 7 as found")
    expect(page.locator(".answer thead")).to_have_text("found")


def test_files_are_what_was_asked(sql: Open, tmp_path: Path) -> None:
    page = sql()
    run(page, "select n, n || ',\"' as t from range(12000) t(n)")
    page.wait_for_selector(".facts")
    assert "truncated" in facts(page)
    for kind, read in (("CSV", "read_csv"), ("Parquet", "read_parquet"), ("JSON", "read_json")):
        with page.expect_download() as waiting:
            page.click(f"#result button >> text={kind}")
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        with duckdb.connect() as db:
            assert db.sql(f"select count(*), sum(n), max(t) from {read}('{path}')").fetchall() == [
                (12000, 71994000, '9999,"')
            ]


def test_a_long_query_goes_behind_the_hash(sql: Open) -> None:
    page = sql()
    long = f"select 5 as five -- {'é' * 2100}"
    run(page, long)
    expect(page.locator(".answer thead")).to_have_text("five")
    address = page.url.partition("/sql")[2]
    assert address.startswith("#q=")
    again = sql(address)
    assert again.locator("textarea").input_value() == long
    assert again.locator(".answer").count() == 0


def test_without_script(sql: Open) -> None:
    page = sql("?recipe=sources", java_script_enabled=False)
    assert "(direct)" in page.locator(".answer").inner_text()
    page.locator("textarea").fill(COUNT)
    page.click("text=Run")
    page.click("th button >> text='n'")
    assert page.locator("th[aria-sort]").inner_text().startswith("n")
    page.click("text=All tables")
    assert page.locator("[data-table=events]").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["?recipe=sources", "?q=select+foo", "/tables"])
def test_nothing_is_inaccessible(sql: Open, address: str, scheme: str) -> None:
    page = sql(address, color_scheme=scheme, reduced_motion="reduce")
    found: dict[str, Any] = Axe().run(page).response
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


def test_a_phone_shows_it_in_its_width(sql: Open) -> None:
    page = sql("?recipe=product_funnel", viewport={"width": 390, "height": 844}, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
