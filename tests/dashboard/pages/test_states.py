"""Before the first event, behind the times, when something is not there or goes wrong: always a page in its shell."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

import penstock
from penstock.collect import Request
from penstock.dashboard import app, state
from penstock.dashboard.page import Shown
from penstock.dashboard.pages import PAGES
from penstock.dashboard.state import Site
from penstock.pipeline import Pipeline
from penstock.requests import Requests
from penstock.settings import Settings, load
from penstock.worker_lock import only_worker
from site_in_hand import HERE, NOW, SCRIPT, Seen, visit

FILTERED = [page.url for page in PAGES if page.takes_filters]


@pytest.fixture
def empty(tmp_path: Path) -> Settings:
    return load(data=tmp_path / "data")


def send(settings: Settings) -> None:
    way = Pipeline(settings, clock=lambda: NOW - timedelta(minutes=3))
    way.stream.append(way.collector.receive(Request("POST", "/v1/events", "", {}, b'{"event_type":"hello"}')).records)
    way.close()


def is_shell(html: str) -> bool:
    seen = Seen(html)
    return (
        "Status" in seen.texts
        and bool(seen.all("main"))
        and any(each.get("rel") == "stylesheet" for each in seen.all("link"))
    )


@pytest.mark.parametrize("address", FILTERED)
def test_first_run(empty: Settings, address: str) -> None:
    with visit(empty) as client:
        seen = Seen(client.get(address).text)
    told = "\n".join(seen.texts)
    assert "No events yet" in told
    assert '<script defer src="http://127.0.0.1:8787/a/analytics.js"' in told
    assert "penstock demo" in told
    assert f"penstock up --data {empty.data}" in told
    assert [each for each in seen.all("p") if "data-waiting" in each]
    assert not seen.all("svg")


def test_from_the_first_event_to_the_first_page(empty: Settings) -> None:
    with visit(empty) as client:
        send(empty)
        assert [each for each in Seen(client.get("/").text).all("p") if "data-received" in each]
        way = Pipeline(empty)
        way.drain()
        way.close()
        told = client.get("/").text
        assert "data-received" not in told
        assert "Visitors" in told


def demo(client: TestClient) -> Response:
    return client.post("/demo", headers={"origin": HERE})


def test_demo_data_are_loaded_by_the_worker(empty: Settings) -> None:
    with visit(empty) as client, only_worker(empty.data):
        assert [each for each in Seen(client.get("/").text).all("form") if each.get("action") == "/demo"]
        for _ in range(2):  # asked for once
            told = Seen(demo(client).text)
            assert "Demo data are being made; they are here in a moment." in told.texts
            assert not [each for each in told.all("form") if each.get("action") == "/demo"]
        way = Pipeline(empty, clock=lambda: NOW)
        assert way.jobs["demo"]() == 1 and not way.jobs["demo"]()
        way.close()
    with visit(empty, timedelta(minutes=1)) as client:
        shown = Seen(client.get("/").text).texts
        assert int(shown[shown.index("Sessions") + 1].replace(",", "")) > 1000
        with penstock.open(empty.data) as lake:
            rows = lake.sql("select source, count(*) > 9000 from events group by 1").fetchall()
        assert rows == [("demo", True)]
        with only_worker(empty.data):
            assert demo(client).status_code == 409


@pytest.mark.parametrize("has_events", [False, True])
def test_demo_data_are_refused(empty: Settings, has_events: bool) -> None:
    """Beside events, which may be in the stream alone; and without a worker."""
    if has_events:
        send(empty)
    with visit(empty) as client:
        answer = demo(client)
        told = Seen(answer.text).texts
        assert answer.status_code == 409
        assert ("penstock demo" in told) == has_events
        assert (f"penstock up --data {empty.data}" in told) != has_events
        assert client.post("/demo", headers={"origin": "http://evil.test"}).status_code == 403
    assert not (empty.data / "asked").exists()


def test_the_worker_puts_no_demo_beside_events(empty: Settings) -> None:
    """They came while it was asked."""
    Requests(empty.data).put("demo", {"until": "2026-11-20T00:00:00Z"})
    send(empty)
    way = Pipeline(empty, clock=lambda: NOW)
    assert way.jobs["demo"]() == 1
    assert list(way.lake.bronze.list("")) == []
    way.close()


def test_what_is_late_is_said_on_every_page(settings: Settings, tmp_path: Path) -> None:
    late = settings.model_copy(update={"stream": settings.stream.model_copy(update={"url": f"sqlite://{tmp_path}"})})
    with visit(late) as client:
        assert "Showing data up to" not in client.get("/").text
        send(late)
        for address in (page.url for page in PAGES):
            told = " ".join(Seen(client.get(address).text).texts)
            assert "Showing data up to 2026-" in told
            assert "waiting for 3 m" in told
            assert f"; the worker is not running: penstock up --data {late.data}" in told
        with only_worker(late.data):
            told = client.get("/").text
            assert "Showing data up to" in told
            assert "not running" not in told


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", f"/{SCRIPT}", 404),
        ("POST", "/status", 405),
        ("GET", "/details/overview/nope", 404),
    ],
)
def test_what_is_not_there(client: TestClient, method: str, address: str, status: int) -> None:
    answer = client.request(method, address, headers={"origin": HERE})
    assert answer.status_code == status
    assert is_shell(answer.text)
    assert not Seen(answer.text).all("img")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_programs_are_told_in_json(client: TestClient) -> None:
    answer = client.get("/api/nope.json")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_what_goes_wrong_has_an_id_that_is_in_the_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it is; of it the reader sees nothing."""

    def broken(*_: Any) -> None:
        raise RuntimeError("the secret of line 1")

    monkeypatch.setattr(app.Dashboard, "state", broken)
    with visit(settings) as client:
        answer = client.get("/")
        assert answer.status_code == 500
        assert is_shell(answer.text)
        assert "secret" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert client.get("/api/overview.json").json()["error"] == "failed"
    [id] = re.findall(r"look for ([0-9a-f]{8})", answer.text)
    logged = capsys.readouterr()
    assert id in logged.out + logged.err
    assert "the secret of line 1" in logged.out + logged.err


def test_a_lake_that_cannot_be_opened(empty: Settings) -> None:
    send(empty)
    way = Pipeline(empty)
    way.drain()
    way.close()
    log = sorted((empty.data / "silver/events/_delta_log").iterdir())
    log[0].write_bytes(json.dumps({"protocol": {"minReaderVersion": 99, "minWriterVersion": 99}}).encode())
    with visit(empty) as client:
        for address in FILTERED:
            answer = client.get(address)
            assert answer.status_code == 503
            assert is_shell(answer.text)
            told = " ".join(Seen(answer.text).texts)
            assert "The lake cannot be opened" in told
            assert f"penstock verify --data {empty.data}" in told
        assert client.get("/api/overview.json").json()["error"] == "no_lake"
        assert client.get("/setup").status_code == 200
        assert client.get("/status").status_code == 200
        assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("address", "compares"),
    [
        ("/", True),
        ("/events", True),
        ("/funnels", True),
        ("/details/overview/over_time", True),
        ("/retention", False),
        ("/experiments", False),
        ("/details/retention/cohorts", False),
    ],
)
def test_only_what_compares_has_a_menu_for_it(client: TestClient, address: str, compares: bool) -> None:
    seen = Seen(client.get(f"{address}?compare=weekday").text)
    assert ("Same weekdays before" in seen.texts) == compares
    assert any(each.get("data-key") == "x" for each in seen.all("a")) == compares
    # It goes with links to pages that do.
    assert any(link.startswith("/funnels?compare=weekday") for link in seen.links)


@pytest.mark.parametrize("address", ["/?period=7d", "/retention", "/details/overview/pages"])
def test_a_page_says_how_far_its_numbers_reach(client: TestClient, address: str) -> None:
    assert f"as of {NOW:%H:%M}:00" in Seen(client.get(address).text).texts


@pytest.mark.parametrize("address", ["/setup", "/status"])
def test_what_asks_no_reports_reaches_nowhere(client: TestClient, address: str) -> None:
    assert not [text for text in Seen(client.get(address).text).texts if text.startswith("as of ")]


@pytest.mark.parametrize(("query", "is_said"), [("period=7d", False), ("period=7d&page_path=/about", True)])
def test_what_a_filter_chooses_is_said(client: TestClient, query: str, is_said: bool) -> None:
    told = Seen(client.get(f"/?{query}").text).texts
    said = [text for text in told if "The filters choose sessions" in text]
    assert len(said) == is_said
    assert not said or told.index(said[0]) < told.index("Pages")


@pytest.mark.parametrize(
    ("lacks", "behind", "told"), [(False, False, 60), (True, False, 5), (False, True, 5), (True, True, 5)]
)
def test_as_of_is_when_the_oldest_answer_was_all_there_was(
    settings: Settings, lacks: bool, behind: bool, told: int
) -> None:
    """An answer about a lake that has not changed since is as good as a new one."""
    with penstock.open(settings.data) as lake:
        answer = lake.report("traffic", since=NOW.date(), until=NOW.date())
    asked = state.read("/", [], Site({}, "UTC", NOW.date(), NOW + timedelta(minutes=60)))
    found = {
        name: replace(answer, as_of=NOW + timedelta(minutes=late), lacks=lacks) for name, late in (("a", 5), ("b", 9))
    }
    shown = Shown(asked, found, behind=behind)
    assert shown.as_of == NOW + timedelta(minutes=told)
    assert Shown(asked, {}).as_of is None
