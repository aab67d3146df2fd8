"""Which buckets get a label under them, and what it says: midnights, Mondays, firsts of months, and not too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from .formats import clock, day, local, month, weekday

MOST = 8

Start = date | datetime


class Mark(NamedTuple):
    """The label of the bucket at `place`; `extra` ones are left out on phones."""

    place: int
    text: str
    extra: bool


def marks(starts: Sequence[Start], grain: str, zone: str | None = None, most: int = MOST) -> list[Mark]:
    """Labels at the finest rhythm of the calendar that needs no more than `most`."""
    here = [local(start, zone) for start in starts]
    found: list[tuple[int, str]] = [(0, day(start)) for start in here[:1]]
    for rhythm in _rhythms(grain):
        finer = found
        found = [(index, text) for index, start in enumerate(here) if (text := rhythm(index, start)) is not None]
        if len(found) < 2 <= len(finer) or not found:
            found = finer
        if len(found) <= most:
            break
    found = found[:: -(-len(found) // most) or 1]
    return [Mark(index, text, len(found) > most // 2 and nth % 2 == 1) for nth, (index, text) in enumerate(found)]


def ruler(first: Start, last: Start, zone: str | None = None) -> tuple[list[Start], str]:
    """The minutes, hours, days or years between two times that are any: what `marks` chooses from, and their grain."""
    here, end = local(first, zone), local(last, zone)
    if end.year - here.year > _YEARS:
        return [date(year, 1, 1) for year in range(here.year + 1, end.year + 1)], "month"
    if not isinstance(here, datetime) or not isinstance(end, datetime):
        return [here + timedelta(days=nth) for nth in range((end - here).days + 1)], "day"
    step, grain = next((step, grain) for most, step, grain in _STEPS if end - here <= most)
    begin = here.replace(minute=0, second=0, microsecond=0, hour=here.hour if step < _DAY else 0)
    found: list[Start] = [at for nth in range((end - begin) // step + 1) if (at := begin + nth * step) >= here]
    return found or [here], grain


_YEARS = 50
_DAY = timedelta(days=1)
_STEPS = (
    (_DAY, timedelta(minutes=1), "minute"),
    (60 * _DAY, timedelta(hours=1), "hour"),
    (timedelta.max, _DAY, "day"),
)
Rhythm = Callable[[int, Start], str | None]


def _rhythms(grain: str) -> Iterator[Rhythm]:
    """From fine to coarse."""
    if grain in ("minute", "hour"):
        yield from (_clock(minutes) for minutes in (1, 5, 10, 15, 30, 60, 120, 180, 360, 720))
    if grain in ("minute", "hour", "day"):
        yield _weekday if grain == "day" else _midnight
        yield from (_nth_day(days) for days in (2, 3, 4))
        yield from (_monday(weeks) for weeks in (1, 2))
    if grain == "week":
        yield from (_nth_day(days) for days in (1, 2, 4))
    yield from (_months(months) for months in (1, 2, 3, 6, 12, 24, 60, 120))


def _clock(minutes: int) -> Rhythm:
    def rhythm(_: int, start: Start) -> str | None:
        if not isinstance(start, datetime) or (start.hour * 60 + start.minute) % minutes:
            return None
        return clock(start) if start.hour or start.minute else day(start)

    return rhythm


def _midnight(_: int, start: Start) -> str | None:
    return day(start) if not isinstance(start, datetime) or start.hour == start.minute == 0 else None


def _weekday(_: int, start: Start) -> str | None:
    return f"{weekday(start)} {day(start)}"


def _nth_day(days: int) -> Rhythm:
    def rhythm(index: int, start: Start) -> str | None:
        nth = start.toordinal() if isinstance(start, datetime) else index
        return None if nth % days else _midnight(index, start)

    return rhythm


def _monday(weeks: int) -> Rhythm:
    def rhythm(index: int, start: Start) -> str | None:
        return None if start.weekday() or start.toordinal() // 7 % weeks else _midnight(index, start)

    return rhythm


def _months(months: int) -> Rhythm:
    def rhythm(_: int, start: Start) -> str | None:
        nth = start.year * 12 + start.month - 1
        if start.day > 1 or nth % months or _midnight(0, start) is None:
            return None
        return month(start) if start.month > 1 else str(start.year)

    return rhythm
