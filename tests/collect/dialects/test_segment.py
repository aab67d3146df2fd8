"""What Segment's libraries post, shaped as they do → one record per message and `{"success":true}`."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from penstock.collect.keys import Source

KEY = "wk-of-the-shop"
BASIC = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Chrome/131.0.0.0"

# a server library: one batch, the key as the user of basic authentication
SERVER_CONTEXT = {
    "ip": "198.51.100.7",
    "userAgent": "Shop/1.0",
    "library": {"name": "a-server-library", "version": "2"},
}
SERVER_BATCH = {
    "batch": [
        {"type": "identify", "userId": "u1", "anonymousId": "a1", "messageId": "m1", "traits": {"plan": "pro"}},
        {"type": "track", "event": "Order Completed", "userId": "u1", "anonymousId": None, "messageId": "m2"},
        {"type": "page", "name": "Home", "category": None, "messageId": "m3", "properties": {"path": "/"}},
        {"type": "screen", "name": "Cart", "messageId": "m4"},
        {"type": "group", "groupId": "g1", "messageId": "m5", "traits": {}},
        {"type": "alias", "previousId": "a1", "userId": "u1", "messageId": "m6"},
    ],
    "sentAt": "2026-02-01T11:59:59.000Z",
}
for message in SERVER_BATCH["batch"]:
    message |= {"timestamp": "2026-02-01T11:59:58.678+00:00", "integrations": {}, "context": SERVER_CONTEXT}

# a browser library: one message, the key also inside it, as text/plain so that no preflight is needed
BROWSER_PAGE = {
    "timestamp": "2026-02-01T11:59:58.790Z",
    "integrations": {},
    "type": "page",
    "properties": {
        "path": "/p",
        "referrer": "",
        "search": "?utm_source=news",
        "title": "P",
        "url": "https://shop.example/p",
    },
    "context": {
        "page": {"path": "/p", "title": "P", "url": "https://shop.example/p"},
        "userAgent": BROWSER,
        "userAgentData": {"brands": [{"brand": "Chromium", "version": "131"}], "mobile": False},
        "locale": "en-US",
        "campaign": {"source": "news"},
    },
    "messageId": "ajs-1",
    "anonymousId": "a1",
    "writeKey": KEY,
    "userId": None,
    "sentAt": "2026-02-01T11:59:59.880Z",
    "_metadata": {"bundled": [], "unbundled": []},
}
BROWSER_HEADERS = {"content_type": "text/plain", "user_agent": BROWSER, "origin": "https://shop.example"}


@pytest.fixture(scope="module")
def shop(sender_for: Callable[..., Any]) -> Any:
    return sender_for(Source("shop", KEY))


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/batch/", "/v1/b"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "auth", [{"authorization": BASIC}, {"query": f"writeKey={KEY}"}, {"body_key": KEY}], ids=["basic", "query", "body"]
)
def test_a_batch(shop: Any, path: str, pack: Callable[[bytes], bytes], auth: dict[str, str]) -> None:
    auth = dict(auth)
    key = auth.pop("body_key", None)
    body = pack(json.dumps(SERVER_BATCH | ({"writeKey": key} if key else {})).encode())
    encoding = {"content_encoding": "gzip"} if pack is gzip.compress else {}
    intake = shop(body, path, content_type="application/json", **encoding, **auth)
    assert (intake.reply.status, intake.reply.body) == (200, b'{"success":true}')
    lines = [json.loads(record.data) for record in intake.records]
    assert [line["event"] for line in lines] == SERVER_BATCH["batch"]
    assert {(line["dialect"], line["source"], line["sent_ts"]) for line in lines} == {
        ("segment", "shop", "2026-02-01T11:59:59.000Z")
    }
    assert not [line for line in lines if "event_id" in line or "reason" in line]


@pytest.mark.parametrize("path", [f"/v1/{name}" for name in ("track", "page", "screen", "identify", "group", "alias")])
@pytest.mark.parametrize("short", [False, True])
def test_a_message_on_a_route_of_its_own(shop: Any, path: str, short: bool) -> None:
    intake = shop(json.dumps(BROWSER_PAGE), path[:5] if short else path, **BROWSER_HEADERS)
    assert (intake.reply.status, intake.reply.body) == (200, b'{"success":true}')
    (line,) = [json.loads(record.data) for record in intake.records]
    assert (line["dialect"], line["source"], line["user_agent"]) == ("segment", "shop", BROWSER)
    assert line["event"] == BROWSER_PAGE
    assert intake.records[0].key == "a1"


def test_a_browser_batch_with_the_key_inside(shop: Any) -> None:
    body = json.dumps({"writeKey": KEY, "batch": [BROWSER_PAGE, BROWSER_PAGE | {"messageId": "ajs-2"}]})
    lines = shop.lines(body, "/v1/b", **BROWSER_HEADERS)
    assert [line["event"]["messageId"] for line in lines] == ["ajs-1", "ajs-2"]


def test_a_message_without_an_id_gets_one(shop: Any) -> None:
    (line,) = shop.lines('{"type":"track","event":"x"}', "/v1/t", authorization=BASIC)
    assert line["event_id"].startswith("made-")


@pytest.mark.parametrize("sent_at", [1_769_947_199, None, True, {"a": 1}])
def test_a_time_of_sending_that_is_no_text_costs_nothing(post: Any, sent_at: object) -> None:
    (line,) = post.lines(json.dumps({"batch": [{"type": "track"}], "sentAt": sent_at}), "/v1/batch")
    assert "sent_ts" not in line


def test_a_bad_message_costs_no_neighbour(post: Any) -> None:
    body = b'{"batch":[{"messageId":"a"},5,{"t":"\\ud83d"},{"n":NaN},{"messageId":"b"}],"sentAt":"2026-02-01"}'
    intake = post(body, "/v1/batch")
    lines = [json.loads(record.data) for record in intake.records]
    assert intake.reply.body == b'{"success":true}'
    assert [line.get("reason") for line in lines] == [None, "not_an_object", "malformed_json", "malformed_json", None]
    assert {line["sent_ts"] for line in lines} == {"2026-02-01"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "empty_body"),
        (b" \n", 400, "empty_body"),
        (b"[]", 400, "malformed_json"),
        (b'"x"', 400, "malformed_json"),
        (b'{"batch":{}}', 400, "malformed_json"),
        (b'{"batch":"x"}', 400, "malformed_json"),
        (b'{"batch":[1', 400, "malformed_json"),
        (b'{"batch":[NaN]}', 400, "malformed_json"),
        (b'{"batch":[{}],"sentAt":NaN}', 400, "malformed_json"),
        (b'{"messageId":NaN}', 400, "malformed_json"),
        (b'{"batch":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "too_deep"),
        (b'{"batch":[{}],"sentAt":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "too_deep"),
        (b'{"batch":[' + b",".join([b"{}"] * 2501) + b"]}", 413, "too_many_events"),
    ],
)
def test_envelopes_that_cannot_be_read(post: Any, body: bytes, status: int, code: str) -> None:
    assert post.error(body, "/v1/batch") == (status, code)


def test_a_library_sends_at_most_2500(post: Any) -> None:
    assert len(post(b'{"batch":[' + b",".join([b"{}"] * 2500) + b"]}", "/v1/batch").records) == 2500
