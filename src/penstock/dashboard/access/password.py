"""Passwords: text → `scrypt:15:8:3:salt:hash`, the line for the settings, and whether a text is that password."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

_N, _R, _P = 15, 8, 3
"""N is a power of two, so its logarithm: 32 MiB and about a quarter of a second."""
_SALT_BYTES, _HASH_BYTES = 16, 32
SHORTEST = 10
LONGEST = 1000


def hashed(password: str) -> str:
    salt = secrets.token_bytes(_SALT_BYTES)
    return ":".join(["scrypt", str(_N), str(_R), str(_P), _text(salt), _text(_scrypt(password, salt, _N, _R, _P))])


def matches(password: str, stored: str) -> bool:
    """In a time that does not tell how much of it was right. `stored` is what `hashed` gave."""
    _, n, r, p, salt, wanted = stored.split(":")
    if len(password) > LONGEST or "\0" in password:  # HMAC takes zeros at the end of its key for nothing
        return False
    return hmac.compare_digest(_scrypt(password, _bytes(salt), int(n), int(r), int(p)), _bytes(wanted))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # Lone surrogates, which a form may hold, are bytes like any other.
    raw = password.encode(errors="surrogatepass")
    return hashlib.scrypt(raw, salt=salt, n=1 << n, r=r, p=p, maxmem=256 * r * (1 << n), dklen=_HASH_BYTES)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
