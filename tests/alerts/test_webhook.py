"""Posting to a URL that a person wrote: what is refused, what arrives, and that it ends."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from penstock.alerts.webhook import Place, place, post
from penstock.errors import PenstockError, PermanentError, Transient

from .certificate import certificate
from .conftest import Hook

BODY = json.dumps({"alert": "a"}).encode()

HOSTILE = [
    "", "hook", "ftp://h/", "file:///etc/passwd", "gopher://h/", "//h/", "http://", "http:///x", "https://?x",
    "http://user@h/", "http://user:pw@h/", "http://h@127.0.0.1/", "http://good.example\\@127.0.0.1/",
    "http://h:0/", "http://h:99999/", "http://h:x/", "http://[::1", "http://[v1.x]/", "http://h h/", "http://h/a b",
    "http://h/\r\nX: y", "http://h/\nX", "http://h\r\n/", "http://h/\x00", "http://hö.example/", "http://h%00/",
    "http://a,b/", "http://h/\u2028", "http://" + "h" * 300 + "/",
]  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(PermanentError, match="URL"):
        place(url)


INNER = [
    "http://127.0.0.1:{}/", "http://localhost:{}/", "http://127.1:{}/", "http://2130706433:{}/", "http://0:{}/",
    "http://0x7f000001:{}/", "http://0.0.0.0:{}/", "http://[::1]:{}/", "http://[::ffff:127.0.0.1]:{}/",
    "http://[::ffff:7f00:1]:{}/", "http://LOCALHOST:{}/", "https://127.0.0.1:{}/", "http://169.254.169.254:{}/latest",
]  # fmt: skip


@pytest.mark.parametrize("url", INNER)
def test_private_addresses_are_not_called(url: str, hook: Hook) -> None:
    with pytest.raises(PenstockError, match=r"no public address|cannot be resolved"):
        post(url.format(hook.port), BODY, seconds=20)
    assert hook.heads == []


def test_places() -> None:
    assert place("https://Hooks.example/a/b?c=d#e") == Place("https", "hooks.example", 443, "hooks.example", "/a/b?c=d")
    assert place("http://[2606:4700::1]:81") == Place("http", "2606:4700::1", 81, "[2606:4700::1]:81", "/")


def test_what_arrives(hook: Hook) -> None:
    post(f"http://hook.example:{hook.port}/x?y=1", BODY, seconds=20, private=True, resolve=lambda *_: ["127.0.0.1"])
    assert hook.bodies == [{"alert": "a"}]
    path, head = hook.heads[0]
    assert (path, head["Host"], head["Content-Type"]) == (
        "/x?y=1", f"hook.example:{hook.port}", "application/json",
    )  # fmt: skip


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 500, 503])
def test_anything_but_2xx_is_a_failure_and_nothing_is_followed(hook: Hook, status: int) -> None:
    hook.status, hook.location = status, hook.url
    with pytest.raises(Transient, match=str(status)):
        post(hook.url, BODY, seconds=20, private=True)
    assert len(hook.bodies) == 1


def test_a_long_answer_is_not_read(hook: Hook) -> None:
    hook.answer = b"x" * (1 << 20)
    post(hook.url, BODY, seconds=20, private=True)
    assert len(hook.bodies) == 1


def test_a_long_notice_is_not_sent(hook: Hook) -> None:
    with pytest.raises(PermanentError, match="too long"):
        post(hook.url, b"x" * (1 << 20), seconds=20, private=True)


def test_a_server_that_drips_is_left(drip: int) -> None:
    with pytest.raises((OSError, http.client.HTTPException, PenstockError)):
        post(f"http://127.0.0.1:{drip}/", BODY, seconds=0.3, private=True)


def test_tls_that_drips_is_left(drip: int) -> None:
    with pytest.raises(OSError):
        post(f"https://127.0.0.1:{drip}/", BODY, seconds=0.3, private=True)


def test_tls_by_the_name_and_not_the_address(tmp_path: Path) -> None:
    trusted, served = certificate(tmp_path, "hook.example")
    asked: list[str | None] = []
    served.sni_callback = lambda connection, name, context: asked.append(name)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.headers["Host"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = served.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            for host in ("hook.example", "other.example"):
                url = f"https://{host}:{server.server_port}/"
                try:
                    post(url, BODY, seconds=20, private=True, resolve=lambda *_: ["127.0.0.1"], context=trusted)
                except ssl.SSLCertVerificationError as error:
                    asked.append(type(error).__name__)
        finally:
            server.shutdown()
            thread.join()
    host = f"hook.example:{server.server_port}"
    assert asked == ["hook.example", host, "other.example", "SSLCertVerificationError"]
