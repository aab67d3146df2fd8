"""What is saved is listed and can be taken back; a note is on the chart, a shared page is that page alone."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from penstock.api import OpenLake
from penstock.dashboard.saved import Saved
from site_in_hand import HOSTILE, Seen, fill, visit


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A lake that this file may write beside."""
    folder: Path = tmp_path_factory.mktemp("own")
    with visit(fill(folder, events=60, files=3)) as client:
        yield client


def save(client: TestClient, kind: str, **told: str) -> str:
    answer = client.post(f"/saved/{kind}", data={"back": "/saved", **told})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def entries(client: TestClient) -> list[str]:
    return [text for text in Seen(client.get("/saved").text).texts if text != "Delete"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_note_is_on_the_chart_as_text(own: TestClient, text: str) -> None:
    save(own, "annotations", at="2026-11-02", text=text)
    assert text in entries(own)
    seen = Seen(own.get("/?from=2026-11-01&to=2026-11-05").text)
    [flag] = [each for _, each in seen.elements if each.get("class") == "note"]
    assert text.replace("\u202e", "") in flag["aria-label"].replace("\u202e", "")
    assert not seen.all("img")
    forms = [each["action"] for each in Seen(own.get("/saved").text).all("form") if each["action"].endswith("/delete")]
    assert own.post(forms[0], data={"back": "/saved"}).status_code == 200
    assert text not in entries(own)


def test_a_segment_filters(own: TestClient) -> None:
    save(own, "segments", name="Social", filters="channel=social")
    [direct] = own.get("/api/overview.json?from=2026-11-01&channel=social").json()["cards"]["totals"]["rows"]
    [saved] = own.get("/api/overview.json?from=2026-11-01&segment=Social").json()["cards"]["totals"]["rows"]
    assert saved == direct
    assert saved["sessions"] > 0


def test_a_shared_page_shows_that_page_and_nothing_else(own: TestClient) -> None:
    told = save(own, "shares", name="For them", page="overview", query="from=2026-11-01&to=2026-11-03&compare=none")
    link = re.search(r"/share/[A-Za-z0-9_-]+", told)
    assert link is not None
    seen = Seen(own.get(link[0]).text)
    wanted = Seen(own.get("/?from=2026-11-01&to=2026-11-03&compare=none").text)
    assert [t for t in seen.texts if t.isdecimal()] and "Visitors" in seen.texts
    assert seen.texts[seen.texts.index("Sessions") + 1] == wanted.texts[wanted.texts.index("Sessions") + 1]
    own_links = {one for one in seen.links if not one.startswith("#")}
    assert {one.removeprefix(link[0]).partition("/")[0] for one in own_links if one.startswith("/share")} <= {""}
    assert not seen.all("form")
    assert not {"Details", "Entry", "≠"} & set(seen.texts) and "Top" in seen.texts  # nothing that leads nowhere
    assert own.get(f"{link[0]}/export/overview/pages.csv").status_code == 200
    for other in ("/details/overview/pages", "/api/events.json", "/sql"):
        assert own.get(link[0] + other).status_code in (403, 404)
    different = Seen(own.get(f"{link[0]}?device=mobile&from=2026-11-02").text)
    assert different.texts[different.texts.index("Sessions") + 1] == seen.texts[seen.texts.index("Sessions") + 1]


def test_a_shared_page_says_of_no_single_session(own: TestClient) -> None:
    told = save(own, "shares", name="Events", page="events", query="from=2026-11-01&to=2026-11-03")
    [link] = set(re.findall(r"/share/[A-Za-z0-9_-]+", told))
    assert "sessions" in own.get("/api/events.json").json()["cards"]
    assert "sessions" not in own.get(f"{link}/api/events.json").json()["cards"]
    assert own.get("/export/events/sessions.csv").status_code == 200
    assert own.get(f"{link}/export/events/sessions.csv").status_code == 404
    assert not [each for each in Seen(own.get(link).text).links if "/session" in each]


def test_why_a_card_failed_is_for_the_owner(own: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever went wrong, it is that of the cards; the page is there."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("cannot open /home/me/lake")

    link = re.findall(r"/share/[A-Za-z0-9_-]+", save(own, "shares", name="Overview", page="overview"))[0]
    monkeypatch.setattr(OpenLake, "report", broken)
    mine, theirs = own.get("/?period=3d"), own.get(link)
    assert (mine.status_code, theirs.status_code) == (200, 200)
    assert "cannot open /home/me/lake" in mine.text
    assert "/home/me" not in theirs.text + own.get(f"{link}/export/overview/pages.csv").text
    assert "Please come back later." in theirs.text


def test_what_cannot_be_read_is_said(own: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.DatabaseError("file is not a database")

    monkeypatch.setattr(Saved, "_read", broken)
    answer = own.get("/saved")
    assert answer.status_code == 503
    assert "dashboard.db cannot be read: file is not a database" in answer.text


def test_a_token_is_shown_once(own: TestClient) -> None:
    told = save(own, "tokens", name="grafana", may="read")
    texts = Seen(told).texts
    secret = texts[texts.index("Copy") - 1]
    assert secret not in own.get("/saved").text
    assert own.get("/api/overview.json", headers={"authorization": f"Bearer {secret}"}).status_code == 200
    assert own.get("/api/overview.json", headers={"authorization": f"Bearer {secret}x"}).status_code == 401
