"""Who is at the other end: the browser itself, or a reverse proxy that is believed for whom it asks. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_proxy(peer: str | None, proxies: Sequence[str]) -> bool:
    """Whether the peer is one of the proxies that the settings name."""
    address = _address(peer or "")
    return address is not None and any(address in ipaddress.ip_network(network) for network in proxies)


def client(peer: str | None, headers: Headers, proxies: Sequence[str]) -> str:
    """Whose logins are counted together: an IPv4 address, or a /64 of IPv6, which one household has.

    Behind named proxies it is the last of `X-Forwarded-For` that is no proxy: what stands before it anybody may write.
    """
    found = peer or ""
    if is_proxy(peer, proxies):
        hops = [hop.strip() for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
        found = next((hop for hop in reversed(hops) if not is_proxy(hop, proxies)), found)
    address = _address(found)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def user(peer: str | None, headers: Headers, proxies: Sequence[str], header: str | None) -> str | None:
    """The user that a proxy names, once; from anybody else the header says nothing."""
    if header is None or not is_proxy(peer, proxies):
        return None
    names = headers.getlist(header)
    return names[0] if len(names) == 1 and names[0].strip() else None


def is_https(scheme: str, peer: str | None, headers: Headers, proxies: Sequence[str]) -> bool:
    """Whether the browser speaks TLS, with us or with the proxy.

    Its own `Origin` says so too; who lies there gets a cookie that he cannot use.
    """
    forwarded = headers.get("x-forwarded-proto") == "https" and is_proxy(peer, proxies)
    return scheme == "https" or forwarded or headers.get("origin", "").startswith("https://")


def is_forwarded(headers: Headers) -> bool:
    """Whether a proxy has brought the request."""
    return any(name in headers for name in ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"))


def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped) or address
