"""What people keep and copy on the dashboard, in a real browser: a tag, a funnel, a query on the overview."""

from __future__ import annotations

from playwright.sync_api import expect

from .conftest import Open


def test_the_tag_is_copied_as_it_stands(opened: Open) -> None:
    page = opened("/setup", permissions=["clipboard-read", "clipboard-write"])
    shown = page.locator("#t-plain").inner_text()
    page.locator("[data-copy='#t-plain']").click()
    expect(page.locator("#said")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").strip() == shown.strip()
    assert shown.startswith("<script defer")


def test_a_funnel_is_saved_opened_and_deleted(opened: Open) -> None:
    page = opened("/funnels?period=7d&step=page_view&step=cta_click")
    page.locator("summary", has_text="Saved").click()
    page.get_by_label("Save this one as").fill("To the button")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**step=cta_click*")
    page.goto(page.url.partition("?")[0])
    page.locator("summary", has_text="Saved").click()
    page.get_by_role("link", name="To the button").click()
    page.wait_for_url("**step=page_view*step=cta_click*")
    page.locator("summary", has_text="Saved").click()
    page.get_by_role("button", name="Delete To the button").click()
    page.locator("summary", has_text="Saved").click()
    expect(page.get_by_text("Funnels that you save are here.")).to_be_visible()


def test_a_query_is_saved_and_pinned_to_the_overview(opened: Open) -> None:
    page = opened("/sql")
    page.locator("textarea").fill("select device, count(*) as people from sessions group by 1")
    page.get_by_role("button", name="Run").click()
    page.locator("summary", has_text="Save this query").click()
    page.get_by_label("Name").fill("Who has what")
    page.get_by_label("Add to overview").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/sql?q=*")
    page.goto(page.url.partition("/sql")[0])
    card = page.locator("section", has=page.get_by_role("heading", name="Who has what"))
    expect(card).to_contain_text("desktop")
    card.get_by_role("link", name="SQL").click()
    page.wait_for_url("**/sql?saved=*")
    page.get_by_role("button", name="Take from overview: Who has what").click()
    page.wait_for_url("**/sql?saved=*")
    page.goto(page.url.partition("/sql")[0])
    expect(page.get_by_role("heading", name="Who has what")).to_have_count(0)
