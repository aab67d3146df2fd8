"""What a cookie holds: who, until when, and a signature over both. Pure.

    owner.1790000000.<HMAC-SHA256>

There is one algorithm, so a cookie cannot name another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime

_COOKIE = re.compile(r"([a-z0-9-]{1,40})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})", re.ASCII)


def sign(key: bytes, who: str, until: datetime, password: str) -> str:
    """`password` is the stored hash: with another one the cookie is worth nothing."""
    told = f"{who}.{int(until.timestamp())}"
    return f"{told}.{_signature(key, told, password)}"


def is_good(key: bytes, cookie: str, who: str, now: datetime, password: str) -> bool:
    """Signed by us for `who`, under this password, and not over."""
    found = _COOKIE.fullmatch(cookie)
    if found is None or found[1] != who:
        return False
    wanted = _signature(key, f"{who}.{found[2]}", password)
    return hmac.compare_digest(wanted, found[3]) and int(found[2]) > now.timestamp()


def _signature(key: bytes, told: str, password: str) -> str:
    own = hmac.digest(key, b"penstock dashboard\0" + password.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(hmac.digest(own, told.encode(), hashlib.sha256)).decode().rstrip("=")
