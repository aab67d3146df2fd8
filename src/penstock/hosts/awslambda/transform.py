"""Firehose's records → the same, each ending with a newline, so that its objects are lines."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """`Dropped` is what holds nothing, `ProcessingFailed` what cannot be decoded; Firehose keeps it among its errors.

    What is no JSON stays: silver sets it aside with a reason.
    """
    return {"records": [_transformed(record["recordId"], record["data"]) for record in event["records"]]}


def _transformed(record_id: str, data: str) -> dict[str, str]:
    try:
        line = base64.b64decode(data, validate=True)
    except binascii.Error:
        return {"recordId": record_id, "result": "ProcessingFailed", "data": data}
    if not line.strip():
        return {"recordId": record_id, "result": "Dropped", "data": data}
    ended = line if line.endswith(b"\n") else line + b"\n"
    return {"recordId": record_id, "result": "Ok", "data": base64.b64encode(ended).decode()}
