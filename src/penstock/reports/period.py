"""Which time is asked about: words and a zone → moments, the time to compare with, and the buckets in between. Pure.

All moments are UTC; days, weeks (from Monday) and months are those of the zone, so a day may have 23 or 25 hours.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from ..errors import PenstockError

_LAST = re.compile(r"([0-9]{1,6})(m|h|d|w|mo)")
_QUARTER = timedelta(minutes=15)
_QUARTER_DAY = timedelta(hours=6)
_MOST_YEARS = timedelta(days=1100)
_LONGEST_DAYS = 36525
_DEFAULT = "7d"
_HINT = "write a date (2026-02-01), a time (2026-02-01T12:00), or how far back: 30m, 24h, 7d, 4w, 12mo"


class Grain(StrEnum):
    hour = "hour"
    day = "day"
    week = "week"
    month = "month"


class Compare(StrEnum):
    """With what: the time before of the same length, a month earlier, or the same weekdays of the weeks before."""

    previous = "previous"
    month = "month"
    weekday = "weekday"


@dataclass(frozen=True)
class Step:
    """How far the time before lies: so many months, or days, of the calendar; else seconds of the clock."""

    months: int = 0
    days: int = 0
    seconds: float = 0


@dataclass(frozen=True)
class Period:
    """From `since` to before `until`. It may reach beyond `now`: then it is still running."""

    since: datetime
    until: datetime
    zone: str
    now: datetime
    step: Step

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day of which something is asked."""
        last = self.until - timedelta(microseconds=1)
        return self.since.astimezone(self.tz).date(), last.astimezone(self.tz).date()

    @property
    def is_of_whole_days(self) -> bool:
        """By UTC."""
        return all(moment.astimezone(UTC).time() == time() for moment in (self.since, self.until))

    def running(self, bucket: Bucket) -> bool:
        return bucket.until > self.now


@dataclass(frozen=True)
class Bucket:
    """`start` is what it is called: the day it begins with, or for hours the moment. It may begin before the period."""

    start: date | datetime
    since: datetime
    until: datetime


def period(
    since: str | date | None = None, until: str | date | None = None, *, zone: str = "UTC", now: datetime
) -> Period:
    """Raises PenstockError for words that are no time, an unknown zone, and a time that ends before it begins.

    The last days, weeks or months are the running one, to its end, and those before; the last hours and minutes end
    now. Of two dates, both days are in it. A time without offset is the zone's.
    """
    tz = _zone(zone)
    today = now.astimezone(tz).date()
    first = since if since is not None else _DEFAULT if until is None else until
    try:
        last = _LAST.fullmatch(first) if isinstance(first, str) else None
        if last is not None:
            if until is not None:
                raise PenstockError(f"{first!r} ends now, so it has no other end", hint="give dates for both")
            found = _back(int(last[1]), last[2], today, zone, now)
        else:
            found = _between(first, until if until is not None else today, zone, now)
    except (OverflowError, ValueError) as error:
        raise PenstockError(f"{since or until!r} is no time that can be reckoned with", hint=_HINT) from error
    if found.since >= found.until:
        raise PenstockError(f"the time from {found.since} to {found.until} is empty", hint=_HINT)
    if (found.until - found.since).days > _LONGEST_DAYS:
        raise PenstockError("that is too long a time", hint="at most a hundred years")
    return found


def before(period: Period, how: Compare) -> Period:
    """The time to compare with. Of a running one, only as much as has passed of it."""
    step = period.step
    if how is Compare.month:
        step = Step(months=1)
    elif how is Compare.weekday:
        first, last = period.days
        step = Step(days=-(-((last - first).days + 1) // 7) * 7)
    until = period.until if period.now <= period.since else min(period.until, period.now)
    start, end = _shift(period.since, period.tz, step), _shift(until, period.tz, step)
    if start >= end:  # 30 March is 28 February a month earlier, and so is the 29th
        end = start + (until - period.since)
    return Period(start, end, period.zone, period.now, step)


def buckets(period: Period, grain: Grain) -> list[Bucket]:
    """All that touch the period and have begun, in order, also those in which nothing happened."""
    starts = list(_hours(period) if grain is Grain.hour else _days(period, grain))
    found = (Bucket(name, since, until) for (name, since), (_, until) in pairwise(starts))
    return [bucket for bucket in found if bucket.since <= period.now]


def offsets(period: Period, *, most: int) -> list[tuple[datetime, int]]:
    """Until when, and by how many microseconds, the zone's clock is ahead of UTC; none if they are too many."""
    found: list[tuple[datetime, int]] = []
    at = period.since
    while at < period.until and len(found) <= most and period.until - at < _MOST_YEARS:
        ahead, end = _ahead(at, period.tz), at
        while end < period.until and _ahead(end, period.tz) == ahead:
            end += _QUARTER_DAY
        if end < period.until or _ahead(end, period.tz) != ahead:
            end = _change(end - _QUARTER_DAY, end, period.tz)
        found.append((end, ahead // timedelta(microseconds=1)))
        at = end
    return found if at >= period.until and len(found) <= most else []


def _ahead(moment: datetime, tz: ZoneInfo) -> timedelta:
    return moment.astimezone(tz).utcoffset() or timedelta()


def _change(low: datetime, high: datetime, tz: ZoneInfo) -> datetime:
    """When between the two the clock is put forward or back; that is on a full second."""
    low, before = low.replace(microsecond=0), _ahead(low, tz)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if _ahead(middle, tz) == before else (low, middle)
    return high


def day_start(day: date, zone: str) -> datetime:
    """The first moment of a day; where clocks go forward at midnight, that is one o'clock."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _zone(zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    except (ValueError, OSError, LookupError) as error:
        raise PenstockError(f"there is no time zone {zone!r}", hint="IANA's names: UTC, Europe/Berlin") from error


def _back(number: int, unit: str, today: date, zone: str, now: datetime) -> Period:
    if number < 1:
        raise PenstockError("nothing is not a time", hint=_HINT)
    if unit in ("m", "h"):
        length = timedelta(minutes=number) if unit == "m" else timedelta(hours=number)
        return Period(now - length, now, zone, now, Step(seconds=length.total_seconds()))
    if unit == "mo":
        first = _months(today.replace(day=1), 1 - number)
        end, step = _months(today.replace(day=1), 1), Step(months=number)
    else:
        monday = today - timedelta(days=today.weekday())
        end = (monday + timedelta(days=7)) if unit == "w" else today + timedelta(days=1)
        step = Step(days=number * (7 if unit == "w" else 1))
        first = end - timedelta(days=step.days)
    return Period(day_start(first, zone), day_start(end, zone), zone, now, step)


def _between(since: str | date, until: str | date, zone: str, now: datetime) -> Period:
    first, last = _read(since, zone), _read(until, zone)
    start = first if isinstance(first, datetime) else day_start(first, zone)
    end = last if isinstance(last, datetime) else day_start(last + timedelta(days=1), zone)
    if isinstance(first, datetime) or isinstance(last, datetime):
        step = Step(seconds=(end - start).total_seconds())
    else:
        step = Step(days=(last - first).days + 1)
    return Period(start, end, zone, now, step)


def _read(given: str | date, zone: str) -> date | datetime:
    """A day, or a moment in UTC."""
    if isinstance(given, str):
        try:
            given = (
                date.fromisoformat(given)
                if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given)
                else (datetime.fromisoformat(given))
            )
        except ValueError:
            raise PenstockError(f"{given!r} is no time", hint=_HINT) from None
    if not isinstance(given, datetime):
        return given
    return (given if given.tzinfo else given.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _shift(moment: datetime, tz: ZoneInfo, step: Step) -> datetime:
    """Days and months keep the time on the clock; a day that a month lacks is its last, unless it is the end of one."""
    if step.seconds:
        return moment - timedelta(seconds=step.seconds)
    local = moment.astimezone(tz)
    day = _months(local.date(), -step.months) - timedelta(days=step.days)
    return datetime.combine(day, local.time(), tz).replace(fold=local.fold).astimezone(UTC)


def _months(day: date, number: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 + number, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def _days(period: Period, grain: Grain) -> Iterator[tuple[date, datetime]]:
    """Each start, and the one after the last."""
    day, last = period.days
    if grain is Grain.week:
        day -= timedelta(days=day.weekday())
    elif grain is Grain.month:
        day = day.replace(day=1)
    while True:
        yield day, day_start(day, period.zone)
        if day > last:
            return
        day = _months(day, 1) if grain is Grain.month else day + timedelta(days=7 if grain is Grain.week else 1)


def _hours(period: Period) -> Iterator[tuple[datetime, datetime]]:
    """Full hours of the zone's clock, which need not be those of UTC."""
    start = _hour(period.since, period.tz)
    while True:
        yield start, start
        if start >= period.until:
            return
        later = start + _QUARTER
        while (following := _hour(later, period.tz)) <= start:
            later += _QUARTER
        start = following


def _hour(moment: datetime, tz: ZoneInfo) -> datetime:
    local = moment.astimezone(tz)
    return moment - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
