"""API Gateway's events (payload 1.0 and 2.0, also a function URL's) ↔ the collector's request and reply. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from ...collect import Reply, Request

Event = Mapping[str, Any]


def request(event: Event) -> Request:
    """The request as a server would have got it."""
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(errors="surrogatepass")
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if "rawPath" in event:
        context = event["requestContext"]
        path = _without_stage(event["rawPath"], context.get("stage"))
        return Request(context["http"]["method"], path, event.get("rawQueryString", ""), headers, raw)
    return Request(event["httpMethod"], event["path"], _query(event), headers, raw)


def came(event: Event) -> datetime | None:
    """When the gateway got it."""
    context = event["requestContext"]
    milliseconds = context.get("timeEpoch") or context.get("requestTimeEpoch")
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


def response(reply: Reply) -> dict[str, Any]:
    """What both payloads take as the answer; bytes that are no text go in base64."""
    try:
        body, coded = reply.body.decode(), False
    except UnicodeDecodeError:
        body, coded = base64.b64encode(reply.body).decode(), True
    return {"statusCode": reply.status, "headers": dict(reply.headers), "body": body, "isBase64Encoded": coded}


def _without_stage(path: str, stage: str | None) -> str:
    """The payload 2.0 repeats the stage's name in the path, but for `$default`."""
    start = f"/{stage}/"
    return path[len(start) - 1 :] if stage and path.startswith(start) else path


def _query(event: Event) -> str:
    """The payload 1.0 has it only taken apart."""
    several = event.get("multiValueQueryStringParameters") or {}
    return urlencode(several or event.get("queryStringParameters") or {}, doseq=True)
