"""A small web site on this machine: pages, the tracker as it is served, and a place that keeps what was posted."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from penstock.collect.tracker import script

Event = dict[str, Any]
PATIENCE_SECONDS = 15
TAG = '<script defer src="/a/analytics.js"></script>'


def page(body: str = "<p>text</p>", *, head: str = TAG, title: str = "A page") -> str:
    return f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>"


LONG = page('<div style="height:10000px">long</div>')


class Site:
    """`pages`: path → HTML. `statuses`: what the next posts are answered with, then 200. Both may change at any time.

    While `answering` is cleared, what is posted is kept but not answered.
    `behind`: the URL of a collector; everything under /a/ is then passed on to it, as a reverse proxy does.
    """

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.behind: str | None = None
        self.answering = threading.Event()
        self.answering.set()
        self.statuses: list[int] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self._accepted: list[Event] = []
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def url(self, path: str = "/", host: str = "site.test") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def posts(self) -> list[bytes]:
        with self._changed:
            return [body for method, _, _, body in self.requests if method == "POST"]

    @property
    def events(self) -> list[Event]:
        """What was posted and answered with 200, each event once, in the order of its arrival."""
        with self._changed:
            found = {event["event_id"]: event for event in self._accepted}
        return list(found.values())

    def named(self, event_type: str) -> list[Event]:
        """Those that came so far, in the order they happened; batches may overtake each other."""
        return sorted(
            (e for e in self.events if e["event_type"] == event_type), key=lambda e: (e["event_ts"], e["seq"])
        )

    def wait(self, event_type: str, count: int = 1) -> list[Event]:
        """Those events, once there are `count` of them."""
        self.wait_until(lambda: len(self.named(event_type)) >= count, f"{count} {event_type}")
        return self.named(event_type)

    def all_until(self, event_type: str) -> list[Event]:
        """Everything of that event's session up to it, once nothing of that is missing: `seq` has no gap."""
        last = self.wait(event_type)[-1]
        mine = lambda: [e for e in self.events if e["session_id"] == last["session_id"] and e["seq"] <= last["seq"]]  # noqa: E731
        self.wait_until(lambda: len(mine()) == last["seq"], f"all before {event_type}")
        return sorted(mine(), key=lambda event: event["seq"])

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        with self._changed:
            while not condition():
                assert self._changed.wait(until - time.monotonic()) or condition(), (
                    f"{what} did not come, but {[event['event_type'] for event in self._accepted]}"
                )

    def took(self, method: str, path: str, headers: dict[str, str], body: bytes) -> int:
        """Keep a request; the status of the reply."""
        with self._changed:
            status = self.statuses.pop(0) if method == "POST" and self.statuses else 200
            self.requests.append((method, path, headers, body))
            if method == "POST" and status == 200:
                self._accepted = [*self._accepted, *json.loads(body)]
            self._changed.notify_all()
        return status

    def close(self) -> None:
        self.answering.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            site.took("GET", self.path, dict(self.headers), b"")
            if site.behind and path.startswith("/a/"):
                self._pass_on(site.behind, None)
            elif path.endswith(".js"):
                self._reply(200, "text/javascript", script().body)
            elif path in site.pages:
                self._reply(200, "text/html; charset=utf-8", site.pages[path].encode(), site.headers)
            else:
                self._reply(404, "text/plain", b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if site.behind:
                self._pass_on(site.behind, body)
                return
            status = site.took("POST", self.path, dict(self.headers), body)
            site.answering.wait(PATIENCE_SECONDS)
            with contextlib.suppress(ConnectionError):
                self._reply(status, "application/json", b"{}")

        def do_OPTIONS(self) -> None:
            site.took("OPTIONS", self.path, dict(self.headers), b"")
            self._reply(200, "text/plain", b"")

        def _pass_on(self, collector: str, body: bytes | None) -> None:
            there = http.client.HTTPConnection(urlsplit(collector).netloc, timeout=PATIENCE_SECONDS)
            there.request(self.command, self.path, body, dict(self.headers.items()))
            answer = there.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("date", "server"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.read())
            there.close()

        def _reply(self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            origin = {"Access-Control-Allow-Origin": self.headers["origin"]} if self.headers["origin"] else {}
            size = {"Content-Type": kind, "Content-Length": str(len(body))}
            for name, value in {**size, **origin, **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    return Handler
