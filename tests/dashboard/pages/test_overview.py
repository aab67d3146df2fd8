"""The overview says what reports say, whatever is asked of it, and shows nothing but text."""

from __future__ import annotations

import csv
import io
import json
import re

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

import penstock
from penstock.dashboard.charts.formats import show
from penstock.settings import Settings
from site_in_hand import HOSTILE, NOW, Seen

WEEK = {"since": "2026-11-14", "until": "2026-11-20"}


def page(client: TestClient, address: str = "/") -> Seen:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return Seen(answer.text)


def tiles(seen: Seen) -> dict[str, str]:
    at = [nth for nth, text in enumerate(seen.texts) if text in ("Visitors", "Sessions", "Page views")]
    return {seen.texts[nth]: seen.texts[nth + 1] for nth in at[:3]}


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("period=7d", {}),
        ("period=7d&device=mobile", {"where": ["device=mobile"]}),
        ("period=7d&utm_source!=newsletter", {"where": ["utm_source!=newsletter"]}),
        ("period=7d&page_path*=guides&compare=none", {"where": ["page_path*=guides"]}),
    ],
)
def test_tiles_say_what_the_report_says(client: TestClient, settings: Settings, query: str, asked: dict) -> None:  # type: ignore[type-arg]
    with penstock.open(settings.data) as lake:
        lake.pipeline.clock = lambda: NOW
        [total] = lake.report("traffic", whole=True, **WEEK, **asked).rows()
    found = tiles(page(client, f"/?{query}"))
    assert found["Sessions"] == show(total["sessions"])
    assert found["Page views"] == show(total["views"])
    assert found["Visitors"] == show(total["visitors"])


@pytest.mark.parametrize(
    ("query", "drawn"),
    [
        ("period=7d", "Visitors"),
        ("period=today", "Sessions"),
        ("period=7d&device=mobile", "Sessions"),
        ("period=today&metric=views", "Page views"),
    ],
)
def test_what_cannot_be_counted_is_not_drawn(client: TestClient, query: str, drawn: str) -> None:
    """Visitors are not, by the hour and with filters; unless somebody asks for them."""
    [heading] = [text for text in page(client, f"/?{query}").texts if text.endswith("over time")]
    assert heading == f"{drawn} over time"


def test_every_link_of_the_page_leads_somewhere(client: TestClient) -> None:
    """Of those that change the same things one is tried; and they keep the filter that is there."""
    seen = page(client, "/?from=2026-11-18&to=2026-11-19&utm_medium=social")
    links = {link for link in seen.links if link.startswith("/") and not link.startswith(("/realtime", "/static"))}
    assert len(links) > 60
    kept = [link for link in links if "utm_medium=social" in link]
    shapes = {re.sub(r"=[^&]*", "", link): link for link in sorted(links)}
    assert len(shapes) > 20
    for link in shapes.values():
        assert client.get(link).status_code == 200, link
    assert len(kept) > 50


@pytest.mark.parametrize(
    "tab", ["pages=exit", "sources=utm_campaign", "devices=screen", "places=country", "grain=hour"]
)
def test_tabs(client: TestClient, tab: str) -> None:
    seen = page(client, f"/?period=7d&{tab}")
    chosen = [link["href"] for link in seen.all("a") if link.get("aria-current") == "true"]
    assert any(tab in link for link in chosen)


def test_hostile_values_are_text(client: TestClient) -> None:
    for address in ("/", "/?sources=utm_source", "/?devices=device&places=language", "/details/overview/pages"):
        seen = page(client, f"{address}{'&' if '?' in address else '?'}period=today&compare=none")
        assert not seen.all("img")
        assert all(attributes.get("src") for attributes in seen.all("script"))
        assert not [name for _, attributes in seen.elements for name in attributes if name.startswith("on")]
        assert not [attributes for _, attributes in seen.elements if "style" in attributes]
        assert all(link.startswith(("/", "#")) or not link for link in seen.links), seen.links
    shown = {text.lower() for text in page(client, "/details/overview/sources?sources=utm_source&period=today").texts}
    assert shown.issuperset(text.lower() for text in HOSTILE)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_addresses(client: TestClient, value: str) -> None:
    seen = Seen(client.get("/", params={"utm_source": value, value: "x", "metric": value, "goal": value}).text)
    assert value in seen.texts
    assert not seen.all("img")
    assert all(attributes.get("src") for attributes in seen.all("script"))


def test_the_file_is_the_table(client: TestClient) -> None:
    seen = page(client, "/details/overview/pages?period=7d&compare=none")
    text = client.get("/export/overview/pages.csv?period=7d&compare=none").text
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["page_path", "views", "sessions", "views_per_session"]
    assert len(rows) >= 8
    for row in rows[:5]:
        at = seen.texts.index(row[0].removeprefix("'"))
        assert seen.texts[at + 1 : at + 3] == [show(int(row[1])), show(int(row[2]))]


def test_a_spreadsheet_runs_nothing_of_a_file(client: TestClient) -> None:
    text = client.get("/export/overview/sources.csv?sources=utm_source&period=today").text
    cells = [row[0].lower() for row in csv.reader(io.StringIO(text))]
    assert '\'=hyperlink("http://evil.test")' in cells
    assert not [cell for cell in cells if cell[:1] in "=@\t\r"]


def test_files_of_every_kind_hold_the_same(client: TestClient) -> None:
    told = client.get("/api/overview.json?period=7d&compare=none").json()["cards"]["sources"]["rows"]
    by_line = client.get("/export/overview/sources.json?period=7d&compare=none").text
    packed = client.get("/export/overview/sources.parquet?period=7d&compare=none").content
    names = [row["name"] for row in told]
    assert [json.loads(line)["name"] for line in by_line.splitlines()] == names
    assert pq.read_table(io.BytesIO(packed))["name"].to_pylist() == names


def test_details_search_sort_and_leaf(client: TestClient) -> None:
    found = page(client, "/details/overview/pages?find=GUIDES&sort=-views")
    rows = [text for text in found.texts if text.startswith("/guides")]
    assert len(rows) >= 2
    assert "/about" not in found.texts
    assert page(client, "/details/overview/pages?at=999999999&sort=1;drop table events").texts


def test_the_twin_tells_what_failed(client: TestClient) -> None:
    told = client.get("/api/overview.json?period=7d").json()
    assert set(told["cards"]) >= {"totals", "over_time", "pages", "sources", "devices", "events", "posts", "anomalies"}
    assert all("rows" in card for card in told["cards"].values())
    assert client.get("/api/overview.json?from=tomorrow").json()["notices"]


def test_what_there_is_not_is_404(client: TestClient) -> None:
    for address in ("/nothing", "/details/overview/nothing", "/export/overview/nothing.csv", "/static/../app.py"):
        assert client.get(address).status_code == 404, address


def test_a_page_is_small(client: TestClient) -> None:
    """All that a browser loads for it."""
    seen = page(client)
    files = [each["href"] for each in seen.all("link") if each["rel"] == "stylesheet"]
    files += [each["src"] for each in seen.all("script")]
    weights = {address: weight(client, address) for address in ("/", *files)}
    assert sum(weights.values()) <= 20 * 1024, weights


def weight(client: TestClient, address: str) -> int:
    with client.stream("GET", address, headers={"accept-encoding": "gzip"}) as answer:
        return sum(map(len, answer.iter_raw()))


def test_static_files_may_be_kept_for_ever(client: TestClient) -> None:
    for each in page(client).all("script"):
        answer = client.get(each["src"])
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("tab", "column", "word"),
    [("sources=utm_source", "utm_source", "(direct)"), ("sources=utm_campaign", "utm_campaign", "(none)")],
)
def test_nothing_has_the_same_name_in_lists_and_filters(client: TestClient, tab: str, column: str, word: str) -> None:
    seen = page(client, f"/?period=7d&{tab}")
    assert word in seen.texts
    texts = page(client, f"/?period=7d&{tab}&{column}=").texts
    assert texts[texts.index(column) + 1] == word


def test_details_have_names_for_people(client: TestClient) -> None:
    seen = page(client, "/details/overview/pages?period=7d")
    assert "Page path" in seen.texts and "page_path" not in seen.texts
    assert any((each.get("title") or "").startswith("page_path: ") for each in seen.all("a"))
