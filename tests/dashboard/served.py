"""The dashboard as a server of its own process, for tests that need a real one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

PATIENCE_SECONDS = 20
_DATA = "DASHBOARD_DATA"


def app() -> Starlette:
    """What the server's process serves."""
    from penstock.dashboard.app import make_app
    from penstock.settings import load

    return make_app(load(data=Path(os.environ[_DATA])))


class Served:
    """Runs until `stop`, which is as from a supervisor: SIGTERM."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        words = ("--interface", "asgi", "--factory", "--port", str(self.port), "--no-ws", "--log-level", "warning")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "granian", *words, "dashboard.served:app"],
            cwd=Path(__file__).parents[1],
            env={**os.environ, _DATA: str(data)},
        )
        until = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert time.monotonic() < until and self._process.poll() is None, "the dashboard did not start"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}/health", timeout=5).status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def live(self, last: str = "", after: str = "") -> Listener:
        headers = {"last-event-id": last} if last else {}
        query = f"?after={after}" if after else ""
        return Listener(urllib.request.Request(f"{self.url}/live{query}", headers=headers))

    def stop(self) -> float:
        """How long it took, in seconds."""
        began = time.monotonic()
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)
        return time.monotonic() - began

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class Listener:
    """Reads server-sent events."""

    def __init__(self, request: urllib.request.Request) -> None:
        self.answer = urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)
        self.last = ""

    def blocks(self) -> Iterator[list[str]]:
        """Until the server ends."""
        block: list[str] = []
        for line in self.answer:
            text = line.decode().rstrip("\n")
            if text:
                block.append(text)
            elif block:
                yield block
                block = []

    def messages(self) -> Iterator[dict[str, Any]]:
        for block in self.blocks():
            told = dict(line.partition(": ")[::2] for line in block)
            if told.get("event") == "now":
                self.last = told["id"]
                yield json.loads(told["data"])

    def events(self, count: int) -> list[dict[str, Any]]:
        """The next so many, each once."""
        found: list[dict[str, Any]] = []
        messages = self.messages()
        while len(found) < count:
            found += next(messages)["events"]
        return found

    def close(self) -> None:
        self.answer.close()
