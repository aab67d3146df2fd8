"""A function behind API Gateway answers as the server does: the same requests go both ways, over real HTTP there."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

import penstock
from penstock import adapters
from penstock.collect import Request
from penstock.collect.tracker import script
from penstock.errors import SettingsError
from penstock.event import BODY_BYTES
from penstock.hosts.awslambda import collect
from penstock.hosts.collector import RunningCollector
from penstock.stream import memory

from .asked import v1, v2
from .conftest import Aws, Context

KEY, OPEN = "key-of-the-shop", "key-of-anybody"
SOURCES = [{"name": "open", "write_key": OPEN}, {"name": "shop", "write_key": KEY, "origins": ["https://shop.example"]}]
EVENT = b'{"event_type":"x","event_id":"e1"}'
TRACK = b'{"type":"track","event":"Order","messageId":"m1","anonymousId":"a"}'
BATCH = b'{"batch":[' + TRACK + b',{"type":"page","messageId":"m2","userId":"u"}],"sentAt":"2026-02-01T12:00:00Z"}'
OF_ITS_CONNECTION = {"date", "server", "connection", "content-length", "transfer-encoding", "keep-alive"}
"""Headers that are the transport's."""


def post(
    body: bytes = EVENT, path: str = "/v1/events", query: str = "writeKey=key-of-anybody", **headers: str
) -> Request:
    return asked("POST", path, query, body, **headers)


def asked(method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Request:
    return Request(method, path, query, {name.replace("_", "-"): value for name, value in headers.items()}, body)


REQUESTS = {
    "event": post(),
    "events": post(b"[" + EVENT + b',{"event_type":"y"},7]'),
    "prefix": post(path="/a/e"),
    "trailing slash": post(path="/v1/events/"),
    "beacon": post(b"", query="page=/post%20one&time=2026-02-01T12:00:00Z&writeKey=key-of-anybody"),
    "text plain": post(content_type="text/plain;charset=UTF-8"),
    "unicode": post('{"event_type":"käuf","t":"\U0001f600\\u0000"}'.encode()),
    "not utf-8": post(b'{"event_type":"\xff"}'),
    "gzip": post(gzip.compress(EVENT), content_encoding="gzip"),
    "gzip unsaid": post(gzip.compress(EVENT)),
    "gzip damaged": post(gzip.compress(EVENT)[:-4], content_encoding="gzip"),
    "gzip only said": post(content_encoding="gzip"),
    "br": post(content_encoding="br"),
    "too large": post(b"[" + b" " * BODY_BYTES + b"]"),
    "bomb": post(gzip.compress(b" " * (9 << 20)), content_encoding="gzip"),
    "event too large": post(b'{"event_type":"x","t":"' + b"x" * 70_000 + b'"}'),
    "one of many too large": post(b"[" + EVENT + b',{"event_type":"x","t":"' + b"x" * 70_000 + b'"}]'),
    "too many": post(b"[" + b",".join([EVENT] * 501) + b"]"),
    "too deep": post(b'{"event_type":"x","t":' + b"[" * 40 + b"]" * 40 + b"}"),
    "empty": post(b""),
    "no JSON": post(b"{"),
    "no object": post(b"7"),
    "track": post(TRACK, "/v1/t"),
    "batch": post(BATCH, "/v1/batch"),
    "key in the body": post(BATCH[:-1] + b',"writeKey":"key-of-anybody"}', "/v1/b", query=""),
    "key in a header": post(query="", x_write_key=OPEN),
    "basic": post(TRACK, "/v1/track", query="", authorization="Basic a2V5LW9mLWFueWJvZHk6"),
    "no key": post(query=""),
    "wrong key": post(query="writeKey=nobody"),
    "other site": post(query=f"writeKey={KEY}", origin="https://other.example"),
    "own site": post(query=f"writeKey={KEY}", origin="https://shop.example"),
    "key in the query twice": post(query="writeKey=key-of-anybody&writeKey=nobody&a=1"),
    "preflight": asked("OPTIONS", "/v1/events", origin="https://a.example", access_control_request_headers="x-a, x-b"),
    "preflight of nobody": asked("OPTIONS", "/v1/events"),
    "get": asked("GET", "/v1/events"),
    "put": asked("PUT", "/v1/events"),
    "nowhere": post(path="/v2/events"),
    "root": asked("GET", "/"),
    "pixel": asked("GET", "/a/pixel.gif", "page=/p&writeKey=key-of-anybody", referer="https://a.example/p"),
    "pixel refused": asked("GET", "/v1/pixel.gif", "page=/p"),
    "pixel unwanted": asked("GET", "/a/pixel.gif", "page=/p&writeKey=key-of-anybody", dnt="1"),
    "tracker": asked("GET", "/analytics.js"),
    "tracker, small": asked("GET", "/a/analytics.js", accept_encoding="gzip, br"),
    "tracker, known": asked("GET", "/a/analytics.js", if_none_match=f'W/"{script().digest}"'),
    "health": asked("GET", "/health"),
    "metrics": asked("GET", "/metrics", x_forwarded_for="203.0.113.9"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningCollector]:
    with penstock.collector(collect={"processes": 1}, sources=SOURCES) as running:
        yield running


@pytest.fixture
def call(aws: Aws, context: Context, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], Any]:
    """A function that knows the sources, without a stream."""
    monkeypatch.setenv("PENSTOCK_SOURCES", json.dumps(SOURCES))
    return lambda event: collect.handler(event, context)


def of_server(running: RunningCollector, request: Request) -> tuple[int, dict[str, str], bytes]:
    url = urlsplit(running.url)
    assert url.hostname
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    query = f"?{request.query}" if request.query else ""
    connection.request(request.method, request.path + query, request.body, dict(request.headers))
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


def of_function(answer: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    body = answer["body"]
    return (
        answer["statusCode"],
        answer["headers"],
        base64.b64decode(body) if answer["isBase64Encoded"] else body.encode(),
    )


def comparable(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], bytes]:
    """Without the transport's headers, and with ids that were made at that moment made alike."""
    status, headers, body = answer
    uuid7 = rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    return status, {n: v for n, v in headers.items() if n not in OF_ITS_CONNECTION}, re.sub(uuid7, b"<id>", body)


@pytest.mark.parametrize("name", REQUESTS)
def test_it_answers_as_the_server(name: str, server: RunningCollector, call: Callable[..., Any]) -> None:
    request = REQUESTS[name]
    expected = comparable(of_server(server, request))
    for event in (
        v2(request),
        v2(request, coded=True),
        v2(request, stage="live"),
        v1(request),
        v1(request, coded=True),
    ):
        assert comparable(of_function(call(event))) == expected


def test_what_goes_both_ways_covers_every_answer(server: RunningCollector) -> None:
    assert {of_server(server, request)[0] for request in REQUESTS.values()} == {
        200, 304, 400, 401, 403, 404, 405, 413, 415,
    }  # fmt: skip


def test_without_a_stream_a_request_is_an_object_that_silver_is_told_of(call: Callable[..., Any], aws: Aws) -> None:
    for _ in range(2):  # a repeated invocation has the same id
        call(v2(post(b"[" + EVENT + b"," + EVENT + b"]")))
    (inbox, size), (key, body) = sorted(aws.objects().items())
    folder = "some/prefix/bronze/year=2026/month=02/day=01/hour=12/minute=00/"
    assert key == f"{folder}request-{Context().aws_request_id}.jsonl.gz"
    assert inbox == "some/prefix/bronze/inbox/" + key.removeprefix("some/prefix/bronze/").replace("/", "!")
    assert int(size) == len(body)
    lines = [json.loads(line) for line in gzip.decompress(body).splitlines()]
    assert [(line["source"], line["event"]) for line in lines] == [("open", json.loads(EVENT))] * 2


def test_a_request_that_brings_nothing_writes_nothing(call: Callable[..., Any], aws: Aws) -> None:
    for name in ("no key", "empty", "preflight", "tracker", "pixel unwanted", "health"):
        call(v2(REQUESTS[name]))
    assert aws.objects() == {}


def test_without_its_bucket_it_asks_to_send_again(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_LAKE", "s3://no-such-bucket")
    status, headers, body = of_function(call(v2(post(origin="https://a.example"))))
    assert (status, headers["retry-after"], json.loads(body)["error"]) == (503, "5", "unavailable")
    assert headers["access-control-allow-origin"] == "https://a.example"


def test_a_stream_is_given_the_records_before_the_answer(aws: Aws, context: Context, monkeypatch: Any) -> None:
    """Any stream that the port knows; one that fails is answered with 503."""
    streams = [memory.open("memory:"), memory.open("memory:", max_bytes=1)]
    monkeypatch.setattr(adapters, "load", lambda port, url: type("M", (), {"open": lambda *_, **__: streams.pop(0)}))
    monkeypatch.setenv("PENSTOCK_STREAM__URL", "kinesis://events")
    monkeypatch.setenv("PENSTOCK_STREAM_ENABLED", "true")
    stream = streams[0]
    assert collect.handler(v2(post()), context)["statusCode"] == 200
    assert len(stream.tail({"memory": 0}).lines) == 1
    collect._stream.cache_clear()
    answer = collect.handler(v2(post()), context)
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "5")
    assert aws.objects() == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PENSTOCK_SOURCES", "["),
        ("PENSTOCK_SOURCES", '[{"name":"a"}]'),
        ("PENSTOCK_SOURCES", '[{"name":"a","write_key":"12345678","typo":1}]'),
        ("PENSTOCK_SOURCES", '[{"name":"a","write_key":"12345678"},{"name":"b","write_key":"12345678"}]'),
        ("PENSTOCK_SOURCES", '[{"name":"a","write_key":"short"}]'),
        ("PENSTOCK_SOURCES", '[{"name":"a b","write_key":"12345678"}]'),
        ("PENSTOCK_LAKE", "file:///lake"),
        ("PENSTOCK_STREAM_ENABLED", "true"),  # and no stream is named
        ("PENSTOCK_COLLECT__PREFIX", "a b"),
    ],
)
def test_an_environment_that_is_wrong_says_so(name: str, value: str, environment: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name.replace("M_ENABLED", "M__URL")):
        collect._collector(), collect._stream()
