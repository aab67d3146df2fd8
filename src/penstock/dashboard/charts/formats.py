"""Numbers, times and changes as people read them: 1,234; 12.3 k; 12.3 %; 1 m 20 s; 1 Nov; ▲ +12.3 %."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from math import isfinite
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from markupsafe import Markup

NOTHING = "–"
MINUS = "−"
_MOST, _LEAST = 1e300, 1e-300
"""Beyond these, differences and quotients of floats are infinite or 0."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SHORT = {word: word.upper() for word in ("utm", "os", "cta", "id", "url")}
_THOUSANDS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_BYTES = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


class Unit(StrEnum):
    """What a number counts, and so how it is written."""

    whole = "whole"
    number = "number"
    share = "share"
    money = "money"
    seconds = "seconds"
    bytes = "bytes"


def finite(value: Any) -> float | None:
    """A float that can be drawn; None for all that cannot: NaN, infinity, text, nothing."""
    if value is None or isinstance(value, bool | str | bytes):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if not isfinite(number):
        return None
    return 0.0 if abs(number) < _LEAST else max(-_MOST, min(_MOST, number))


def show(value: Any, unit: str = Unit.whole) -> str:
    """The number in full, for tiles, tables and tooltips."""
    if (number := finite(value)) is None:
        return NOTHING
    match unit:
        case Unit.share:
            return percent(number)
        case Unit.money:
            return money(value)
        case Unit.seconds:
            return duration(number)
        case Unit.bytes:
            return size(number)
    return count(value)


def short(value: Any, unit: str = Unit.whole) -> str:
    """The number in at most six or so characters, for an axis."""
    if (number := finite(value)) is None:
        return NOTHING
    match unit:
        case Unit.share:
            return percent(number)
        case Unit.seconds:
            return duration(number)
        case Unit.bytes:
            return size(number)
    return compact(number)


def count(value: Any) -> str:
    """1,234; 0.25; 12.5: whole numbers whole, others with as many places as matter."""
    if (number := finite(value)) is None:
        return NOTHING
    if isinstance(value, int) or number == int(number):
        return _signed(f"{int(value):,}" if abs(number) < 1e18 else f"{number:.3g}")
    places = 2 if abs(number) >= 1 else 3
    if abs(number) < 10**-places:
        return _signed(f"{number:.2g}")
    return _signed(_trimmed(f"{number:,.{places}f}"))


def counted(value: int, thing: str, shown: Callable[[Any], str] | None = None) -> str:
    """1 hour; 1,234 hours."""
    return f"{(shown or count)(value)} {thing}{'' if value == 1 else 's'}"


def titled(name: str) -> str:
    """The name of a column, for people: Page path, UTM source, Views before."""
    words = [_SHORT.get(word, word) for word in name.split("_")]
    return " ".join(words)[:1].upper() + " ".join(words)[1:]


def compact(value: Any) -> str:
    """1,234; 12.3 k; 1.5 M."""
    if (number := finite(value)) is None:
        return NOTHING
    if abs(number) < 9_999.5:
        return count(round(number, 3) if abs(number) >= 0.01 else number)
    if abs(number) >= 1e16:
        return _signed(f"{number:.2g}")
    for least, sign in _THOUSANDS:
        if abs(number) >= least * 0.99995:
            return _signed(f"{_trimmed(f'{number / least:,.1f}')} {sign}")
    raise AssertionError("unreachable")


def percent(share: Any, places: int = 1, *, even: bool = False) -> str:
    """0.123 → 12.3 %; 0.12 → 12 %, or 12.0 % where numbers stand `even`, one under the other."""
    if (number := finite(share)) is None:
        return NOTHING
    if abs(number) >= 1e10:
        return _signed(f"{number * 100:.2g} %")
    text = f"{number * 100:,.{places}f}"
    return _signed(f"{text if even else _trimmed(text)} %")


def money(value: Any) -> str:
    """1,234.50, in whatever currency it was sent."""
    if (number := finite(value)) is None:
        return NOTHING
    if abs(number) >= 1e18:
        return _signed(f"{number:.3g}")
    return _signed(f"{value if isinstance(value, int | Decimal) else number:,.2f}")


def duration(seconds: Any) -> str:
    """0.25 s; 8.5 s; 1 m 20 s; 2 h 5 m; 3 d 4 h."""
    if (number := finite(seconds)) is None:
        return NOTHING
    if number < 0:
        return MINUS + duration(-number)
    if number < 9.95:
        return f"{_trimmed(f'{number:.2f}' if number < 0.95 else f'{number:.1f}')} s"
    if number >= 1e12:
        return f"{number:.2g} s"
    whole = round(number)
    if whole < 60:
        return f"{whole} s"
    for least, big, small in ((86400, "d", "h"), (3600, "h", "m"), (60, "m", "s")):
        if whole >= least:
            part = {"h": 3600, "m": 60, "s": 1}[small]
            rest = whole % least // part
            return f"{whole // least:,} {big}" + (f" {rest} {small}" if rest else "")
    raise AssertionError("unreachable")


def size(value: Any) -> str:
    """512 B; 12.3 kB; 1.5 GB, of a thousand each."""
    if (number := finite(value)) is None:
        return NOTHING
    if abs(number) < 999.5:
        return _signed(f"{_trimmed(f'{number:.1f}')} B")
    if abs(number) >= 999.95e15:
        return _signed(f"{number:.2g} B")
    for least, sign in _BYTES:
        if abs(number) >= least * 0.9995:
            return _signed(f"{_trimmed(f'{number / least:,.1f}')} {sign}")
    raise AssertionError("unreachable")


class Delta(NamedTuple):
    """A change in words, and whether that is good; in a template it is a `<span class="delta good">`."""

    text: str
    kind: str

    def __html__(self) -> str:
        return Markup('<span class="delta {}">{}</span>').format(self.kind, self.text)

    def __str__(self) -> str:
        return self.text


def delta(now: Any, before: Any, *, up_is_good: bool | None = True) -> Delta:
    """`▲ +12.3 %`, `▼ −4 %`, `±0 %`, `new`; up_is_good=None for what is neither good nor bad."""
    new, old = finite(now), finite(before)
    if new is None or old is None:
        return Delta(NOTHING, "neutral")
    up = "good" if up_is_good else "bad"
    down = "bad" if up_is_good else "good"
    if up_is_good is None:
        up = down = "neutral"
    if old == 0:
        return Delta("new", up) if new > 0 else Delta("±0 %", "neutral") if new == 0 else Delta("new", down)
    change = finite(new / abs(old) - (1 if old > 0 else -1))
    if change is None:
        return Delta(NOTHING, "neutral")
    text = percent(abs(change), 0 if abs(change) >= 1 else 1)
    if text == "0 %":
        return Delta("±0 %", "neutral")
    return Delta(f"▲ +{text}", up) if change > 0 else Delta(f"▼ {MINUS}{text}", down)


def local(moment: date | datetime, zone: str | None = None) -> date | datetime:
    """The moment on the clock of the zone, if one is given; what has no zone is on its own clock already."""
    if zone is None or not isinstance(moment, datetime) or moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(_zone(zone))
    except (OverflowError, ValueError):
        return moment


def day(moment: date | datetime, zone: str | None = None) -> str:
    """1 Nov."""
    here = local(moment, zone)
    return f"{here.day} {_MONTHS[here.month - 1][:3]}"


def clock(moment: date | datetime, zone: str | None = None) -> str:
    """14:05; a date begins at 00:00."""
    here = local(moment, zone)
    return f"{here.hour:02}:{here.minute:02}" if isinstance(here, datetime) else "00:00"


def weekday(moment: date | datetime, zone: str | None = None) -> str:
    """Sun."""
    return _DAYS[local(moment, zone).weekday()]


def month(moment: date | datetime, zone: str | None = None) -> str:
    """Nov."""
    return _MONTHS[local(moment, zone).month - 1][:3]


def when(moment: date | datetime, grain: str = "day", zone: str | None = None) -> str:
    """A bucket by its full name: Sun 1 Nov 2026, 14:00; Sun 1 Nov 2026; Week of 26 Oct 2026; November 2026."""
    here = local(moment, zone)
    named = f"{weekday(here)} {day(here)} {here.year}"
    match grain:
        case "minute" | "hour":
            return f"{named}, {clock(here)}"
        case "week":
            return f"Week of {day(here)} {here.year}"
        case "month":
            return f"{_MONTHS[here.month - 1]} {here.year}"
    return named


def brief(moment: date | datetime, grain: str = "day", zone: str | None = None) -> str:
    """A bucket by its short name: 1 Nov, 14:00; 1 Nov; Nov 2026."""
    here = local(moment, zone)
    match grain:
        case "minute" | "hour":
            return f"{day(here)}, {clock(here)}"
        case "month":
            return f"{month(here)} {here.year}"
    return day(here)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signed(text: str) -> str:
    """A minus as long as a plus is wide, and none before 0."""
    if text.startswith("-"):
        return MINUS + text[1:] if text.strip("-0.,% ") else text[1:]
    return text
