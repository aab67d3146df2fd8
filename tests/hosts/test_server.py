"""The collector as a real server, over real sockets: what a sender and what a disk can do to it.

Nothing that a sender does is answered with 5xx, and every connection that misbehaves is closed.
"""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import os
import resource
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import penstock
from penstock.errors import Transient
from penstock.event import BODY_BYTES
from penstock.hosts import server as module
from penstock.hosts.collector import RunningCollector
from penstock.pipeline import Pipeline

KEY = "key-of-the-shop"
OPEN_KEY = "key-of-anybody"
SECONDS = 30
"""Longest wait for an answer that must come; the server itself gives a sender one second."""

EVENT = b'{"event_type":"x"}'
CROWD = 300


@pytest.fixture(scope="module")
def server() -> Iterator[RunningCollector]:
    sources = [
        {"name": "open", "write_key": OPEN_KEY},
        {"name": "shop", "write_key": KEY, "origins": ["https://shop.example"]},
    ]
    with penstock.collector(collect={"processes": 1, "receive_seconds": 1}, sources=sources) as running:
        yield running


class Line:
    """One connection, used byte by byte."""

    def __init__(self, server: RunningCollector) -> None:
        url = urlsplit(server.url)
        self.socket = socket.create_connection((url.hostname, url.port), timeout=SECONDS)

    def send(self, data: bytes) -> bool:
        """Whether all was taken; a server may close as soon as it has heard enough."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def read_until_closed(self) -> bytes:
        """All that the server says until it closes; a timeout means that it does not close, and fails the test."""
        heard = b""
        while True:
            try:
                part = self.socket.recv(65536)
            except ConnectionError:
                return heard
            if not part:
                return heard
            heard += part

    def read_reply(self) -> tuple[int, dict[str, str], bytes]:
        reply = http.client.HTTPResponse(self.socket)
        reply.begin()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()


@contextmanager
def line(server: RunningCollector) -> Iterator[Line]:
    opened = Line(server)
    try:
        yield opened
    finally:
        opened.socket.close()


def request(
    body: bytes = EVENT, *headers: str, path: str = "/v1/events", method: str = "POST", key: str = OPEN_KEY
) -> bytes:
    names = [f"{method} {path} HTTP/1.1", "Host: collector", f"X-Write-Key: {key}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*names, *headers, "", ""]).encode("latin-1") + body


def talk(server: RunningCollector, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own → status, headers, body."""
    with line(server) as connection:
        connection.send(data)
        return connection.read_reply()


def statuses(heard: bytes) -> list[int]:
    return [int(part[:3]) for part in heard.split(b"HTTP/1.1 ")[1:]]


def kept(server: RunningCollector) -> list[dict[str, Any]]:
    """Every record that is in the stream."""
    pipeline = Pipeline(server.settings)
    try:
        return [json.loads(text) for text in pipeline.stream.tail({}).lines]
    finally:
        pipeline.close()


def ids_kept(server: RunningCollector, *wanted: str) -> list[str]:
    events = [record["event"] for record in kept(server)]
    return sorted(e["event_id"] for e in events if isinstance(e, dict) and e.get("event_id") in wanted)


# what works


def test_an_acknowledged_event_is_in_the_stream(server: RunningCollector) -> None:
    status, headers, body = talk(server, request(b'{"event_type":"x","event_id":"kept-1"}'))
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body)["events"] == [{"event_id": "kept-1", "status": "accepted"}]
    assert ids_kept(server, "kept-1") == ["kept-1"]


def test_gzip_and_chunks(server: RunningCollector) -> None:
    packed = gzip.compress(b'[{"event_id":"zip-1"},{"event_id":"zip-2"}]')
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(packed[i : i + 9]), packed[i : i + 9]) for i in range(0, len(packed), 9))
    head = f"POST /v1/events?writeKey={OPEN_KEY} HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert talk(server, head + chunks + b"0\r\n\r\n")[0] == 200
    assert ids_kept(server, "zip-1", "zip-2") == ["zip-1", "zip-2"]


def test_large_bodies_of_both_kinds(server: RunningCollector) -> None:
    body = b"[" + b",".join([b'{"a":"' + b"a" * 60_000 + b'"}'] * 17) + b"]"
    body += b" " * (BODY_BYTES - len(body))
    assert talk(server, request(body))[0] == 200
    chunked = request(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    assert talk(server, chunked + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))[0] == 200


def test_pipelined_requests_are_all_answered_in_order(server: RunningCollector) -> None:
    events = [b'{"event_id":"pipe-%02d"}' % number for number in range(50)]
    with line(server) as connection:
        connection.send(b"".join(map(request, events)) + request(b"bad", "Connection: close"))
        heard = connection.read_until_closed()
    assert statuses(heard) == [200] * 50 + [400]
    names = [f"pipe-{number:02d}" for number in range(50)]
    assert [heard.index(name.encode()) for name in names] == sorted(heard.index(name.encode()) for name in names)
    assert ids_kept(server, *names) == names


def test_health(server: RunningCollector) -> None:
    status, headers, body = talk(server, request(b"", path="/health", method="GET"))
    assert (status, json.loads(body)) == (200, {"status": "ok", "version": penstock.__version__})
    assert headers["cache-control"] == "no-store"


def metrics(server: RunningCollector) -> dict[str, float]:
    status, _, body = talk(server, request(b"", path="/metrics", method="GET"))
    assert status == 200
    lines = [text for text in body.decode().splitlines() if text and not text.startswith("#")]
    return {name: float(value) for name, _, value in (text.rpartition(" ") for text in lines)}


def test_metrics_count_what_was_taken_and_what_was_not(server: RunningCollector) -> None:
    before = metrics(server)
    talk(server, request(b"[{},5,{}]"))
    talk(server, request(b'{"a":'))
    after = metrics(server)  # the first request for metrics is in it, that for these is not
    assert {
        name: after[name] - before[name] for name in before if "_total{" in name and after[name] != before[name]
    } == {
        'penstock_events_total{outcome="accepted"}': 2,
        'penstock_events_total{outcome="quarantined"}': 1,
        'penstock_refused_total{code="malformed_json"}': 1,
        'penstock_requests_total{status="200"}': 2,
        'penstock_requests_total{status="400"}': 1,
    }
    assert after["penstock_append_seconds_count"] == before["penstock_append_seconds_count"] + 1


def test_nothing_a_sender_writes_becomes_a_label(server: RunningCollector) -> None:
    names = set(metrics(server))
    talk(server, request(b'{"event_type":"a-new-name"}', "User-Agent: a-new-agent"))
    talk(server, request(path="/a-new-path", method="ANEWVERB"))
    assert set(metrics(server)) == names


def test_metrics_are_not_for_those_behind_a_proxy(server: RunningCollector) -> None:
    assert talk(server, request(b"", "X-Forwarded-For: 203.0.113.9", path="/metrics", method="GET"))[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/events", 405),
        ("PUT", "/v1/events", 405),
        ("DELETE", "/v1/events", 405),
        ("TRACE", "/v1/events", 405),
        ("BREW", "/v1/events", 405),
        ("GET", "/", 404),
        ("GET", "/.env", 404),
        ("GET", "/docs", 404),
        ("POST", "/v1/../v1/events", 404),
        ("POST", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("POST", "//v1/events", 404),
        ("OPTIONS", "*", 404),
        ("POST", "http://elsewhere.example/v1/events", 200),
        ("POST", "/v1/events?%ff=%00&a=%", 200),
        ("POST", "/v1/events?" + "a" * 60_000, 200),
        ("OPTIONS", "/v1/events", 200),
    ],
)
def test_methods_and_paths(server: RunningCollector, method: str, path: str, status: int) -> None:
    assert talk(server, request(EVENT, path=path, method=method))[0] == status


@pytest.mark.parametrize(("path", "status"), [("/v1/events", 405), ("/health", 200), ("/elsewhere", 404)])
def test_head_has_no_body(server: RunningCollector, path: str, status: int) -> None:
    with line(server) as connection:
        connection.send(request(b"", "Connection: close", path=path, method="HEAD"))
        heard = connection.read_until_closed()
    assert statuses(heard) == [status]
    assert heard.endswith(b"\r\n\r\n")


def test_preflight_then_post_as_a_browser_does(server: RunningCollector) -> None:
    origin = "Origin: https://shop.example"
    asked = "authorization,content-type,x-retry-count"
    preflight = f"OPTIONS /v1/b HTTP/1.1\r\nHost: c\r\n{origin}\r\nAccess-Control-Request-Headers: {asked}\r\n\r\n"
    status, headers, _ = talk(server, preflight.encode())
    assert (status, headers["access-control-allow-headers"]) == (200, asked)
    assert headers["access-control-allow-origin"] == "https://shop.example"
    body = b'{"batch":[{"type":"track","event":"x","messageId":"m"}]}'
    status, headers, reply = talk(server, request(body, origin, "Content-Type: text/plain", path="/v1/b", key=KEY))
    assert (status, reply) == (200, b'{"success":true}')
    assert headers["access-control-allow-origin"] == "https://shop.example"


@pytest.mark.parametrize(
    ("key", "origin", "status"),
    [("", "", 401), ("unknown", "", 401), (KEY, "https://evil.example", 403), (KEY, "https://shop.example", 200)],
)
def test_write_keys(server: RunningCollector, key: str, origin: str, status: int) -> None:
    assert talk(server, request(EVENT, f"Origin: {origin}", key=key))[0] == status


# what a sender can do


@pytest.mark.parametrize(
    "header",
    [
        "User-Agent: caf\xe9 \xff",
        "X-Write-Key: \xe9",
        "Authorization: Basic \xe9",
        "Content-Encoding: \xe9",
        "Origin: https://caf\xe9.example",
        "Access-Control-Request-Headers: \xe9",
        "User-Agent: " + "a" * 60_000,
    ],
)
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_headers_of_odd_bytes(server: RunningCollector, header: str, method: str) -> None:
    head = f"{method} /v1/events?writeKey={OPEN_KEY} HTTP/1.1\r\nHost: c\r\nContent-Length: 18\r\n{header}\r\n\r\n"
    assert talk(server, head.encode("latin-1") + EVENT)[0] in (200, 401)


HEAD = f"POST /v1/events?writeKey={OPEN_KEY} HTTP/1.1\r\nHost: c\r\n".encode()

MALFORMED = {
    "two lengths": HEAD + b"Content-Length: 18\r\nContent-Length: 5\r\n\r\n" + EVENT,
    "a list of lengths": HEAD + b"Content-Length: 18, 18\r\n\r\n" + EVENT,
    "a negative length": HEAD + b"Content-Length: -18\r\n\r\n" + EVENT,
    "a length with a plus": HEAD + b"Content-Length: +18\r\n\r\n" + EVENT,
    "an endless length": HEAD + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + EVENT,
    "no length": HEAD + b"Content-Length: \r\n\r\n" + EVENT,
    "chunk that is no number": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + EVENT + b"\r\n0\r\n\r\n",
    "chunk of endless size": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n",
    "unknown transfer encoding": HEAD + b"Transfer-Encoding: gzip\r\n\r\n" + EVENT,
    "folded header": HEAD + b"User-Agent: a\r\n b\r\nContent-Length: 18\r\n\r\n" + EVENT,
    "header without a colon": HEAD + b"Content-Length 18\r\n\r\n" + EVENT,
    "NUL in the path": b"POST /v1/\0 HTTP/1.1\r\nHost: c\r\n\r\n",
    "raw bytes in the path": b"POST /v1/\xff HTTP/1.1\r\nHost: c\r\n\r\n",
    "raw bytes in the query": b"POST /v1/events?a=\xff HTTP/1.1\r\nHost: c\r\n\r\n",
    "HTTP/0.9": b"GET /health\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "10,000 headers": HEAD + b"".join(b"X-%d: 1\r\n" % number for number in range(10_000)) + b"\r\n",
    "a header of a megabyte": HEAD + b"X-Write-Key: " + b"a" * (1 << 20) + b"\r\n\r\n",
    "a URL of a megabyte": b"POST /v1/events?" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: c\r\n\r\n",
    "a URL of 70 KB": b"POST /v1/events?" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: c\r\n\r\n",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_http_is_refused_and_closed(server: RunningCollector, data: bytes) -> None:
    with line(server) as connection:
        connection.send(data)
        heard = connection.read_until_closed()
    assert set(statuses(heard)) <= {400, 413, 414, 431}
    assert talk(server, request())[0] == 200


def test_a_length_that_is_too_short_leaves_a_rest_that_is_no_request(server: RunningCollector) -> None:
    with line(server) as connection:
        connection.send(HEAD + b"Content-Length: 5\r\n\r\n" + EVENT)
        heard = connection.read_until_closed()
    assert set(statuses(heard)) == {400}


def test_a_length_that_is_too_long_is_waited_for_and_closed(server: RunningCollector) -> None:
    with line(server) as connection:
        connection.send(HEAD + b"Content-Length: 500\r\n\r\n" + EVENT)
        heard = connection.read_until_closed()
    assert statuses(heard) == [503]
    assert json.loads(heard.partition(b"\r\n\r\n")[2])["error"] == "unavailable"


@pytest.mark.parametrize("length", [100, BODY_BYTES, 1 << 40])
def test_a_body_byte_by_byte_is_closed(server: RunningCollector, length: int) -> None:
    with line(server) as connection:
        connection.send(HEAD + b"Content-Length: %d\r\n\r\n" % length)
        sent = 0
        while sent < 90 and connection.send(b"["):
            sent += 1
            time.sleep(0.05)
        assert statuses(connection.read_until_closed()) in ([503], [])
    assert sent < 90


@pytest.mark.parametrize("data", [b"", b"POST", HEAD, HEAD + b"X-Slow: "])
def test_a_sender_that_falls_silent_is_closed(server: RunningCollector, data: bytes) -> None:
    with line(server) as connection:
        connection.send(data)
        assert set(statuses(connection.read_until_closed())) <= {400, 408, 503}


def test_an_idle_connection_is_closed(server: RunningCollector) -> None:
    with line(server) as connection:
        connection.send(request())
        assert statuses(connection.read_until_closed()) == [200]


def test_a_crowd_of_idle_connections_keeps_nobody_out(server: RunningCollector) -> None:
    crowd = [Line(server) for _ in range(CROWD)]
    try:
        for index, idle in enumerate(crowd):
            idle.send([b"", HEAD, HEAD + b"Content-Length: 99\r\n\r\n["][index % 3])
        assert talk(server, request())[0] == 200
    finally:
        for idle in crowd:
            idle.socket.close()


def test_a_byte_too_many_is_413(server: RunningCollector) -> None:
    status, _, body = talk(server, request(b" " * BODY_BYTES + b"1"))
    assert (status, json.loads(body)["error"]) == (413, "body_too_large")


@pytest.mark.parametrize("lie", [b"", b"Content-Length: 10\r\n"])
def test_endless_chunks_are_413_and_closed(server: RunningCollector, lie: bytes) -> None:
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    most = 64 * BODY_BYTES
    with line(server) as connection:
        connection.send(HEAD + lie + b"Transfer-Encoding: chunked\r\n\r\n")
        sent = 0
        while sent < most and connection.send(chunk):
            sent += len(chunk)
        assert sent < most
        assert statuses(connection.read_until_closed()) in ([413], [])


def test_a_body_cut_off_by_the_sender_is_not_taken(server: RunningCollector) -> None:
    for head in (b"Content-Length: 80\r\n", b"Content-Length: 100000\r\n"):
        with line(server) as connection:
            connection.send(HEAD + head + b'\r\n{"event_id":"cut-off"}')
    assert talk(server, request())[0] == 200
    assert ids_kept(server, "cut-off") == []


class Arriving:
    """A body without a length, as a server reads it: a first part, and the rest when it is let go on."""

    def __init__(self, first: bytes) -> None:
        self.headers: dict[str, str] = {}
        self.first = first
        self.go_on = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.first
        await self.go_on.wait()
        yield b"rest"


def test_all_bodies_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_HELD_BYTES", 1000)

    async def scenario() -> None:
        bodies = module._Bodies()
        slow, other = Arriving(b"a" * 600), Arriving(b"b" * 600)
        reading = asyncio.create_task(bodies.read(slow, slow))
        await asyncio.sleep(0)
        with pytest.raises(Transient):
            await bodies.read(other, other)
        slow.go_on.set()
        assert await reading == b"a" * 600 + b"rest"
        other.go_on.set()
        assert await bodies.read(other, other) == b"b" * 600 + b"rest"

    asyncio.run(scenario())


def test_nobody_s_address_is_in_a_record(server: RunningCollector) -> None:
    told = [f"{name}: 203.0.113.9" for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP")]
    assert talk(server, request(b'[{"event_id":"addressed"},5]', *told))[0] == 200
    assert ids_kept(server, "addressed") == ["addressed"]
    text = json.dumps(kept(server))
    assert "203.0.113.9" not in text and "127.0.0.1" not in text


# what a disk can do


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def no_room(server: RunningCollector) -> Iterator[None]:
    """While this lasts, the server's processes can make no file larger; this holds for root too."""
    pids = children(server.pid("server"))
    assert pids
    before = [resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids]
    for pid, (_, hard) in zip(pids, before, strict=True):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        for pid, limits in zip(pids, before, strict=True):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process can be set on Linux only")
def test_a_full_disk_is_503_and_passes_without_a_restart(server: RunningCollector) -> None:
    assert talk(server, request(b'{"event_id":"disk-1"}'))[0] == 200
    workers = children(server.pid("server"))
    with no_room(server):
        for number in range(20):
            status, headers, body = talk(server, request(b'{"event_id":"disk-2"}', "Origin: https://a.example"))
            assert (status, json.loads(body)["error"]) == (503, "unavailable"), number
            assert int(headers["retry-after"]) > 0
            assert headers["access-control-allow-origin"] == "https://a.example"
        assert talk(server, request(b"", path="/health", method="GET"))[0] == 503
        assert talk(server, request(b'{"a":'))[0] == 400
    assert talk(server, request(b'{"event_id":"disk-3"}'))[0] == 200
    assert talk(server, request(b"", path="/health", method="GET"))[0] == 200
    assert children(server.pid("server")) == workers
    assert ids_kept(server, "disk-1", "disk-3") == ["disk-1", "disk-3"]


def test_at_the_end_the_log_is_json_and_the_server_is_the_same(server: RunningCollector) -> None:
    """Nothing above made the server fail, and nothing sent forged a line of the log."""
    log = (server.settings.data / "log" / "collector.log").read_text()
    assert "Traceback" not in log
    assert "Unexpected exit" not in log
    assert [text[:1] in ("{", "[") for text in log.splitlines()].count(False) == 0
    os.kill(server.pid("server"), 0)
