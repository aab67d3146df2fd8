"""From where a browser asks: names of this dashboard, other web sites, and where a login may lead. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD"})
_LONGEST_NEXT = 8000
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_ours(host: str, names: Collection[str]) -> bool:
    """Whether the `Host` header is a name of ours.

    A page of others that lets its own name lead to this machine (DNS rebinding) shows that name here; an address is
    never one of those.
    """
    name = _name(host)
    return name is not None and (name == "localhost" or name in {n.lower() for n in names} or _is_address(name))


def is_loopback(host: str) -> bool:
    """Whether what listens on this host can only be reached from this machine."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _name(host: str) -> str | None:
    """`Stats.example.:8788` → `stats.example`; None for what is no host."""
    try:
        parts = urlsplit(f"//{host}")
        if parts.netloc != host or "@" in host or not parts.hostname:
            return None
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname.removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def is_from_elsewhere(method: str, host: str, headers: Mapping[str, str], *, known: bool) -> bool:
    """Whether another web site lets the browser ask this. `known`: it would bring a cookie or a user's name along.

    Reading is refused too, unless somebody follows a link: pages of others have no business with our parts.
    """
    site = headers.get("sec-fetch-site")
    if method in SAFE_METHODS:
        embedded = headers.get("sec-fetch-dest") in ("object", "embed")
        return site in ("cross-site", "same-site") and (headers.get("sec-fetch-mode") != "navigate" or embedded)
    if site is not None:  # a page cannot set it, and a browser that knows it sends it always
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return known if origin is None else not _same(origin, host)


def _same(origin: str, host: str) -> bool:
    """Whether `https://stats.example` is the place of `stats.example:443`; a proxy may have taken the TLS off."""
    try:
        parts = urlsplit(origin)
        default = _DEFAULT_PORTS.get(parts.scheme)
        asked = urlsplit(f"//{host}")
        return (
            default is not None
            and origin == f"{parts.scheme}://{parts.netloc}"
            and parts.hostname is not None
            and (parts.hostname, parts.port or default) == (asked.hostname, asked.port or default)
        )
    except ValueError:
        return False


def safe_next(text: str) -> str:
    """Where a login leads back to: a path of ours with its query, else `/`."""
    plain = text.isprintable() and "\\" not in text and len(text) <= _LONGEST_NEXT
    if not plain or not text.startswith("/") or text.startswith("//"):
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc or parts.path in ("/login", "/logout") else text
