"""Funnels: steps from the URL and the form, numbers as the report has them, who stopped, and what is saved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

import penstock
from dashboard.pages.by_hand import QUOTES, RTL, lake_of, shop, ways
from penstock.dashboard import state
from penstock.dashboard.charts.formats import count, percent
from penstock.dashboard.pages import funnels
from penstock.dashboard.state import Site, State
from penstock.settings import Settings
from site_in_hand import HERE, HOSTILE, NOW, SCRIPT, Seen, visit

COLUMNS = {"event_type": "VARCHAR", "page_path": "VARCHAR", "properties": "VARCHAR", "utm_source": "VARCHAR"}
SITE = Site(COLUMNS, "UTC", date(2026, 10, 1), datetime(2026, 11, 20, 12, tzinfo=UTC))
STEPS = "step=page_view&step=signup&step="


def asked(*pairs: tuple[str, str]) -> State:
    return state.read("/funnels", pairs, SITE, funnels.PAGE.own)


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with visit(lake_of(tmp_path_factory.mktemp("ways"), list(ways()))) as client:
        yield client


def seen(client: TestClient, query: str = "") -> Seen:
    answer = client.get(f"/funnels?{query}")
    assert answer.status_code == 200, answer.text
    return Seen(answer.text)


@pytest.mark.parametrize(
    ("pairs", "steps"),
    [
        ([], ()),
        ([("step", "page_view"), ("step", "purchase")], ("page_view", "purchase")),
        ([("step", "page_view:/pricing"), ("step", "a")], ("page_view & page_path=/pricing", "a")),
        ([("step", "page_view & page_path=/a:/b"), ("step", "a")], ("page_view & page_path=/a:/b", "a")),
        ([("step", "a"), ("only", ""), ("step", "b"), ("only", " device=x ")], ("a", "b & device=x")),
        ([("step", "a"), ("only", "x=1 & y=2"), ("step", " "), ("only", "x=1")], ("a & x=1 & y=2",)),
        ([("step", "checkout:started"), ("step", "<b>")], ("checkout:started", "<b>")),
        ([("step", f"e{n}") for n in range(14)], tuple(f"e{n}" for n in range(10))),
    ],
)
def test_steps_of_the_address(pairs: list[tuple[str, str]], steps: tuple[str, ...]) -> None:
    assert funnels.given(asked(*pairs)) == steps


def test_steps_move_and_go_by_links() -> None:
    first, second, third, free = funnels.fields(asked(), ("a", "b & x=1", "c"))
    assert (first.up, third.down, free) == (None, None, funnels.Field("", "", ""))
    assert (second.event, second.only) == ("b", "x=1")
    assert [_steps(link) for link in (first.down, second.up, second.down, second.gone)] == [
        ["b & x=1", "a", "c"],
        ["b & x=1", "a", "c"],
        ["a", "c", "b & x=1"],
        ["a", "c"],
    ]


def _steps(link: str | None) -> list[str]:
    return parse_qs(urlsplit(link or "").query)["step"]


def test_two_steps_remain_and_ten_are_enough() -> None:
    assert all(one.gone is None for one in funnels.fields(asked(), ("a", "b")))
    assert len(funnels.fields(asked(), tuple("abcdefghij"))) == 10


@pytest.mark.parametrize("query", ["", "order=any", "order=strict&per=user", "window=30m&utm_medium=social"])
def test_numbers_are_those_of_the_report(client: TestClient, settings: Settings, query: str) -> None:
    told = {name: values[0] for name, values in parse_qs(query).items()}
    where = [f"utm_medium={medium}"] if (medium := told.pop("utm_medium", "")) else []
    with penstock.open(settings.data) as lake:
        lake.pipeline.clock = lambda: NOW
        week = {"since": "2026-11-14", "until": "2026-11-20", "compare": "previous", "where": where}
        rows = lake.report("funnel", steps=funnels.SITE, **week, **told).rows()
    shown = seen(client, f"period=7d&{query}").texts
    assert rows[0]["reached"] > 50
    counts = [count(row["reached"]) for row in rows]
    assert [text for text in shown if text in set(counts)][: len(counts)] == counts
    assert percent(rows[-1]["of_first"]) in shown


def test_a_shop_begins_with_its_own_steps(tmp_path: Path) -> None:
    with visit(lake_of(tmp_path, list(shop()))) as client:
        texts = seen(client).texts
        assert "1 of 3 sessions came to the end" in texts
        assert "form_submit" not in texts
        assert seen(client, "step=page_view&step=purchase").texts.count("1 of 3 sessions came to the end") == 1


def test_funnel_by_hand(by_hand: TestClient) -> None:
    shown = seen(by_hand, STEPS + QUOTES)
    at = shown.texts.index("20 %")
    assert shown.texts[at + 1] == "2 of 10 sessions came to the end"
    assert [text for text in shown.texts if text.endswith("stopped here")] == ["5 stopped here", "3 stopped here"]
    assert shown.texts.count("10 m median") == 2
    assert "5 (50 %) before signup" in shown.texts


@pytest.mark.parametrize(
    ("query", "finished"),
    [("order=any", "2 of 10"), ("order=strict", "2 of 10"), ("window=15m", "0 of 10"), ("window=20m", "2 of 10")],
)
def test_order_and_window(by_hand: TestClient, query: str, finished: str) -> None:
    assert f"{finished} sessions came to the end" in seen(by_hand, f"{STEPS}{QUOTES}&{query}").texts


def test_who_stopped(by_hand: TestClient) -> None:
    """Five never signed up after they saw a page: two of one source, three of the other."""
    link = next(link for link in seen(by_hand, STEPS + QUOTES).links if "stop=2" in link)
    assert link.endswith("#stopped")
    shown = Seen(by_hand.get(link).text)
    at = shown.texts.index("Of those there")
    assert shown.texts[at + 1 : at + 9] == [RTL, "≠", "3", "60 %", SCRIPT, "≠", "2", "40 %"]
    by_page = Seen(by_hand.get(link.replace("#", "&stopped_by=page_path#")).text)
    assert "/0" in by_page.texts


def test_breakdown_by_any_column(by_hand: TestClient) -> None:
    shown = seen(by_hand, f"{STEPS}{QUOTES}&by=utm_source")
    at = shown.texts.index("To the end")
    assert RTL in shown.texts[at:] and SCRIPT in shown.texts[at:]
    assert any("utm_source=" in link and "by=utm_source" in link for link in shown.links)
    failed = seen(by_hand, f"{STEPS}signup&by=nothing")
    assert "there is no column 'nothing'" in failed.texts
    assert "5 of 10 sessions came to the end" not in failed.texts


@pytest.mark.parametrize(
    "query",
    ["step=page_view", "step=a&only=bad&step=b&only=", "step=a&step=a&order=any", STEPS + "x&window=long"],
)
def test_what_cannot_be_asked_is_said_in_the_card(by_hand: TestClient, query: str) -> None:
    shown = seen(by_hand, query)
    assert "This could not be answered." in shown.texts
    assert any(each.get("name") == "step" for each in shown.all("input"))


@pytest.mark.parametrize("value", [*HOSTILE, QUOTES, RTL])
def test_hostile_values_are_text(by_hand: TestClient, value: str) -> None:
    params = [("step", "page_view"), ("step", value), ("only", ""), ("only", ""), ("by", "utm_source"), ("stop", "2")]
    for more in ([], [("only", f"page_path={value}"), ("window", value), ("order", value), ("stopped_by", value)]):
        shown = Seen(by_hand.get("/funnels", params=[*params, *more]).text)
        assert not shown.all("img")
        assert all(each.get("src") for each in shown.all("script"))
        assert not [name for _, each in shown.elements for name in each if name.startswith("on") or name == "style"]
        assert all(link.startswith(("/", "#")) or not link for link in shown.links)
        assert value in [each["value"] for each in shown.all("input") if each.get("name") == "step"]


def test_what_is_there_is_offered(by_hand: TestClient) -> None:
    shown = seen(by_hand)
    offered = [each["value"] for each in shown.all("option")]
    assert {QUOTES, RTL, "signup"} <= set(offered)


def test_saved_by_name(by_hand: TestClient) -> None:
    address = f"/funnels?{STEPS}signup&by=device"
    saving = next(each for each in Seen(by_hand.get(address).text).all("input") if each.get("name") == "query")
    form = {"name": SCRIPT, "query": saving["value"], "back": address}
    assert by_hand.post("/saved/funnels", data=form, headers={"origin": HERE}).status_code == 200
    shown = seen(by_hand)
    [link] = [link for link in shown.links if "by=device" in link]
    assert SCRIPT in shown.texts and not shown.all("img")
    assert _steps(link) == ["page_view", "signup", "signup"]
    [delete] = [each["action"] for each in shown.all("form") if each.get("action", "").endswith("/delete")]
    by_hand.post(delete, data={"back": "/funnels"}, headers={"origin": HERE})
    assert not [link for link in seen(by_hand).links if "by=device" in link]


def test_the_form_keeps_what_it_does_not_ask(by_hand: TestClient) -> None:
    html = by_hand.get("/funnels?period=7d&utm_source!=x&step=page_view&step=signup&only=&only=&window=1h").text
    form = Seen(html.partition('<form class="steps"')[2].partition("</form>")[0])
    hidden = {each["name"]: each["value"] for each in form.all("input") if each.get("type") == "hidden"}
    assert hidden == {"period": "7d", "utm_source!": "x"}


@pytest.mark.parametrize("page", ["funnels", "retention", "experiments"])
def test_a_shared_page_asks_nothing(by_hand: TestClient, page: str) -> None:
    told = {"name": "a", "page": page, "query": f"{STEPS}signup", "days": "1", "back": "/"}
    made = by_hand.post("/saved/shares", data=told, headers={"origin": HERE})
    link = re.search(r"/share/[A-Za-z0-9_-]+", made.text)
    assert link is not None
    shared = by_hand.get(link[0])
    assert shared.status_code == 200
    main = Seen(shared.text.partition("</h1>")[2])
    assert not [each for each in main.all("form") if each["method"] == "post" or "data-swap" in each]
    assert not [each for each in main.links if not each.startswith(("/share/", "#"))]


def test_card_as_a_file(by_hand: TestClient) -> None:
    text = by_hand.get(f"/export/funnels/funnel.csv?{STEPS}signup&compare=none").text
    head, first, *_ = text.splitlines()
    assert head.startswith("step,event,reached,of_previous,of_first,median_seconds")
    assert first.startswith("1,page_view,10")
