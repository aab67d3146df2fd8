"""Who may send: where a write key may stand, which one wins, and whom each refusal meets."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from penstock.collect.keys import Source

SHOP, BLOG, OFF = "key-of-the-shop", "key-of-the-blog", "key-that-is-off"
EVENT = '{"event_type":"x"}'


@pytest.fixture(scope="module")
def keyed(sender_for: Callable[..., Any]) -> Any:
    return sender_for(
        Source("shop", SHOP),
        Source("blog", BLOG, origins=("https://blog.example", "https://www.blog.example")),
        Source("old", OFF, enabled=False),
    )


def basic(user: str, password: str = "") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def message(key: object) -> str:
    return json.dumps({"type": "track", "event": "x", "messageId": "m", "writeKey": key})


@pytest.mark.parametrize(
    ("request_", "source"),
    [
        ({"x_write_key": SHOP}, "shop"),
        ({"authorization": basic(SHOP)}, "shop"),
        ({"authorization": basic(SHOP, "ignored")}, "shop"),
        ({"authorization": basic(SHOP).replace("Basic", "basic")}, "shop"),
        ({"authorization": f"Bearer {SHOP}"}, "shop"),
        ({"authorization": f"bearer  {SHOP} "}, "shop"),
        ({"query": f"writeKey={SHOP}"}, "shop"),
        ({"query": f"a=1&write_key={SHOP}"}, "shop"),
        ({"body": message(SHOP), "path": "/v1/t"}, "shop"),
        ({"body": json.dumps({"batch": [], "writeKey": SHOP}), "path": "/v1/batch"}, "shop"),
        ({"body": f'{{"batch":[{EVENT},NaN],"writeKey":"{SHOP}"}}', "path": "/v1/batch"}, "shop"),
        ({"body": "", "query": f"page=/&writeKey={SHOP}"}, "shop"),
        # a header wins over the body, the body over the query
        ({"x_write_key": SHOP, "authorization": basic(OFF)}, "shop"),
        ({"x_write_key": SHOP, "body": message(OFF), "path": "/v1/t"}, "shop"),
        ({"body": message(SHOP), "path": "/v1/t", "query": f"writeKey={OFF}"}, "shop"),
        ({"x_write_key": "", "query": f"writeKey={SHOP}"}, "shop"),
        ({"authorization": basic(""), "body": message(SHOP), "path": "/v1/t"}, "shop"),
        ({"authorization": "Digest x", "query": f"writeKey={SHOP}"}, "shop"),
        ({"x_write_key": BLOG, "origin": "https://blog.example"}, "blog"),
        ({"x_write_key": BLOG, "origin": "https://www.blog.example"}, "blog"),
        ({"x_write_key": SHOP, "origin": "https://anywhere.example"}, "shop"),
    ],
)
def test_allowed(keyed: Any, request_: dict[str, str], source: str) -> None:
    intake = keyed(**{"body": EVENT, **request_})
    assert intake.reply.status == 200
    assert {json.loads(record.data)["source"] for record in intake.records} <= {source}


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({}, 401, "write_key_missing"),
        ({"x_write_key": ""}, 401, "write_key_missing"),
        ({"authorization": ""}, 401, "write_key_missing"),
        ({"authorization": "Basic"}, 401, "write_key_missing"),
        ({"authorization": "Basic !!!"}, 401, "write_key_missing"),
        ({"authorization": "Basic é"}, 401, "write_key_missing"),
        ({"authorization": "Basic " + base64.b64encode(b"\xff:").decode()}, 401, "write_key_missing"),
        ({"authorization": basic("")}, 401, "write_key_missing"),
        ({"authorization": "Bearer"}, 401, "write_key_missing"),
        ({"authorization": f"Digest {SHOP}"}, 401, "write_key_missing"),
        ({"query": "writeKey="}, 401, "write_key_missing"),
        ({"body": message(None), "path": "/v1/t"}, 401, "write_key_missing"),
        ({"body": message(5), "path": "/v1/t"}, 401, "write_key_missing"),
        ({"body": message({"a": SHOP}), "path": "/v1/t"}, 401, "write_key_missing"),
        ({"x_write_key": "unknown"}, 401, "write_key_unknown"),
        ({"x_write_key": SHOP.upper()}, 401, "write_key_unknown"),
        ({"x_write_key": f" {SHOP}"}, 401, "write_key_unknown"),
        ({"x_write_key": "' or 1=1 --"}, 401, "write_key_unknown"),
        ({"x_write_key": "k" * 100_000}, 401, "write_key_unknown"),
        ({"x_write_key": "shop"}, 401, "write_key_unknown"),
        ({"x_write_key": "unknown", "query": f"writeKey={SHOP}"}, 401, "write_key_unknown"),
        ({"x_write_key": OFF}, 401, "write_key_disabled"),
        ({"x_write_key": BLOG}, 403, "origin_not_allowed"),
        ({"x_write_key": BLOG, "origin": "null"}, 403, "origin_not_allowed"),
        ({"x_write_key": BLOG, "origin": "https://evil.example"}, 403, "origin_not_allowed"),
        ({"x_write_key": BLOG, "origin": "https://blog.example.evil.example"}, 403, "origin_not_allowed"),
        ({"x_write_key": BLOG, "origin": "http://blog.example"}, 403, "origin_not_allowed"),
    ],
)
def test_refused(keyed: Any, request_: dict[str, str], status: int, code: str) -> None:
    assert keyed.error(**{"body": EVENT, **request_}) == (status, code)


def test_without_sources_no_key_is_asked_or_looked_at(post: Any) -> None:
    assert [line["source"] for line in post.lines(EVENT, x_write_key="anything")] == ["default"]


def test_a_refusal_can_be_read_by_the_page_that_sent(keyed: Any) -> None:
    reply = keyed(EVENT, x_write_key=BLOG, origin="https://evil.example").reply
    assert ("access-control-allow-origin", "https://evil.example") in reply.headers


def test_a_preflight_needs_no_key(keyed: Any) -> None:
    assert keyed("", method="OPTIONS", origin="https://blog.example").reply.status == 200
