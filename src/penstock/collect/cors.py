"""CORS: any page may send, and the port has no cookie to protect, so origin and asked-for headers are echoed."""

from __future__ import annotations

from collections.abc import Mapping


def headers(request: Mapping[str, str]) -> list[tuple[str, str]]:
    """What goes on every reply, errors too: a page that cannot read the error cannot report it."""
    origin = request.get("origin")
    if origin is None:
        return []
    return [
        ("access-control-allow-origin", origin),
        ("access-control-allow-credentials", "true"),
        ("vary", "origin"),
    ]


def preflight(request: Mapping[str, str]) -> list[tuple[str, str]]:
    """The reply to OPTIONS. A fixed list of headers would break the retries of SDKs that add some."""
    return [
        *headers(request),
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-headers", request.get("access-control-request-headers", "content-type")),
        ("access-control-max-age", "86400"),
    ]
