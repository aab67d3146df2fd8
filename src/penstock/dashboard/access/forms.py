"""What a browser or a program posts → names and values, bounded. No files, so no multipart."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from ..saved import CannotSave

MOST_BYTES = 128 << 10
_FIELDS = 200
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


async def read_form(request: Request) -> dict[str, list[str]]:
    """Every value of each field. Raises CannotSave."""
    raw = await _read(request, _FORM)
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError:
        raise CannotSave(400, "malformed_form", "this is no form that can be read") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


async def read_json(request: Request) -> dict[str, Any]:
    """Raises CannotSave."""
    raw = await _read(request, _JSON)
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise CannotSave(400, "malformed_json", "send one JSON object") from None


async def _read(request: Request, wanted: str) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != wanted:
        raise CannotSave(415, "content_type", f"send {wanted}")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise CannotSave(413, "too_large", f"more than {MOST_BYTES} bytes")
    return body
