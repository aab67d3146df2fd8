"""Every request through the middleware: attacks, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from dashboard_in_hand import HERE, PASSWORD, DashboardInHand, cheap
from penstock.dashboard.access import signed
from penstock.dashboard.access.tokens import new_share, new_token

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


# names


@pytest.mark.parametrize("path", ["/", "/login", "/static/style.css", "/api/overview.json", "/share/x", "/live"])
@pytest.mark.parametrize("host", ["evil.test", "evil.test:8788", "127.0.0.1.nip.io", ""])
def test_another_name_is_421(open_dashboard: DashboardInHand, host: str, path: str) -> None:
    answer = open_dashboard.client().get(path, headers={"host": host})
    assert answer.status_code == 421
    assert "evil" not in answer.text


def test_a_host_that_is_said_twice_is_none(open_dashboard: DashboardInHand) -> None:
    answer = open_dashboard.client().get("/", headers=[("host", "127.0.0.1:8788"), ("host", "evil.test")])
    assert answer.status_code == 421


def test_names_of_the_settings_are_known(locked: DashboardInHand) -> None:
    assert locked.client("https://stats.test").get("/login").status_code == 200


# headers


@pytest.mark.parametrize("path", ["/", "/events", "/nothing", "/static/style.css", "/login", "/share/none", "/broken"])
@pytest.mark.parametrize("host", ["127.0.0.1:8788", "evil.test"])
def test_every_answer_has_its_headers(open_dashboard: DashboardInHand, path: str, host: str) -> None:
    client = open_dashboard.client(raise_server_exceptions=False)
    answer = client.get(path, headers={"host": host, "origin": "http://evil.test"})
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "a secret of ours" not in answer.text


def test_what_a_page_says_of_caching_stays(open_dashboard: DashboardInHand) -> None:
    client = open_dashboard.client()
    assert "immutable" in client.get("/static/style.css").headers["cache-control"]
    assert client.get("/events").headers["cache-control"] == "private, no-cache"


# open on this machine


def test_on_this_machine_there_is_no_login(open_dashboard: DashboardInHand) -> None:
    client = open_dashboard.client()
    assert client.get("/events?source=a").json() == {
        "kind": "owner", "name": "", "base": "", "embed": False, "path": "/events", "query": "source=a"
    }  # fmt: skip
    assert client.post("/x").json()["kind"] == "owner"
    assert client.get("/login?next=/events").headers["location"] == "/events"


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "via", "x-forwarded-host"])
def test_behind_a_proxy_it_is_not_open(open_dashboard: DashboardInHand, header: str) -> None:
    assert open_dashboard.client().get("/", headers={header: "203.0.113.5"}).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://127.0.0.1:9999", "http://localhost:8788"])
def test_other_sites_change_nothing_though_it_is_open(open_dashboard: DashboardInHand, origin: str) -> None:
    assert open_dashboard.client().post("/saved/segments", headers={"origin": origin}).status_code == 403


# not logged in


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/", "/login?next=%2F"),
        ("/events?source=a&page!=/b", "/login?next=%2Fevents%3Fsource%3Da%26page%21%3D%2Fb"),
        ("/.env", "/login?next=%2F.env"),
        ("/metrics", "/login?next=%2Fmetrics"),
        ("/docs", "/login?next=%2Fdocs"),
        ("/static/../settings", "/login?next=%2Fsettings"),
        ("/static/%2e%2e/settings", "/login?next=%2Fstatic%2F..%2Fsettings"),
        ("/export/overview/top.csv", "/login?next=%2Fexport%2Foverview%2Ftop.csv"),
    ],
)
def test_pages_lead_to_the_login_and_keep_the_url(locked: DashboardInHand, path: str, to: str) -> None:
    answer = locked.client().get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, to)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/api/overview.json", {}),
        ("GET", "/api/shares", {}),
        ("GET", "/live", {}),
        ("GET", "/events", {"sec-fetch-dest": "empty"}),
        ("POST", "/saved/segments", {}),
        ("POST", "/api/annotations", {}),
        ("DELETE", "/api/saved/segments/1", {}),
        ("POST", "/logout", {}),
        ("TRACE", "/", {}),
        ("OPTIONS", "/api/overview.json", {}),
    ],
)
def test_the_rest_is_401(locked: DashboardInHand, method: str, path: str, headers: dict[str, str]) -> None:
    answer = locked.client().request(method, path, headers=headers)
    assert answer.status_code == 401
    if path.startswith("/api/"):
        assert answer.json()["error"] == "not_logged_in"


@pytest.mark.parametrize("path", ["/login", "/static/style.css", "/health"])
def test_these_are_for_everybody(locked: DashboardInHand, path: str) -> None:
    assert locked.client().get(path).status_code == 200


def cookies(dashboard: DashboardInHand) -> dict[str, str]:
    """Of whoever has none: what he might try."""
    key, stored, now = dashboard.rules.key.current(), dashboard.rules.settings.password or "", dashboard.clock()
    good = dashboard.rules.owner_cookie()
    day = timedelta(days=1)
    return {
        "cut": good[:-2],
        "another signature": good[:-3] + "AAA",
        "longer": f"owner.{int((now + 100 * day).timestamp())}.{good.split('.')[2]}",
        "over": signed.sign(key, "owner", now - day, stored),
        "another key": signed.sign(b"a default" * 4, "owner", now + day, stored),
        "no key": signed.sign(b"", "owner", now + day, stored),
        "another password": signed.sign(key, "owner", now + day, cheap("of last year")),
        "a share's": signed.sign(key, "share-1", now + day, stored),
        "alg none": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJvd25lciJ9.",
    }


@pytest.mark.parametrize("name", ["penstock", "__Host-penstock"])
def test_forged_cookies_open_nothing(locked: DashboardInHand, name: str) -> None:
    client = locked.client()
    found = {
        what: client.get("/events", headers={"cookie": f"{name}={cookie}"}).status_code
        for what, cookie in cookies(locked).items()
    }
    assert found == dict.fromkeys(cookies(locked), 303)
    good = {"cookie": f"{name}={locked.rules.owner_cookie()}"}
    assert client.get("/events", headers=good).status_code == 200


def test_over_tls_only_the_strict_cookie_counts(locked: DashboardInHand) -> None:
    client, cookie = locked.client("https://stats.test"), locked.rules.owner_cookie()
    assert client.get("/events", headers={"cookie": f"penstock={cookie}"}).status_code == 303
    assert client.get("/events", headers={"cookie": f"__Host-penstock={cookie}"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": HERE}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": HERE}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({}, 403),
    ],
)
def test_with_a_cookie_only_our_own_pages_change_things(
    locked: DashboardInHand, headers: dict[str, str], status: int
) -> None:
    cookie = {"cookie": f"penstock={locked.rules.owner_cookie()}"}
    assert locked.client().post("/anything", headers=headers | cookie).status_code == status


# a proxy that names the user


@pytest.mark.parametrize(
    ("peer", "header", "status"),
    [
        ("10.0.0.2", {"remote-user": "ada"}, 200),
        ("10.0.0.2", {}, 403),
        ("10.0.0.3", {"remote-user": "ada"}, 403),
        ("203.0.113.5", {"remote-user": "ada"}, 403),
        ("203.0.113.5", {"remote-user": "ada", "x-forwarded-for": "10.0.0.2"}, 403),
    ],
)
def test_only_the_named_proxy_names_users(
    make_dashboard: Callable[..., DashboardInHand], peer: str, header: dict[str, str], status: int
) -> None:
    dashboard = make_dashboard(host="0.0.0.0", proxies=["10.0.0.2"], trusted_proxy_header="Remote-User")
    client = dashboard.client(peer=peer)
    answer = client.get("/events", headers=header)
    assert answer.status_code == status
    assert client.post("/login", data={"password": ""}, headers=header | {"origin": HERE}).status_code in (303, 403)
    if status == 200:
        assert answer.json()["name"] == "ada"
        assert client.post("/x", headers=header).status_code == 403  # it may be another site's


def test_where_only_the_proxy_names_users_no_cookie_counts(make_dashboard: Callable[..., DashboardInHand]) -> None:
    dashboard = make_dashboard(proxies=["10.0.0.2"], trusted_proxy_header="Remote-User")
    cookie = {"cookie": f"penstock={dashboard.rules.owner_cookie()}"}
    assert dashboard.client().get("/events", headers=cookie).status_code == 403


# tokens


@pytest.mark.parametrize(
    ("may", "method", "path", "status"),
    [
        ("read", "GET", "/api/overview.json", 200),
        ("read", "HEAD", "/api/overview.json", 200),
        ("read", "POST", "/api/overview.json", 403),
        ("read", "POST", "/api/annotations", 403),
        ("read", "DELETE", "/api/saved/segments/1", 403),
        ("read", "GET", "/api/saved/tokens", 403),
        ("read", "GET", "/api/anything", 403),
        ("read", "GET", "/", 303),
        ("read", "GET", "/events", 303),
        ("read", "GET", "/settings", 303),
        ("read", "GET", "/export/overview/top.csv", 303),
        ("read", "GET", "/live", 401),
        ("read", "POST", "/logout", 401),
        ("read", "POST", "/saved/tokens", 401),
        ("annotate", "POST", "/api/annotations", 201),
        ("annotate", "GET", "/api/annotations", 403),
        ("annotate", "GET", "/api/overview.json", 403),
        ("annotate", "DELETE", "/api/saved/annotations/1", 403),
        ("annotate", "POST", "/api/saved/tokens", 403),
        ("annotate", "POST", "/api/anything", 403),
        ("annotate", "POST", "/saved/annotations", 401),
    ],
)
def test_what_a_token_may(locked: DashboardInHand, may: str, method: str, path: str, status: int) -> None:
    token = new_token(locked.saved, "a program", may, locked.clock())
    headers = {"authorization": f"Bearer {token}"}
    body = {"json": {"text": "v1.2"}} if method == "POST" else {}
    assert locked.client().request(method, path, headers=headers, **body).status_code == status


def test_tokens_that_are_none(locked: DashboardInHand) -> None:
    token = new_token(locked.saved, "a program", "read", locked.clock())
    [row] = (locked.client().get("/api/x.json", headers={"authorization": f"bearer {token}"}).json(),)
    assert row["kind"] == "token"
    for wrong in (token[:-1], token + "a", token.swapcase(), "pst_", "a-write-key", "", "none"):
        answer = locked.client().get("/api/x.json", headers={"authorization": f"Bearer {wrong}"})
        assert answer.status_code == 401, wrong


def test_the_file_knows_no_secret(locked: DashboardInHand) -> None:
    token = new_token(locked.saved, "a program", "read", locked.clock())
    share = new_share(locked.saved, {"name": "n", "page": "events", "password": "open sesame"}, locked.clock())
    locked.close()
    written = b"".join(path.read_bytes() for path in locked.settings.saved_path.parent.iterdir())
    assert [secret for secret in (token, share, "open sesame", PASSWORD) if secret.encode() in written] == []


def test_who_cannot_be_looked_up_is_not_let_in(locked: DashboardInHand) -> None:
    locked.settings.data.mkdir()
    locked.settings.saved_path.write_bytes(b"no database" * 200)
    client = locked.client()
    assert client.get("/api/x.json", headers={"authorization": "Bearer pst_x"}).status_code == 503
    assert client.get("/share/x").headers["content-security-policy"] == POLICY
    assert locked.logged_in().get("/events").status_code == 200


# shared pages


@pytest.fixture
def link(locked: DashboardInHand) -> str:
    told = {"name": "for the board", "page": "events", "query": "period=28d&source=linkedin", "days": "7"}
    return "/share/" + new_share(locked.saved, told, locked.clock())


def test_a_share_is_one_page_as_it_was_shared(locked: DashboardInHand, link: str) -> None:
    told = locked.client().get(f"{link}?source=google&period=all&page=/secret&theme=dark").json()
    assert told["kind"] == "share"
    assert (told["path"], told["query"]) == ("/events", "period=28d&source=linkedin&theme=dark")
    assert told["base"] == link


@pytest.mark.parametrize(
    ("method", "rest", "status"),
    [
        ("GET", "", 200),
        ("HEAD", "", 200),
        ("GET", "/api/events.json", 200),
        ("GET", "/export/events/by-type.csv", 200),
        ("GET", "/export/events/by-type.parquet", 200),
        ("GET", "/", 403),
        ("GET", "/settings", 403),
        ("GET", "/events", 403),
        ("GET", "/api/overview.json", 403),
        ("GET", "/api/saved/tokens", 403),
        ("GET", "/export/sql/result.csv", 403),
        ("GET", "/export/events/a.exe", 403),
        ("GET", "/export/events/..%2f..%2fsettings.csv", 403),
        ("GET", "/%2e%2e/settings", 403),
        ("GET", "//settings", 403),
        ("GET", "/live", 403),
        ("GET", "/api/events.json%0a", 403),
        ("GET", "/logout", 403),
        ("POST", "", 403),
        ("PUT", "", 403),
        ("DELETE", "", 403),
        ("PATCH", "/api/events.json", 403),
        ("POST", "/saved/segments", 403),
        ("DELETE", "/api/saved/segments/1", 403),
        ("OPTIONS", "", 403),
    ],
)
def test_what_a_share_may(locked: DashboardInHand, link: str, method: str, rest: str, status: int) -> None:
    assert locked.client().request(method, link + rest).status_code == status


def test_a_share_opens_nothing_else(locked: DashboardInHand, link: str) -> None:
    client = locked.client()
    assert client.get(link).status_code == 200
    token = link.removeprefix("/share/")
    assert client.get("/events", headers={"authorization": f"Bearer {token}"}).status_code == 303
    assert client.get("/api/events.json", headers={"authorization": f"Bearer {token}"}).status_code == 401
    assert client.get("/events", headers={"referer": HERE + link}).status_code == 303
    assert client.cookies == {}


def test_shares_end(locked: DashboardInHand, link: str) -> None:
    client, token = locked.client(), link.removeprefix("/share/")
    for wrong in ("x", token[:-1], token + "x", token.swapcase(), "%00", "1", "' or 1=1 --"):
        assert client.get(f"/share/{wrong}").status_code == 404, wrong
    locked.clock.tick(7 * 86400 - 1)
    assert client.get(link).status_code == 200
    locked.clock.tick(1)
    assert client.get(link).status_code == 404


def test_a_revoked_share_is_gone_at_once(locked: DashboardInHand, link: str) -> None:
    owner = locked.logged_in()
    [share] = owner.get("/api/saved/shares").json()
    assert owner.post(f"/saved/shares/{share['id']}/delete", data={"back": "/settings"}).status_code == 303
    assert locked.client().get(link).status_code == 404


@pytest.mark.parametrize(("query", "embeds"), [("?embed=1", True), ("", False), ("?embed=0", False)])
def test_embeds_are_for_those_of_the_settings(
    make_dashboard: Callable[..., DashboardInHand], query: str, embeds: bool
) -> None:
    dashboard = make_dashboard(password=cheap(PASSWORD), frame_ancestors=["https://wiki.test", "'self'"])
    token = new_share(dashboard.saved, {"name": "n", "page": "overview"}, dashboard.clock())
    answer = dashboard.client().get(f"/share/{token}{query}")
    assert (answer.json()["path"], answer.json()["embed"]) == ("/", embeds)
    ancestors = answer.headers["content-security-policy"].rpartition("frame-ancestors ")[2]
    assert ancestors == ("https://wiki.test 'self'" if embeds else "'none'")
    assert ("x-frame-options" in answer.headers) is not embeds
    owner = dashboard.logged_in().get("/events?embed=1")
    assert owner.headers["content-security-policy"] == POLICY


def test_without_the_setting_nobody_embeds(locked: DashboardInHand, link: str) -> None:
    assert locked.client().get(f"{link}?embed=1").headers["content-security-policy"] == POLICY
