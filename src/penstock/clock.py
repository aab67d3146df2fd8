"""Time goes in as a function, so that tests own it; all times are aware and UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from .errors import PenstockError

Clock = Callable[[], datetime]

_NUMBER = re.compile(r"[0-9]{1,8}")
_LONGEST_DAYS = 36525
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def utc_now() -> datetime:
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """`2026-02-01T12:00:00.000Z`: UTC with milliseconds, the one spelling in bronze."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration(text: str) -> timedelta:
    """`90s`, `15m`, `24h`, `7d` or `4w`, at most a hundred years. Raises PenstockError on anything else."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not _NUMBER.fullmatch(number):
        raise PenstockError(f"{text!r} is not a duration", hint="write for example 90s, 15m, 24h, 7d or 4w")
    found = timedelta(**{_UNITS[unit]: int(number)})
    if found.days > _LONGEST_DAYS:
        raise PenstockError(f"{text!r} is too long", hint="write at most 36525d")
    return found


def moment(text: str, now: datetime) -> datetime:
    """An ISO-8601 time (UTC unless it says otherwise) or a duration before `now`. Raises PenstockError."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return now - duration(text)
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError as error:
        raise PenstockError(f"{text!r} is no time that can be reckoned with") from error
