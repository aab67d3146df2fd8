"""The login, its cookie, its limit, and the password of a shared page."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest

from dashboard_in_hand import HERE, PASSWORD, DashboardInHand
from penstock.dashboard.access.attempts import PER_PEER, WITHIN
from penstock.dashboard.access.tokens import new_share

OURS = {"origin": HERE}


def test_the_right_password_leads_back(locked: DashboardInHand) -> None:
    client = locked.client(headers=OURS)
    to = client.get("/events?source=a%26b&page~=/c/*").headers["location"]
    assert 'type="password"' in client.get(to).text
    answer = client.post(to, data={"password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/events?source=a%26b&page~=/c/*")
    assert answer.headers["cache-control"] == "no-store"
    assert client.get("/events").json()["kind"] == "owner"


@pytest.mark.parametrize("to", ["//evil.test", "https://evil.test", "/\\evil.test", "/%09/evil.test", "javascript:x"])
def test_it_leads_nowhere_else(locked: DashboardInHand, to: str) -> None:
    answer = locked.client().post(f"/login?next={to}", data={"password": PASSWORD}, headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    ("base", "peer", "name", "secure"),
    [
        (HERE, "127.0.0.1", "penstock", False),
        ("https://stats.test", "127.0.0.1", "__Host-penstock", True),
        ("https://stats.test", "203.0.113.5", "__Host-penstock", True),
    ],
)
def test_its_cookie(locked: DashboardInHand, base: str, peer: str, name: str, secure: bool) -> None:
    answer = locked.client(base, peer=peer, headers={"origin": base}).post("/login", data={"password": PASSWORD})
    [cookie] = SimpleCookie(answer.headers["set-cookie"]).values()
    assert cookie.key == name
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "lax", "/", "")
    assert bool(cookie["secure"]) is secure
    assert int(cookie["max-age"]) == 30 * 86400


def test_a_proxy_that_took_the_tls_off(locked: DashboardInHand) -> None:
    headers = {"origin": "https://stats.test", "host": "stats.test"}
    answer = locked.client().post("/login", data={"password": PASSWORD}, headers=headers)
    assert answer.headers["set-cookie"].startswith("__Host-penstock=")


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " ", PASSWORD.upper(), "\x00", "é" * 300, "x" * 100_000])
def test_a_wrong_password_is_403_without_a_cookie(locked: DashboardInHand, password: str) -> None:
    answer = locked.client().post("/login", data={"password": password}, headers=OURS)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "xxx" not in answer.text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/x-www-form-urlencoded", 403),
        (b"password=%ff", "application/x-www-form-urlencoded", 400),
        (b"\xff=1", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 1000, "application/x-www-form-urlencoded", 400),
        (b"a" * 200_000, "application/x-www-form-urlencoded", 413),
        (b'{"password": "x"}', "application/json", 415),
        (b"x", "", 415),
    ],
)
def test_what_is_no_form(locked: DashboardInHand, content: bytes, kind: str, status: int) -> None:
    answer = locked.client().post("/login", content=content, headers=OURS | {"content-type": kind})
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("headers", [{"origin": "http://evil.test"}, {"sec-fetch-site": "cross-site"}])
def test_no_other_site_logs_anybody_in(locked: DashboardInHand, headers: dict[str, str]) -> None:
    assert locked.client().post("/login", data={"password": PASSWORD}, headers=headers).status_code == 403


def test_a_thousand_tries_are_429(locked: DashboardInHand) -> None:
    client = locked.client(headers=OURS)
    with client:  # one event loop for all of them
        tried = [client.post("/login", data={"password": "guess"}) for _ in range(1000)]
    assert [answer.status_code for answer in tried] == [403] * PER_PEER + [429] * (1000 - PER_PEER)
    assert int(tried[-1].headers["retry-after"]) == WITHIN.total_seconds()
    assert client.post("/login", data={"password": PASSWORD}).status_code == 429
    assert (
        locked.client(peer="203.0.113.5", headers=OURS).post("/login", data={"password": PASSWORD}).status_code == 303
    )
    locked.clock.tick(WITHIN.total_seconds())
    assert client.post("/login", data={"password": PASSWORD}).status_code == 303


def test_who_knew_it_starts_anew(locked: DashboardInHand) -> None:
    client = locked.client(headers=OURS)
    for password in ["guess"] * (PER_PEER - 1) + [PASSWORD]:
        assert client.post("/login", data={"password": password}).status_code in (403, 303)
    assert locked.client(headers=OURS).post("/login", data={"password": "guess"}).status_code == 403


def test_what_is_forwarded_by_strangers_is_not_another_peer(locked: DashboardInHand) -> None:
    client = locked.client(headers=OURS)
    tried = [
        client.post("/login", data={"password": "guess"}, headers={"x-forwarded-for": f"1.1.1.{number}"}).status_code
        for number in range(PER_PEER + 1)
    ]
    assert tried[-1] == 429


def test_a_login_lasts_so_long(locked: DashboardInHand) -> None:
    client = locked.logged_in()
    cookie = {"cookie": f"penstock={client.cookies['penstock']}"}
    locked.clock.tick(30 * 86400 - 1)
    assert locked.client().get("/events", headers=cookie).status_code == 200
    locked.clock.tick(1)
    assert locked.client().get("/events", headers=cookie).status_code == 303


def test_after_a_logout_a_copied_cookie_is_worth_nothing(locked: DashboardInHand) -> None:
    client = locked.logged_in()
    copied = {"cookie": f"penstock={client.cookies['penstock']}"}
    assert locked.client().get("/events", headers=copied).status_code == 200
    answer = client.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert client.cookies == {}
    assert locked.client().get("/events", headers=copied).status_code == 303
    assert locked.logged_in().get("/events").status_code == 200


def test_nobody_else_logs_the_owner_out(locked: DashboardInHand) -> None:
    client = locked.logged_in()
    assert client.post("/logout", headers={"origin": "http://evil.test"}).status_code == 403
    assert locked.client().post("/logout").status_code == 401
    assert client.get("/logout").json()["path"] == "/logout"  # no page of ours: a link changes nothing
    assert client.get("/events").status_code == 200


@pytest.mark.parametrize("hostile", ['"><script>alert(1)</script>', "'onfocus=alert(1)", "{{ 7 * 7 }}"])
def test_what_a_link_says_is_text(locked: DashboardInHand, hostile: str) -> None:
    page = locked.client().get("/login", params={"next": f"/events?q={hostile}"}).text
    assert "<script" not in page and "onfocus=alert" not in page.replace("%27onfocus%3D", "") and "49" not in page


# shared pages with a password


@pytest.fixture
def link(locked: DashboardInHand) -> str:
    told = {"name": "board", "page": "events", "query": "source=a", "password": "open sesame"}
    return "/share/" + new_share(locked.saved, told, locked.clock())


def test_a_share_with_a_password(locked: DashboardInHand, link: str) -> None:
    client = locked.client(headers=OURS)
    assert 'type="password"' in client.get(link).text
    assert client.get(f"{link}/api/events.json").status_code == 401
    assert client.get(f"{link}/export/events/top.csv").status_code == 401
    assert client.post(link, data={"password": PASSWORD}).status_code == 403  # the owner's is another
    answer = client.post(f"{link}?theme=dark", data={"password": "open sesame"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{link}?theme=dark")
    assert client.get(link).json()["kind"] == "share"
    assert client.get(f"{link}/api/events.json").status_code == 200
    assert client.get("/events").status_code == 303
    assert client.post(link, data={"password": "open sesame"}).status_code == 403


def test_the_cookie_of_one_share_opens_no_other(locked: DashboardInHand, link: str) -> None:
    told = {"name": "other", "page": "overview", "password": "open sesame"}
    other = "/share/" + new_share(locked.saved, told, locked.clock())
    client = locked.client(headers=OURS)
    client.post(link, data={"password": "open sesame"})
    [cookie] = client.cookies.values()
    for name in ("penstock", "penstock-share-1", "penstock-share-2", "__Host-penstock-share-2"):
        told_cookie = {"cookie": f"{name}={cookie}"}
        assert 'type="password"' in locked.client().get(other, headers=told_cookie).text
        assert locked.client().get("/events", headers=told_cookie).status_code == 303


def test_guesses_of_a_shares_password_are_counted_too(locked: DashboardInHand, link: str) -> None:
    client = locked.client(headers=OURS)
    tried = [client.post(link, data={"password": "guess"}).status_code for _ in range(PER_PEER + 1)]
    assert tried == [403] * PER_PEER + [429]
