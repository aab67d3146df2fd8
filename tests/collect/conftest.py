"""How the tests of the collector send: a request goes in, an intake comes out, and no server is involved."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from penstock.collect import Intake, Request
from penstock.collect.app import Collector
from penstock.collect.keys import Source

NOW = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)


class Sender:
    """Posts to a collector whose clock stands still and whose ids are `made-0`, `made-1`, ..."""

    def __init__(self, *sources: Source) -> None:
        numbers = itertools.count()
        self.collector = Collector(sources, clock=lambda: NOW, new_id=lambda: f"made-{next(numbers)}")

    def __call__(
        self, body: bytes | str, path: str = "/v1/events", query: str = "", method: str = "POST", **headers: str
    ) -> Intake:
        raw = body if isinstance(body, bytes) else body.encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.collector.receive(Request(method, path, query, named, raw))

    def lines(self, body: bytes | str, path: str = "/v1/events", query: str = "", **headers: str) -> list[dict]:
        """The records of a request that must be taken, decoded."""
        intake = self(body, path, query, **headers)
        assert intake.reply.status == 200, intake.reply
        return [json.loads(record.data) for record in intake.records]

    def error(self, body: bytes | str, path: str = "/v1/events", **options: str) -> tuple[int, str]:
        """Status and code of a request that must be refused."""
        intake = self(body, path, **options)
        answer = json.loads(intake.reply.body)
        assert answer.keys() == {"error", "detail"}
        assert intake.records == []
        return intake.reply.status, answer["error"]


@pytest.fixture(scope="session")
def post() -> Sender:
    """A collector that takes events from anybody."""
    return Sender()


@pytest.fixture(scope="session")
def sender_for() -> Callable[..., Sender]:
    """A collector with these sources."""
    return Sender
