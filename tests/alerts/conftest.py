"""Somebody to be told, on loopback: an HTTP server and a small SMTP server, each in a thread."""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Hook:
    """What was posted; `status` is what it answers."""

    port: int = 0
    status: int = 200
    location: str = ""
    answer: bytes = b"ok"
    bodies: list[Any] = field(default_factory=list)
    heads: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=1"


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.heads.append((self.path, dict(self.headers)))
            found.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(found.status)
            if found.location:
                self.send_header("Location", found.location)
            self.end_headers()
            self.wfile.write(found.answer)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@dataclass
class Post:
    """What came by mail: from, to, and the text as it was sent. With `tls` it wants STARTTLS, then a password."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    said: list[str] = field(default_factory=list)
    mails: list[tuple[str, list[str], str]] = field(default_factory=list)


class _Smtp(socketserver.StreamRequestHandler):
    """The few words of SMTP that a client needs."""

    def handle(self) -> None:
        post: Post = self.server.post  # type: ignore[attr-defined]
        sender, to = "", []
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line.split(" ", 1)[0].upper()
            if word == "MAIL":
                sender = line
            elif word == "RCPT":
                to.append(line)
            elif word == "DATA":
                self.say("354 go on")
                lines = list(iter(lambda: self.rfile.readline().decode(), ".\r\n"))
                post.mails.append((sender, to, "".join(lines)))
            post.said.append(line)
            self.say(self.answer(word, post))
            if word == "QUIT":
                return
            if word == "STARTTLS" and post.tls is not None:
                self.request = post.tls.wrap_socket(self.request, server_side=True)
                self.setup()

    def answer(self, word: str, post: Post) -> str:
        if word == "EHLO" and post.tls is not None:
            return "250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN"
        return {"QUIT": "221 bye", "STARTTLS": "220 go on", "AUTH": "235 ok"}.get(word, "250 ok")

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def post() -> Iterator[Post]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp) as server:
        found = Post(server.server_address[1])
        server.post = found  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def drip() -> Iterator[int]:
    """Port of somebody who sends a byte now and then and never comes to an end."""
    over = threading.Event()

    class Drip(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                while not over.wait(0.02):
                    self.request.sendall(b"1")
            except OSError:
                pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Drip) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def nobody() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
