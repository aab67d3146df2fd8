"""S3's notifications, sent directly or through a queue → the objects that were made. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from ...bronze.layout import NOT_DATA, is_merged


class Made(NamedTuple):
    """An object; `message` is the id of the queue's message that told of it, empty without a queue."""

    bucket: str
    key: str
    size_bytes: int
    message: str = ""


def made(event: Mapping[str, Any]) -> Iterator[Made]:
    """Every record of every notification. Without those of bronze's own notes and of what was only merged."""
    for record in event.get("Records") or ():  # S3's test message has none
        if record.get("eventSource") == "aws:sqs":
            yield from (each._replace(message=record["messageId"]) for each in made(json.loads(record["body"])))
        elif record.get("eventName", "").startswith("ObjectCreated:"):
            told = record["s3"]["object"]
            key = unquote_plus(told["key"])
            if not is_merged(key) and not any(f"bronze/{folder}" in key for folder in NOT_DATA):
                yield Made(record["s3"]["bucket"]["name"], key, told.get("size", 0))
