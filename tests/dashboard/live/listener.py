"""Who listens to `/live`, as a browser does."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

PATIENCE_SECONDS = 20


class Listener:
    """`last` is the id of the newest message that was read."""

    def __init__(self, url: str, *, last: str = "", after: str = "") -> None:
        headers = {"last-event-id": last} if last else {}
        request = urllib.request.Request(f"{url}/live{f'?after={after}' if after else ''}", headers=headers)
        self.answer = urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)
        self.last = ""
        self._messages = self._read()

    def blocks(self) -> Iterator[list[str]]:
        """Until the server ends."""
        block: list[str] = []
        for line in self.answer:
            text = line.decode().rstrip("\n")
            if text:
                block.append(text)
            else:
                yield block
                block = []

    def _read(self) -> Iterator[dict[str, Any]]:
        for block in self.blocks():
            told = dict(line.partition(": ")[::2] for line in block)
            if told.get("event") == "now":
                self.last = told["id"]
                yield json.loads(told["data"])

    def message(self) -> dict[str, Any]:
        return next(self._messages)

    def pages(self, count: int) -> list[str]:
        """Of the next so many events."""
        found: list[str] = []
        while len(found) < count:
            found += [event["page"] for event in self.message()["events"]]
        return found

    def close(self) -> None:
        self.answer.close()
