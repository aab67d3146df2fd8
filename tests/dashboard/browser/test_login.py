"""In with the right password, not with a wrong one, and out again: in a real browser, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from dashboard_in_hand import PASSWORD, cheap
from penstock.hosts.supervisor import Supervisor, free_port
from penstock.settings import load


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Supervisor]:
    settings = load(data=tmp_path / "data")
    told = settings.dashboard.model_copy(update={"port": free_port(), "password": cheap(PASSWORD)})
    made = Supervisor(settings.model_copy(update={"dashboard": told}), tmp_path / "log", ("dashboard",))
    made.start()
    yield made
    made.stop()


def test_by_password(locked: Supervisor, browser: Browser) -> None:
    context = browser.new_context()
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(f"{locked.dashboard_url}/retention?period=7d")
    assert "/login" in page.url
    expect(page.get_by_label("Password")).to_be_focused()

    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert context.cookies() == []

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/retention?period=7d")
    expect(page.get_by_role("link", name="Status")).to_be_visible()
    [cookie] = context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"

    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    assert context.cookies() == []
    # Whoever has copied the cookie is out too.
    context.add_cookies([cookie])
    page.goto(f"{locked.dashboard_url}/status")
    assert "/login" in page.url
    context.close()
