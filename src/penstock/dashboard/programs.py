"""What programs are answered: JSON that nobody keeps for later."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response


def reply(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, {"cache-control": "no-store"}, "application/json")


def refusal(status: int, code: str, detail: str, **more: Any) -> Response:
    """`code` is stable, `detail` is for people."""
    return reply({"error": code, "detail": detail, **more}, status)
