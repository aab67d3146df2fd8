"""When an event happened: what its sender wrote and when it arrived → a time in UTC, by the rules of silver. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_DAY = timedelta(hours=24)
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
_SECONDS, _MILLISECONDS, _MICROSECONDS = 1e11, 1e14, 1e17
"""A number below each of them counts these since 1970."""


def happened(client: datetime | None, sent: datetime | None, received: datetime) -> datetime:
    """Corrected by how wrong the sender's clock was when it sent; what is then still far ahead happened on arrival."""
    if client is None or client > received + 2 * _DAY:
        return received
    skew = min(max(received - sent, -_DAY), _DAY) if sent is not None else timedelta(0)
    found = client + skew
    return received if found > received + _DAY else found


def client_time(text: str) -> datetime | None:
    """The time an event says; None if it is none, or before 1970."""
    if not text.isascii():
        text = text.translate(_DASHES)
    found = read(text)
    return found if found is None or found >= _EPOCH else None


def read(text: str) -> datetime | None:
    """ISO-8601 (UTC unless it says otherwise) or a number since 1970; None for anything else."""
    if not text or not "0" <= text[0] <= "9":
        return None
    try:
        if text[4:5] == "-" or text.endswith("Z"):
            parsed = datetime.fromisoformat(text)
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else _utc(parsed)
        if "-" not in text:
            return _number(float(text))
    except (ValueError, OverflowError):
        pass
    year = text.partition("-")[0]
    return _LAST if "-" in text and year.isdigit() and int(year) > 9999 else None


def _utc(parsed: datetime) -> datetime | None:
    offset = parsed.utcoffset()
    return parsed.astimezone(UTC) if offset is not None and abs(offset) < timedelta(hours=15) else None


def _number(value: float) -> datetime | None:
    for below, unit in ((_SECONDS, 1), (_MILLISECONDS, 1e3), (_MICROSECONDS, 1e6)):
        if value < below:
            return _EPOCH + timedelta(seconds=value / unit)
    return None
