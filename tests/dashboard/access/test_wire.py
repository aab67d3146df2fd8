"""The same through a real server, byte by byte: what clients libraries would not send."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.hosts.supervisor import free_port

TESTS = Path(__file__).parents[2]
_SERVE = """
import sys
from granian import Granian
from granian.constants import Interfaces
Granian("dashboard_in_hand:served", factory=True, port=int(sys.argv[1]), interface=Interfaces.ASGI, workers=1).serve()
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of a dashboard with a password."""
    port = free_port()
    paths = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"DASHBOARD_FOLDER": str(tmp_path_factory.mktemp("served")), "PYTHONPATH": paths}
    with subprocess.Popen([sys.executable, "-c", _SERVE, str(port)], env=environment) as process:
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the server has not come up")


def ask(port: int, head: str, *headers: str, body: bytes = b"") -> str:
    """What comes back, until the server closes."""
    lines = "\r\n".join([head, *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(lines.encode() + body)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def status(answer: str) -> int:
    return int(answer.split(" ", 2)[1])


OURS = "Host: 127.0.0.1"
LOGIN_PAGE = "GET /login HTTP/1.1"


@pytest.mark.parametrize(
    ("head", "headers", "statuses"),
    [
        (LOGIN_PAGE, [OURS], {200}),
        (LOGIN_PAGE, ["hOST: LOCALHOST:1"], {200}),
        (LOGIN_PAGE, ["Host: evil.test"], {421}),
        (LOGIN_PAGE, ["Host: evil.test", "X-Forwarded-Host: 127.0.0.1"], {421}),
        (LOGIN_PAGE, [OURS, "Host: evil.test"], {400, 421}),
        (LOGIN_PAGE, ["Host: evil.test", OURS], {400, 421}),
        (LOGIN_PAGE, ["Host:"], {400, 421}),
        (LOGIN_PAGE, [], {400, 421}),
        ("GET /login HTTP/1.0", [], {400, 421}),
        ("GET //evil.test/%2e%2e HTTP/1.1", [OURS], {303}),
        ("GET /%00 HTTP/1.1", [OURS], {303, 400}),
        ("GET /%ff%fe HTTP/1.1", [OURS], {303, 400}),
        ("GET /%ED%A0%80 HTTP/1.1", [OURS], {303, 400}),
        ("GET /share/%ff%fe HTTP/1.1", [OURS], {404, 400}),
        ("GET /share/%00 HTTP/1.1", [OURS], {404}),
        ("GET /static/%2e%2e/%2e%2e/settings HTTP/1.1", [OURS], {303}),
        ("TRACE / HTTP/1.1", [OURS], {401, 405}),
        ("CONNECT / HTTP/1.1", [OURS], {400, 401, 405}),
        ("POST /login HTTP/1.1", [OURS, "Origin: http://evil.test"], {403}),
        ("POST /login HTTP/1.1", [OURS, "Origin: http://127.0.0.1", "Origin: http://evil.test"], {403, 400, 415}),
        ("GET / HTTP/1.1", [OURS, "Authorization: Bearer pst_\xff"], {303, 400}),
        ("GET /api/x.json HTTP/1.1", [OURS, "Authorization: Bearer pst_\xff"], {401, 400}),
        ("GET / HTTP/1.1", [OURS, "Cookie: penstock=\xff; penstock=owner.9.x"], {303, 400}),
        ("GET / HTTP/1.1", [OURS, "Cookie: " + "penstock=owner.9.x; " * 200], {303, 431}),
    ],
)
def test_what_comes_over_the_wire(port: int, head: str, headers: list[str], statuses: set[int]) -> None:
    answer = ask(port, head, *headers)
    assert status(answer) in statuses, answer
    assert "location: //" not in answer.lower()
    if status(answer) != 400:  # that one is the server's own
        assert "content-security-policy: default-src 'none';" in answer


def test_a_page_of_the_absolute_form_is_judged_by_its_host(port: int) -> None:
    """A proxy's way to ask. Whichever of the two names the server takes, another's is none of ours."""
    assert status(ask(port, "GET http://evil.test/login HTTP/1.1", "Host: evil.test")) == 421


def test_head_has_no_body(port: int) -> None:
    head, _, body = ask(port, "HEAD / HTTP/1.1", "Host: evil.test").partition("\r\n\r\n")
    assert (status(head), body) == (421, "")


def test_login_page_logout(port: int) -> None:
    form = b"password=correct+horse+battery"
    headers = [OURS, "Origin: http://127.0.0.1", "Content-Type: application/x-www-form-urlencoded"]
    answer = ask(port, "POST /login?next=/events HTTP/1.1", *headers, body=form)
    assert status(answer) == 303 and "location: /events\r\n" in answer
    cookie = answer.partition("set-cookie: ")[2].partition(";")[0]
    assert '"kind":"owner"' in ask(port, "GET /events HTTP/1.1", OURS, f"Cookie: {cookie}")
    assert status(ask(port, "POST /logout HTTP/1.1", OURS, f"Cookie: {cookie}")) == 403
    assert status(ask(port, "POST /logout HTTP/1.1", *headers[:2], f"Cookie: {cookie}")) == 303
    assert status(ask(port, "GET /events HTTP/1.1", OURS, f"Cookie: {cookie}")) == 303
