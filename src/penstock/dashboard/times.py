"""The periods that the menu offers: their words in a URL → what reports are asked with, and the ones beside. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..errors import PenstockError
from ..reports.period import Compare, Grain, Period, period

DEFAULT = "28d"
CUSTOM = "custom"
ALL = "all"


@dataclass(frozen=True)
class Choice:
    """An entry of the menu: its word in the URL, its name for people, and the key that chooses it."""

    word: str
    name: str
    key: str


CHOICES = (
    Choice("today", "Today", "d"),
    Choice("yesterday", "Yesterday", "e"),
    Choice("24h", "Last 24 hours", "h"),
    Choice("7d", "Last 7 days", "w"),
    Choice("28d", "Last 28 days", "f"),
    Choice("30d", "Last 30 days", "t"),
    Choice("91d", "Last 91 days", "n"),
    Choice("month", "This month", "m"),
    Choice("last_month", "Last month", "p"),
    Choice("year", "This year", "y"),
    Choice("12mo", "Last 12 months", "l"),
    Choice(ALL, "All time", "a"),
)
BEFORE = {
    Compare.previous: "period before",
    Compare.weekday: "same weekdays before",
    Compare.month: "month before",
}
"""What may be set beside a period, in words."""
WORDS = {choice.word: choice for choice in CHOICES}


def resolve(word: str, since: str | None, until: str | None, *, zone: str, now: datetime, first: date) -> Period:
    """`first` is the day of the first event, for all of them. Raises PenstockError for words that are no period."""
    if word == CUSTOM:
        if since is None:
            raise PenstockError("a period of one's own needs a day to begin with")
        return period(since, until, zone=zone, now=now)
    today = period("1d", zone=zone, now=now).days[0]
    if word in _DAYS:
        return period(*_DAYS[word](today), zone=zone, now=now)
    if word == ALL:
        return period(min(first, today), today, zone=zone, now=now)
    if word not in WORDS:
        raise PenstockError(f"there is no period {word[:40]!r}")
    return period(word, zone=zone, now=now)


def _last_month(today: date) -> tuple[date, date]:
    end = today.replace(day=1) - timedelta(days=1)
    return end.replace(day=1), end


def _month(today: date) -> tuple[date, date]:
    return today.replace(day=1), (today.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


_DAYS: dict[str, Callable[[date], tuple[date, date]]] = {
    "today": lambda today: (today, today),
    "yesterday": lambda today: (today - timedelta(days=1), today - timedelta(days=1)),
    "month": _month,
    "last_month": _last_month,
    "year": lambda today: (date(today.year, 1, 1), date(today.year, 12, 31)),
}


def grain_of(asked: Period) -> Grain:
    """How wide the buckets are if nobody says: an hour up to two days, a day up to 91, then a week, then a month."""
    days = (asked.until - asked.since) / timedelta(days=1)
    return Grain.hour if days <= 2.1 else Grain.day if days <= 92 else Grain.week if days <= 370 else Grain.month


def beside(asked: Period, *, later: bool) -> tuple[date, date] | None:
    """The days of the same length before or after; None after what has not begun."""
    first, last = asked.days
    length = last - first + timedelta(days=1)
    if first.day == 1 and (last + timedelta(days=1)).day == 1 and length.days <= 31:
        found = _month(last + timedelta(days=1)) if later else _last_month(first)
    else:
        found = (first + length, last + length) if later else (first - length, first - timedelta(days=1))
    today = asked.now.astimezone(asked.tz).date()
    return None if found[0] > today else found
