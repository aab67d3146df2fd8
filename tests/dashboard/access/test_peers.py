"""Who is at the other end, and which proxies are believed."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from penstock.dashboard.access import peers

PROXIES = ("127.0.0.1", "10.0.0.0/8")


def headers(*pairs: tuple[str, str]) -> Headers:
    return Headers(raw=[(name.encode(), value.encode()) for name, value in pairs])


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.5", [], "203.0.113.5"),
        ("203.0.113.5", ["1.1.1.1"], "203.0.113.5"),  # it is no proxy of ours, so it may say what it likes
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("127.0.0.1", ["9.9.9.9, 1.1.1.1"], "1.1.1.1"),
        ("127.0.0.1", ["9.9.9.9", "1.1.1.1, 10.1.2.3"], "1.1.1.1"),
        ("127.0.0.1", ["10.0.0.1, 10.0.0.2"], "127.0.0.1"),
        ("::ffff:127.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("127.0.0.1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("127.0.0.1", ["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
        ("127.0.0.1", ["nonsense"], "None"),
        ("127.0.0.1", ["1.1.1.1," * 50 + "2.2.2.2"], "2.2.2.2"),
        (None, ["1.1.1.1"], "None"),
    ],
)
def test_client(peer: str | None, forwarded: list[str], found: str) -> None:
    assert peers.client(peer, headers(*(("x-forwarded-for", line) for line in forwarded)), PROXIES) == found


@pytest.mark.parametrize(
    ("peer", "pairs", "found"),
    [
        ("127.0.0.1", [("remote-user", "ada")], "ada"),
        ("10.9.9.9", [("remote-user", "ada")], "ada"),
        ("192.168.0.9", [("remote-user", "ada")], None),
        ("203.0.113.5", [("remote-user", "ada")], None),
        (None, [("remote-user", "ada")], None),
        ("testclient", [("remote-user", "ada")], None),
        ("127.0.0.1", [], None),
        ("127.0.0.1", [("remote-user", "")], None),
        ("127.0.0.1", [("remote-user", " ")], None),
        ("127.0.0.1", [("remote-user", "ada"), ("remote-user", "eve")], None),
        ("127.0.0.1", [("remote_user", "eve")], None),
    ],
)
def test_user(peer: str | None, pairs: list[tuple[str, str]], found: str | None) -> None:
    assert peers.user(peer, headers(*pairs), PROXIES, "Remote-User") == found


def test_without_the_setting_nobody_is_named() -> None:
    assert peers.user("127.0.0.1", headers(("remote-user", "ada")), PROXIES, None) is None


@pytest.mark.parametrize(
    ("scheme", "peer", "pairs", "so"),
    [
        ("https", None, [], True),
        ("http", "127.0.0.1", [], False),
        ("http", "127.0.0.1", [("x-forwarded-proto", "https")], True),
        ("http", "203.0.113.5", [("x-forwarded-proto", "https")], False),
        ("http", "203.0.113.5", [("origin", "https://stats.test")], True),
        ("http", "203.0.113.5", [("origin", "http://stats.test")], False),
    ],
)
def test_https(scheme: str, peer: str | None, pairs: list[tuple[str, str]], so: bool) -> None:
    assert peers.is_https(scheme, peer, headers(*pairs), PROXIES) is so
