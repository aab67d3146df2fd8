"""A real dashboard beside a real collector, and somebody who sends events."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from penstock.hosts.supervisor import Supervisor, free_port
from penstock.settings import load


def serve(folder: Path) -> Iterator[Supervisor]:
    settings = load(data=folder / "data")
    collect = settings.collect.model_copy(update={"port": free_port()})
    dashboard = settings.dashboard.model_copy(update={"port": free_port(), "patience_seconds": 60})
    settings = settings.model_copy(update={"collect": collect, "dashboard": dashboard})
    made = Supervisor(settings, folder / "log", ("dashboard", "server"))
    made.start()
    yield made
    made.stop()


def send(served: Supervisor, *events: dict[str, object]) -> None:
    """Page views of one session, unless they say otherwise; when it returns they are taken."""
    body = json.dumps([{"event_type": "page_view", "session_id": "s", **event} for event in events])
    with urllib.request.urlopen(f"{served.url}/v1/events", body.encode(), timeout=10) as answer:
        assert answer.status == 200
