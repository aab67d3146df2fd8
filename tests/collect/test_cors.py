"""Any page may send: origin and asked-for headers are echoed, never listed, on errors too."""

from __future__ import annotations

from typing import Any

import pytest

ORIGIN = "https://www.shop.example:8443"

ASKED = [
    "authorization",
    "authorization,x-retry-count",
    "anonymousid,authorization,content-type,sentat",
    "anonymousid,authorization,content-type,rsa-retry-attempt,rsa-retry-reason,rsa-since-first-attempt,"
    "rsa-since-last-attempt,sentat",
    "content-type",
    "content-type,x-umami-cache",
    "content-type,sp-anonymous",
    "x-write-key,content-encoding",
]


@pytest.mark.parametrize("path", ["/v1/events", "/v1/b", "/v1/p", "/v1/batch"])
@pytest.mark.parametrize("asked", ASKED)
def test_preflight(post: Any, path: str, asked: str) -> None:
    intake = post(
        "",
        path,
        method="OPTIONS",
        origin=ORIGIN,
        access_control_request_method="POST",
        access_control_request_headers=asked,
    )
    headers = dict(intake.reply.headers)
    assert (intake.reply.status, intake.reply.body, intake.records) == (200, b"", [])
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["access-control-allow-headers"] == asked
    assert "POST" in headers["access-control-allow-methods"]
    assert int(headers["access-control-max-age"]) >= 600
    assert headers["vary"] == "origin"


def test_a_preflight_that_asks_for_no_headers(post: Any) -> None:
    headers = dict(post("", method="OPTIONS", origin=ORIGIN).reply.headers)
    assert headers["access-control-allow-headers"] == "content-type"


@pytest.mark.parametrize("origin", [ORIGIN, "null", "https://evil.example"])
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/events", "{}", 200),
        ("POST", "/v1/events", "", 400),
        ("GET", "/v1/events", "", 405),
        ("POST", "/elsewhere", "{}", 404),
        ("POST", "/v1/events", " " * (1 << 20) + "{}", 413),
    ],
)
def test_every_answer_echoes_the_origin(post: Any, origin: str, method: str, path: str, body: str, status: int) -> None:
    reply = post(body, path, method=method, origin=origin).reply
    headers = dict(reply.headers)
    assert reply.status == status
    assert headers["access-control-allow-origin"] == origin
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["vary"] == "origin"


def test_without_an_origin_nothing_is_allowed(post: Any) -> None:
    assert not [name for name, _ in post("{}").reply.headers if name.startswith("access-control")]
