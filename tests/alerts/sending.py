"""Events into a pipeline, as if they had come at a time."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import count

from penstock.clock import iso
from penstock.pipeline import Pipeline
from penstock.stream import Record

_numbers = count()
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def append(way: Pipeline, at: datetime, number: int, event_type: str = "page_view", **fields: object) -> None:
    """Into the stream only."""
    lines = []
    for _ in range(number):
        name = next(_numbers)
        told = {"event_type": event_type, "event_id": f"id-{name}", "session_id": f"s-{name}", "page_path": "/"}
        lines.append(Record(json.dumps({**told, "event_ts": iso(at), "received_at": iso(at), **fields}).encode()))
    way.stream.append(lines)


def send(way: Pipeline, at: datetime, number: int, event_type: str = "page_view", **fields: object) -> None:
    append(way, at, number, event_type, **fields)
    way.deliver()
    while way.refine():
        pass
