"""POST a notice to somebody's URL: to public addresses only, no redirects, bounded in time and size."""

from __future__ import annotations

import http.client
import re
import ssl
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from .. import __version__
from ..errors import PermanentError, Transient
from .dial import Resolve, at_most, dial

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")
_BODY_BYTES = 64 << 10
_ANSWER_BYTES = 4096


class Place(NamedTuple):
    """Where a URL leads; `named` is the host as the header Host has it."""

    scheme: str
    host: str
    port: int
    named: str
    path: str


def place(url: str) -> Place:
    """Raises PermanentError for what is no plain http or https URL."""
    wrong = PermanentError("the webhook's URL is to be http:// or https://, a host, and no user or password")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise wrong
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    host = parts.hostname or ""
    bracketed = "[" in parts.netloc
    if parts.scheme not in _PORTS or "@" in parts.netloc or not _HOST.fullmatch(host) or port == 0:
        raise wrong
    if bracketed != (":" in host):
        raise wrong
    shown = f"[{host}]" if ":" in host else host
    usual = _PORTS[parts.scheme]
    named = shown if port in (None, usual) else f"{shown}:{port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, host, port or usual, named, path)


def post(
    url: str,
    body: bytes,
    *,
    seconds: float,
    private: bool = False,
    resolve: Resolve | None = None,
    context: ssl.SSLContext | None = None,
) -> None:
    """Returns if the answer was 2xx. Raises PermanentError or Transient, OSError, HTTPException."""
    to = place(url)
    if len(body) > _BODY_BYTES:
        raise PermanentError("the notice is too long")
    deadline = time.monotonic() + seconds
    plain = dial(to.host, to.port, seconds, private=private, resolve=resolve)
    with plain, at_most(plain, deadline - time.monotonic()):
        secure = to.scheme == "https"
        tls = context or ssl.create_default_context() if secure else None
        with tls.wrap_socket(plain, server_hostname=to.host) if tls else plain as connected:
            http_ = http.client.HTTPConnection(to.host, to.port)
            http_.sock = connected
            http_.auto_open = 0  # never anywhere else
            http_.request("POST", to.path, body, _headers(to))
            answer = http_.getresponse()
            answer.read(_ANSWER_BYTES)
            answer.close()
    if not 200 <= answer.status < 300:
        raise Transient(f"{to.named} answered {answer.status}")


def _headers(to: Place) -> dict[str, str]:
    return {
        "Host": to.named,
        "Content-Type": "application/json",
        "User-Agent": f"penstock/{__version__}",
        "Connection": "close",
    }
