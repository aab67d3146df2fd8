"""What browsers get says the same in fewer bytes."""

from __future__ import annotations

from importlib.resources import files

import pytest
from playwright.sync_api import Browser
from starlette.testclient import TestClient

import browser_in_hand
from penstock import dashboard
from penstock.dashboard.shrink import script, style
from site_in_hand import Seen

playwright, chromium, browser = browser_in_hand.playwright, browser_in_hand.chromium, browser_in_hand.browser

STYLES = [path for path in (files(dashboard) / "static").iterdir() if path.name.endswith(".css")]
RULES = """text => { const sheet = new CSSStyleSheet(); sheet.replaceSync(text);
    return [...sheet.cssRules].map(rule => rule.cssText.replaceAll(", ", ",")); }"""
"""A value with a variable in it keeps its spaces."""


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("a {\n  color: red;\n  margin: 0 auto;\n}\n", "a{color:red;margin:0 auto}"),
        ("/* why */ a , b > c { top: calc(1px + 2px) }", "a,b > c{top:calc(1px + 2px)}"),
        ('a::before { content: "a  ; { b"; }', 'a::before{content:"a  ; { b"}'),
        ("main :not(.a) :hover { top: 0 }", "main :not(.a) :hover{top:0}"),
        ("@media (width < 9px) and (hover) { a { top: 0 } }", "@media (width < 9px) and (hover){a{top:0}}"),
    ],
)
def test_style(written: str, sent: str) -> None:
    assert style(written) == sent


def test_every_style_means_the_same(browser: Browser) -> None:
    page = browser.new_page()
    for path in STYLES:
        written = path.read_text("utf-8")
        rules = page.evaluate(RULES, written)
        assert rules and page.evaluate(RULES, style(written)) == rules, path.name
    page.close()


def test_it_is_what_is_served(client: TestClient) -> None:
    address = next(each["href"] for each in Seen(client.get("/").text).all("link") if "style." in each["href"])
    text = client.get(address).text
    assert "/*" not in text and "\n" not in text


def test_script() -> None:
    assert script("// why\nlet a = 1;\n\nlet b = `x\n  y`;  /* z */") == "let a=1;let b=`x\n  y`;"
