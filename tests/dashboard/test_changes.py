"""Forms and programs that keep things."""

from __future__ import annotations

import html
import re
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from dashboard_in_hand import HERE, PASSWORD, DashboardInHand
from penstock.dashboard.access.tokens import new_token
from penstock.dashboard.saved import KINDS, Annotation, Funnel, SavedQuery, Segment, Share, Token

STATE = "/events?source=a&page!=/b"
HOSTILE = '"><script>alert(1)</script>'
FORMS: list[tuple[str, dict[str, Any]]] = [
    ("segments", {"name": "a", "filters": ["source=a", "", "page!=/b"]}),
    ("annotations", {"at": "2026-11-01", "text": "v1.2"}),
    ("funnels", {"name": "a", "query": "step=page_view:/pricing"}),
    ("queries", {"name": "a", "sql": "select\r\n1", "pinned": ["false", "true"]}),
]


@pytest.fixture
def client(open_dashboard: DashboardInHand) -> TestClient:
    return open_dashboard.client(headers={"origin": HERE})


@pytest.mark.parametrize(("kind", "fields"), FORMS)
def test_a_form_adds_and_leads_back(
    client: TestClient, open_dashboard: DashboardInHand, kind: str, fields: dict[str, Any]
) -> None:
    answer = client.post(f"/saved/{kind}", data=fields | {"back": STATE})
    assert (answer.status_code, answer.headers["location"]) == (303, STATE)
    [row] = open_dashboard.saved.all(KINDS[kind])
    assert client.get(f"/api/saved/{kind}").json() == [msgspec.json.decode(msgspec.json.encode(row.shown()))]
    assert client.post(f"/saved/{kind}/{row.id}/delete", data={"back": STATE}).headers["location"] == STATE
    assert open_dashboard.saved.all(KINDS[kind]) == []


def test_what_forms_say_becomes_values(client: TestClient, open_dashboard: DashboardInHand) -> None:
    for kind, fields in FORMS:
        client.post(f"/saved/{kind}", data=fields)
    assert open_dashboard.saved.all(Segment)[0].filters == ("source=a", "page!=/b")
    [query] = open_dashboard.saved.all(SavedQuery)
    assert (query.sql, query.pinned) == ("select\n1", True)
    client.post(f"/saved/queries/{query.id}", data={"pinned": "false"})
    assert open_dashboard.saved.get(SavedQuery, query.id).pinned is False
    assert open_dashboard.saved.get(SavedQuery, query.id).sql == "select\n1"


def test_a_note_without_a_time_is_of_now(client: TestClient, open_dashboard: DashboardInHand) -> None:
    client.post("/saved/annotations", data={"text": "v1.2", "at": ""})
    assert open_dashboard.saved.all(Annotation)[0].at == "2026-02-01T12:00:00.000Z"


@pytest.mark.parametrize("back", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)"])
def test_a_form_leads_nowhere_else(client: TestClient, back: str) -> None:
    answer = client.post("/saved/funnels", data={"name": "a", "query": "", "back": back})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/saved/funnels", {"name": ""}, 400),
        ("/saved/funnels", {"name": "a", "query": "", "id": "7"}, 400),
        ("/saved/funnels", {"name": "a", HOSTILE: "x"}, 400),
        ("/saved/nonsense", {"name": "a"}, 404),
        ("/saved/funnels/99", {"name": "a"}, 404),
        ("/saved/funnels/99999999999999999999", {"name": "a"}, 404),
        ("/saved/tokens", {"name": "a", "may": "everything"}, 400),
        ("/saved/shares", {"name": "a", "page": "sql"}, 400),
        ("/saved/shares", {"name": "a", "page": "events", "days": "0"}, 400),
        ("/saved/shares", {"name": "a", "page": "events", "days": "99999"}, 400),
        ("/saved/shares", {"name": "a", "page": "events", "days": "-1"}, 400),
        ("/saved/shares", {"name": "a", "page": "events", "password": "x" * 2000}, 400),
        ("/saved/shares/1", {"token": "x"}, 400),
    ],
)
def test_a_form_that_is_wrong_says_why(client: TestClient, path: str, fields: dict[str, Any], status: int) -> None:
    answer = client.post(path, data=fields | {"back": STATE})
    assert answer.status_code == status
    assert f'href="{html.escape(STATE)}"' in answer.text
    assert "<script" not in answer.text
    assert 'role="alert"' in answer.text


def test_a_token_is_shown_once(client: TestClient, open_dashboard: DashboardInHand) -> None:
    answer = client.post("/saved/tokens", data={"name": "ci", "may": "annotate", "back": "/settings"})
    [token] = re.findall(r"pst_[A-Za-z0-9_-]{43}", answer.text)
    assert answer.headers["cache-control"] == "no-store"
    [row] = open_dashboard.saved.all(Token)
    assert client.get("/api/saved/tokens").json() == [
        {"id": 1, "name": "ci", "may": "annotate", "made": "2026-02-01T12:00:00Z"}
    ]
    assert token not in repr(row)
    assert open_dashboard.client().post(
        "/api/annotations", json={"text": "v1.3"}, headers={"authorization": f"Bearer {token}"}
    ).json() == {"id": 2, "at": "2026-02-01T12:00:00.000Z", "text": "v1.3"}


def test_a_link_is_shown_once_and_works(client: TestClient, open_dashboard: DashboardInHand) -> None:
    told = {"name": "board", "page": "overview", "query": "period=28d", "days": "7", "password": "", "back": "/"}
    page = client.post("/saved/shares", data=told).text
    [link] = re.findall(rf"{HERE}(/share/[A-Za-z0-9_-]{{43}})", page)
    assert open_dashboard.client().get(link).json()["query"] == "period=28d"
    [shown] = client.get("/api/saved/shares").json()
    assert shown["expires"] == "2026-02-08T12:00:00Z"
    assert not {"token", "password"} & shown.keys()
    client.post(f"/saved/shares/{shown['id']}", data={"name": "the board"})
    assert open_dashboard.saved.all(Share)[0].name == "the board"
    assert open_dashboard.client().get(link).status_code == 200


# programs


def test_the_same_for_programs(client: TestClient, open_dashboard: DashboardInHand) -> None:
    made = client.post("/api/saved/funnels", json={"name": "a", "query": "x=1"})
    assert (made.status_code, made.json()) == (201, {"id": 1, "name": "a", "query": "x=1"})
    changed = client.patch("/api/saved/funnels/1", json={"name": "b"})
    assert changed.json() == {"id": 1, "name": "b", "query": "x=1"}
    assert client.get("/api/saved/funnels").json() == [changed.json()]
    assert client.delete("/api/saved/funnels/1").status_code == 204
    assert open_dashboard.saved.all(Funnel) == []
    assert client.post("/api/saved/tokens", json={"name": "a", "may": "read"}).json()["token"].startswith("pst_")
    link = client.post("/api/saved/shares", json={"name": "a", "page": "events", "days": 3}).json()["link"]
    assert link.startswith(f"{HERE}/share/")


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("POST", "/api/saved/funnels", b"{", 400, "malformed_json"),
        ("POST", "/api/saved/funnels", b"[]", 400, "malformed_json"),
        ("POST", "/api/saved/funnels", b'{"name": NaN}', 400, "malformed_json"),
        ("POST", "/api/saved/funnels", b"\xff", 400, "malformed_json"),
        ("POST", "/api/saved/funnels", b"[" * 100_000, 400, "malformed_json"),
        ("POST", "/api/saved/funnels", b"{}", 400, "bad_entry"),
        ("POST", "/api/saved/funnels", b'{"name": {}, "query": ""}', 400, "bad_entry"),
        ("POST", "/api/saved/funnels", b" " * 200_000, 413, "too_large"),
        ("POST", "/api/saved/nonsense", b"{}", 404, "not_found"),
        ("POST", "/api/saved/shares", b'{"name": "a", "page": "events", "password": ["x"]}', 400, "bad_entry"),
        ("POST", "/api/saved/tokens", b'{"name": ["a"]}', 400, "bad_entry"),
        ("POST", "/api/annotations", b'{"text": 5}', 400, "bad_entry"),
        ("PATCH", "/api/saved/funnels/1", b'{"name": "b"}', 404, "not_found"),
        ("PATCH", "/api/saved/funnels/1", b'{"id": 2}', 400, "bad_entry"),
        ("GET", "/api/saved/nonsense", b"", 404, "not_found"),
    ],
)
def test_a_program_is_told_what_is_wrong(
    client: TestClient, method: str, path: str, content: bytes, status: int, code: str
) -> None:
    answer = client.request(method, path, content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (status, code)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_json_has_to_say_that_it_is(client: TestClient, kind: str) -> None:
    """Another site can send only these without being asked for leave first."""
    answer = client.post("/api/annotations", content=b'{"text": "a"}', headers={"content-type": kind})
    assert answer.status_code == 415


def test_only_the_owner_changes_things(locked: DashboardInHand) -> None:
    token = new_token(locked.saved, "ci", "annotate", locked.clock())
    headers = {"authorization": f"Bearer {token}"}
    stranger = locked.client()
    for method, path in (
        ("POST", "/saved/funnels"),
        ("POST", "/saved/funnels/1/delete"),
        ("POST", "/api/saved/funnels"),
        ("PATCH", "/api/saved/funnels/1"),
        ("DELETE", "/api/saved/funnels/1"),
        ("GET", "/api/saved/tokens"),
    ):
        assert stranger.request(method, path).status_code == 401, path
        assert stranger.request(method, path, headers=headers).status_code in (401, 403), path
    owner = locked.logged_in()
    assert owner.post("/saved/funnels", data={"name": "a", "query": "", "back": "/funnels"}).status_code == 303
    assert owner.post("/api/annotations", json={"text": "by hand"}).status_code == 201
    assert PASSWORD not in owner.get("/api/saved/tokens").text
