"""A host and a port → a connected socket, in bounded time, and only to addresses that are allowed."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ..errors import PermanentError, Transient

Resolve = Callable[[str, int, float], Sequence[str]]
"""Host, port, seconds → addresses."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def dial(host: str, port: int, seconds: float, *, private: bool, resolve: Resolve | None = None) -> socket.socket:
    """Connected to an address of `host`, the very one that was checked: the name is looked up once.

    Raises PermanentError if one of its addresses is not allowed, Transient if none answers in time.
    """
    deadline = time.monotonic() + seconds
    addresses = (resolve or look_up)(host, port, seconds)
    refused = [address for address in addresses if not private and not is_public(address)]
    if refused:
        raise PermanentError(f"{host} is at {refused[0]}, which is no public address")
    trouble: Exception | None = None
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((address, port), timeout=left)
        except OSError as error:
            trouble = error
    raise Transient(f"{host} cannot be reached: {trouble or 'no time left'}")


def look_up(host: str, port: int, seconds: float) -> list[str]:
    """In a thread of its own, for the system's resolver takes as long as it likes. Raises Transient."""
    found: list[str] = []

    def ask() -> None:
        with contextlib.suppress(OSError, UnicodeError):
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    if asking.is_alive() or not found:
        raise Transient(f"the name {host} cannot be resolved")
    return found


def is_public(address: str) -> bool:
    """Neither this machine nor a private network, also not in the clothes of IPv6."""
    return all(map(_is_public, _meant(ipaddress.ip_address(address))))


def _is_public(address: _Address) -> bool:
    special = (
        address.is_private, address.is_loopback, address.is_link_local, address.is_multicast, address.is_reserved,
        address.is_unspecified,
    )  # fmt: skip
    return address.is_global and not any(special) and not getattr(address, "is_site_local", False)


def _meant(address: _Address) -> list[_Address]:
    """Where packets go in the end: an address of IPv6 may hold one of IPv4."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address, *([address.sixtofour] if address.sixtofour is not None else [])]


@contextmanager
def at_most(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Cut the connection after that time, however slowly the other side keeps it alive."""
    with connection.dup() as handle:  # stays good when TLS takes the connection over

        def cut() -> None:
            with contextlib.suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(max(seconds, 0.001), cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
