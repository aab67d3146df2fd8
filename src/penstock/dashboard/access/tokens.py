"""Secrets that others are given: tokens of programs, links to shared pages. Only their hashes are kept."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ..saved import CannotSave, Saved, Share, Token
from . import password as passwords

PREFIX = "pst_"
"""So a token is known when it is found where it should not be."""
DAYS, MOST_DAYS = 30, 3650
_DAYS = re.compile(r"[0-9]{1,4}", re.ASCII)


def new_token(saved: Saved, name: str, may: str, now: datetime) -> str:
    """The token, which is not shown again."""
    token = PREFIX + secrets.token_urlsafe(32)
    saved.add(Token, {"name": name, "may": may, "made": now, "token": _hash(token)})
    return token


def new_share(saved: Saved, told: Mapping[str, Any], now: datetime) -> str:
    """The link's token. `told`: name, page, query, days, password."""
    days = str(told.get("days") or DAYS)
    if not _DAYS.fullmatch(days) or not 1 <= int(days) <= MOST_DAYS:
        raise CannotSave(400, "bad_entry", f"a link is good for 1 to {MOST_DAYS} days")
    password = told.get("password") or None
    if password is not None and not (isinstance(password, str) and len(password) <= passwords.LONGEST):
        raise CannotSave(400, "bad_entry", f"a password has at most {passwords.LONGEST} characters")
    token = secrets.token_urlsafe(32)
    row = {name: told[name] for name in ("name", "page", "query") if name in told}
    row |= {"expires": now + timedelta(days=int(days)), "token": _hash(token)}
    saved.add(Share, row | {"password": password and passwords.hashed(password)})
    return token


def find_token(saved: Saved, text: str) -> Token | None:
    return saved.by_key(Token, _hash(text))


def find_share(saved: Saved, text: str, now: datetime) -> Share | None:
    """None if it was never made, revoked, or is over; which of these is nobody's business."""
    found = saved.by_key(Share, _hash(text))
    return found if found is not None and found.expires > now else None


def _hash(token: str) -> str:
    """They are long and random, so a quick hash will do; the index finds it in a time that tells nothing of use."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
