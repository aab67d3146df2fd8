"""The lines to paste."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from penstock.collect.snippet import snippets
from penstock.collect.tracker import script


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str | None]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag] = dict(attrs)


def test_plain_tag() -> None:
    tag = Tags(snippets("https://stats.test", site="shop key&1")["plain"]).found["script"]
    assert tag == {"defer": None, "src": "https://stats.test/a/analytics.js", "data-site": "shop%20key%261"}


@pytest.mark.parametrize("host", ["localhost:8787", "127.0.0.1:8787", "[::1]:8787"])
def test_tag_for_the_own_machine_names_the_endpoint(host: str) -> None:
    texts = snippets(f"http://{host}")
    assert Tags(texts["plain"]).found["script"]["data-endpoint"] == f"http://{host}/a/e"
    assert f"tag.dataset.endpoint = 'http://{host}/a/e'" in texts["react"]


def test_pinned_tag() -> None:
    tag = Tags(snippets("https://site.test/", prefix="/x/y")["sri"]).found["script"]
    assert tag["src"] == f"https://site.test/x/y/analytics.{script().digest}.js"
    assert tag["integrity"] == script().integrity
    assert tag["crossorigin"] == "anonymous"
    assert "data-site" not in tag


def test_pixel_tag() -> None:
    image = Tags(snippets("https://site.test", site="key-of-site")["noscript"]).found["img"]
    assert image["src"] == "https://site.test/a/pixel.gif?page=/path/of/this/page&writeKey=key-of-site"


@pytest.mark.parametrize(("name", "part"), [("nginx", "location /x/ {"), ("caddy", "handle /x/* {"), ("react", "/x/a")])
def test_prefix_is_in_every_recipe(name: str, part: str) -> None:
    text = snippets("https://site.test", prefix="/x")[name]
    assert part in text
    assert "<<" not in text
