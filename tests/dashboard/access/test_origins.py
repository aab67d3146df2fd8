"""Names of ours, requests of other sites, and where a login leads."""

from __future__ import annotations

import pytest

from penstock.dashboard.access.origins import is_from_elsewhere, is_loopback, is_ours, safe_next


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8788",
        "LOCALHOST",
        "127.0.0.1:8788",
        "[::1]:8788",
        "192.168.1.5",
        "Stats.test",
        "stats.test.",
    ],
)
def test_ours(host: str) -> None:
    assert is_ours(host, ["stats.test"])


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.test",
        "evil.test:8788",
        "stats.test.evil.test",
        "evilstats.test",
        "a.stats.test",
        "localhost.evil.test",
        "127.0.0.1.nip.io",
        "127.0.0.1@evil.test",
        "stats.test@evil.test",
        "stats.test, evil.test",
        "stats.test/../evil.test",
        "stats.test:port",
        "stats.test#evil.test",
        "stats.test?evil.test",
        "http://stats.test",
        "[::1",
        "*",
        " stats.test",
        "stats.test\\evil.test",
    ],
)
def test_not_ours(host: str) -> None:
    assert not is_ours(host, ["stats.test"])


@pytest.mark.parametrize(
    ("host", "so"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("192.168.1.5", False),
        ("localhost.evil.test", False),
    ],
)
def test_loopback(host: str, so: bool) -> None:
    assert is_loopback(host) is so


HOST = "stats.test:8788"
ORIGIN = "http://stats.test:8788"


@pytest.mark.parametrize(
    ("method", "headers", "known", "refused"),
    [
        ("POST", {"sec-fetch-site": "same-origin", "origin": ORIGIN}, True, False),
        ("POST", {"sec-fetch-site": "none"}, True, False),
        ("POST", {"origin": ORIGIN}, True, False),
        ("POST", {"origin": "https://stats.test:8788"}, True, False),
        ("POST", {}, False, False),
        ("POST", {}, True, True),
        ("POST", {"sec-fetch-site": "cross-site", "origin": ORIGIN}, True, True),
        ("POST", {"sec-fetch-site": "same-site"}, False, True),
        ("POST", {"sec-fetch-site": "nonsense"}, False, True),
        ("POST", {"origin": "http://evil.test"}, False, True),
        ("POST", {"origin": "null"}, False, True),
        ("POST", {"origin": ""}, False, True),
        ("POST", {"origin": "http://stats.test"}, True, True),
        ("POST", {"origin": "http://stats.test:9999"}, True, True),
        ("POST", {"origin": "http://stats.test:8788.evil.test"}, True, True),
        ("POST", {"origin": "http://stats.test:8788@evil.test"}, True, True),
        ("POST", {"origin": "http://evil.test/http://stats.test:8788"}, True, True),
        ("POST", {"origin": "file://stats.test:8788"}, True, True),
        ("POST", {"origin": "http://[::1"}, True, True),
        ("DELETE", {"origin": "http://evil.test"}, True, True),
        ("PATCH", {}, True, True),
        ("OPTIONS", {"origin": "http://evil.test"}, True, True),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True, False),
        ("GET", {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, True, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, True, True),
        ("GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, True, True),
        ("HEAD", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, True, True),
        (
            "GET",
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "object"},
            True,
            True,
        ),
        ("GET", {"origin": "http://evil.test"}, True, False),
        ("GET", {}, True, False),
    ],
)
def test_requests_of_other_sites(method: str, headers: dict[str, str], known: bool, refused: bool) -> None:
    assert is_from_elsewhere(method, HOST, headers, known=known) is refused


@pytest.mark.parametrize(
    "text", ["/", "/events", "/events?source=a&page!=/b&page~=/c/*", "/?q=https://evil.test", "/a//b", "/a:b", "/%2F/x"]
)
def test_next_stays_here(text: str) -> None:
    assert safe_next(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "events",
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "/\n/evil.test",
        "\t//evil.test",
        " //evil.test",
        "https://evil.test",
        "https:evil.test",
        "HTTPS://evil.test",
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.test@127.0.0.1",
        "/a\r\nSet-Cookie: x=1",
        "/\u2028/evil.test",
        "/login",
        "/login?next=/login",
        "/logout",
        "//[::1",
        "/" + "a" * 9000,
    ],
)
def test_next_leads_nowhere_else(text: str) -> None:
    assert safe_next(text) == "/"
