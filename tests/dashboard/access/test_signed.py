"""Cookies: forged, over, cut, of another key, or good."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from hand_clock import NOON
from penstock.dashboard.access.signed import is_good, sign

KEY, PASSWORD = b"k" * 32, "scrypt:…"
GOOD = sign(KEY, "owner", NOON + timedelta(days=1), PASSWORD)
WHO, UNTIL, MAC = GOOD.split(".")


def _jwt_without_algorithm() -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in ({"alg": "none"}, {"sub": "owner"}))
    return b".".join([*parts, b""]).decode()


def test_a_good_one_is_good_until_it_is_over() -> None:
    assert is_good(KEY, GOOD, "owner", NOON, PASSWORD)
    assert is_good(KEY, GOOD, "owner", NOON + timedelta(hours=23), PASSWORD)
    assert not is_good(KEY, GOOD, "owner", NOON + timedelta(days=1), PASSWORD)


@pytest.mark.parametrize(
    "forged",
    [
        "",
        ".",
        "..",
        "owner",
        f"{WHO}.{UNTIL}",
        f"{WHO}.{UNTIL}.",
        f"{WHO}.{UNTIL}.none",
        f"{WHO}.{UNTIL}.{'A' * 43}",
        f"{WHO}.{int(UNTIL) + 86400}.{MAC}",
        f"{WHO}.-1.{MAC}",
        f"{WHO}.{UNTIL}.{MAC[:-1]}",
        f"{WHO}.{UNTIL}.{MAC}=",
        f"{WHO}.{UNTIL}.{MAC.swapcase()}",
        f"{WHO}.0{UNTIL}.{MAC}",
        f"{WHO}.٣{UNTIL[1:]}.{MAC}",
        f"share-1.{UNTIL}.{MAC}",
        f"{GOOD}\n",
        f"{GOOD}.{MAC}",
        GOOD.upper(),
        sign(b"x" * 32, "owner", NOON + timedelta(days=1), PASSWORD),
        sign(KEY, "owner", NOON + timedelta(days=1), "the password of last year"),
        sign(KEY, "share-1", NOON + timedelta(days=1), PASSWORD),
        sign(KEY, "owner", NOON - timedelta(seconds=1), PASSWORD),
        _jwt_without_algorithm(),
        "é" * 50,
    ],
)
def test_what_is_not_ours_is_worth_nothing(forged: str) -> None:
    assert not is_good(KEY, forged, "owner", NOON, PASSWORD)
