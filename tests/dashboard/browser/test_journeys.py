"""What people do on the dashboard every day, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest
from playwright.sync_api import Page, expect

from .conftest import Open

WEEK = "/?period=custom&from=2026-11-10&to=2026-11-16&compare=none"


def sessions(page: Page) -> str:
    return page.locator(".tile", has_text="Sessions").locator(".value").inner_text()


def test_clicking_a_value_filters_everything_and_back_undoes_it(opened: Open) -> None:
    page = opened(WEEK)
    before = sessions(page)
    page.get_by_role("link", name="social", exact=True).click()
    expect(page.locator(".chip", has_text="social")).to_be_visible()
    assert "channel=social" in page.url
    assert sessions(page) != before
    page.go_back()
    expect(page.locator(".chip")).to_have_count(0)
    assert sessions(page) == before


def test_alt_click_excludes(opened: Open) -> None:
    page = opened(WEEK)
    page.get_by_role("link", name="social", exact=True).click(modifiers=["Alt"])
    expect(page.locator(".chip", has_text="is not")).to_be_visible()
    assert "channel!=social" in page.url


def test_by_keyboard_alone(opened: Open) -> None:
    page = opened(WEEK)
    page.keyboard.press("w")
    page.wait_for_url("**/?period=7d*")
    page.keyboard.press("x")
    page.wait_for_url(lambda url: "compare=none" not in url)
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**period=custom*")
    page.keyboard.press("j")
    page.keyboard.press("j")
    focused = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.locator(".chip b").first).to_have_text(focused)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("filters", ["&channel=social", "&channel=social&device=mobile"])
def test_escape_clears_the_filters(opened: Open, filters: str) -> None:
    page = opened(WEEK + filters)
    page.keyboard.press("Escape")
    page.wait_for_url("**/?*compare=none")
    expect(page.locator(".chip")).to_have_count(0)


def test_the_palette_is_walked_through(opened: Open) -> None:
    page = opened(WEEK)
    page.keyboard.press("Control+k")
    page.keyboard.type("last 7")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Last 7 days")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/?period=7d*")


def test_the_last_period_is_remembered(opened: Open) -> None:
    page = opened("/?period=91d")
    page.keyboard.press("w")
    page.wait_for_url("**/?period=7d")
    page.get_by_role("link", name="Setup").click()
    page.wait_for_url("**/setup")
    page.locator(".brand").click()
    page.wait_for_url("**/?period=7d")
    page.go_back()  # there is no page in between
    page.wait_for_url("**/setup")


def test_a_page_that_is_looked_at_keeps_up(opened: Open) -> None:
    page = opened(WEEK)
    page.clock.install()
    page.reload()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_text("Data", exact=True).click()
    page.clock.fast_forward(61_000)
    page.get_by_text("Data", exact=True).click()
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    assert page.url not in asked  # not while a table is open
    with page.expect_request(page.url):
        page.clock.fast_forward(61_000)


def test_a_filter_by_hand(opened: Open) -> None:
    page = opened(WEEK)
    page.keyboard.press("/")
    page.get_by_label("Column").fill("page_path")
    page.get_by_label("Value").fill("/guides/")
    page.locator("select[name=is]").select_option("*=")
    page.get_by_role("button", name="Add filter").click()
    expect(page.locator(".chip")).to_contain_text("page_path contains /guides/")
    assert "page_path*=/guides/" in page.url


def test_the_tooltip_says_what_the_table_says(opened: Open) -> None:
    page = opened(WEEK)
    page.locator("svg.area .hit").nth(2).hover()
    tip = page.locator("#tip")
    expect(tip).to_be_visible()
    page.get_by_text("Data", exact=True).click()
    row = page.locator("details.data tbody tr").nth(2)
    assert row.locator("td").first.inner_text() in tip.inner_text()


def test_dragging_over_the_chart_chooses_a_period(opened: Open) -> None:
    page = opened(WEEK)
    hits = page.locator("svg.area .hit")
    hits.nth(1).hover()
    page.mouse.down()
    hits.nth(3).hover()
    page.mouse.up()
    page.wait_for_url("**from=2026-11-11&to=2026-11-13*")


def test_without_script_links_and_forms_work(opened: Open) -> None:
    page = opened(WEEK, java_script_enabled=False)
    page.get_by_role("link", name="social", exact=True).click()
    expect(page.locator(".chip")).to_contain_text("social")
    page.locator("summary", has_text="+ Filter").click()
    page.get_by_label("Column").fill("device")
    page.get_by_label("Value").fill("mobile")
    page.get_by_role("button", name="Add filter").click()
    expect(page.locator(".chip")).to_have_count(3)
    assert re.search(r"channel=social&device=mobile", page.url)


def test_a_file_to_keep(opened: Open, tmp_path: Path) -> None:
    page = opened("/details/overview/pages?period=custom&from=2026-11-10&to=2026-11-16")
    for format in ("CSV", "Parquet"):
        with page.expect_download() as download:
            page.get_by_role("link", name=format, exact=True).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        rows = duckdb.sql(f"select page_path, views from '{path}' order by views desc limit 1").fetchall()
        assert page.locator("tbody tr").first.inner_text().split()[0] == rows[0][0]


@pytest.mark.parametrize("width", [390, 768])
def test_it_fits_on_a_phone(opened: Open, width: int) -> None:
    page = opened(WEEK, viewport={"width": width, "height": 844})
    assert page.locator(".posts").evaluate("each => each.scrollWidth <= each.parentElement.clientWidth")
    hidden = ".scroll, svg, .unseen, details:not([open]) > :not(summary)"
    wide = f"""[...document.querySelectorAll('main *')].filter(e => !e.closest('{hidden}'))
        .filter(e => e.getBoundingClientRect().right > {width} + 1).map(e => e.outerHTML.slice(0, 100))"""
    assert page.evaluate(wide) == []


def test_the_theme_stays(opened: Open) -> None:
    page = opened(WEEK, color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("[data-theme-switch]").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark != light


def test_a_segment_is_saved_and_used(opened: Open) -> None:
    page = opened(WEEK + "&channel=social")
    page.locator("summary", has_text="Segments").click()
    page.get_by_label("Save these filters as").fill("Social people")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**channel=social*")
    there = sessions(page)
    page.goto(page.url.replace("&channel=social", ""))
    page.locator("summary", has_text="Segments").click()
    page.get_by_role("link", name="Social people").click()
    page.wait_for_url("**segment=Social*")
    expect(page.locator(".tile", has_text="Sessions").locator(".value")).to_have_text(there)


def test_a_line_is_hidden_by_its_name(opened: Open) -> None:
    page = opened(WEEK.replace("none", "previous"))
    line, before = page.locator("svg.area path.line").first, page.locator("svg.area path.before")
    button = page.locator(".legend button", has_text="period before")
    expect(before).to_be_visible()
    button.press("Enter")
    expect(before).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(line).to_be_visible()
    button.click()
    expect(before).to_be_visible()
    page.locator(".legend button").first.click()
    expect(line).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chart_is_a_file_that_opens_alone(opened: Open, tmp_path: Path, scheme: str) -> None:
    page = opened(WEEK, color_scheme=scheme)
    colour = page.locator("svg.area path.line").first.evaluate("each => getComputedStyle(each).stroke")
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG").click()
    assert download.value.suggested_filename == "overview.svg"
    path = tmp_path / "overview.svg"
    download.value.save_as(path)
    root = ElementTree.parse(path).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not [each for each in root.iter() if "style" in each.attrib or each.get("class") == "hit"]
    assert {each.get("stroke") for each in root.iter() if "line" in each.get("class", "").split()} == {colour}
    alone = page.context.new_page()
    alone.goto(path.as_uri())
    assert alone.locator("path.line").first.evaluate("each => getComputedStyle(each).stroke") == colour
    boxes = [each.locator("svg.area path.area").first.bounding_box() for each in (page, alone)]
    assert all(abs(boxes[0][side] - boxes[1][side]) < 2 for side in ("width", "height"))  # type: ignore[index]
