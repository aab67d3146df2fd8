"""The funnel in plain Python, event by event: what the SQL has to equal; and the furthest any choice of events gets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from statistics import median
from typing import Any, NamedTuple

Event = Mapping[str, Any]
Step = Callable[[Event], bool]
MICROSECOND = timedelta(microseconds=1)


class Moment(NamedTuple):
    """Events that cannot be told apart in time: `place` is (microseconds, seq or first step), `steps` what they fit."""

    place: tuple[int, int]
    steps: frozenset[int]
    breakdown: str | None


class Reached(NamedTuple):
    """The places of the steps of one attempt."""

    places: tuple[tuple[int, int], ...]
    breakdown: str | None


class Line(NamedTuple):
    breakdown: str | None
    step: int
    reached: int
    of_previous: float | None
    of_first: float | None
    median_seconds: float | None


def funnel(
    events: Sequence[Event],
    steps: Sequence[Step],
    *,
    order: str = "ordered",
    per: str = "session",
    window: timedelta | None = None,
    by: str | None = None,
) -> list[Line]:
    attempt = {"ordered": _ordered, "strict": _strict, "any": _any}[order]
    best = []
    for moments in moments_by_key(events, steps, per, by).values():
        tries = [attempt(moments[first:], len(steps), window) for first in range(len(moments))]
        furthest = max(tries, key=lambda one: len(one.places))  # the first of those that get as far
        if furthest.places:
            best.append(furthest)
    began = Counter(one.breakdown for one in best)
    groups = sorted(began, key=lambda value: (-began[value], value or "")) if by else [None]
    return [line for value in groups for line in _lines(value, [o for o in best if o.breakdown == value], len(steps))]


def moments_by_key(
    events: Sequence[Event], steps: Sequence[Step], per: str = "session", by: str | None = None
) -> dict[str, list[Moment]]:
    """Of each session or user, in order."""
    found: dict[str, dict[tuple[int, int], list[tuple[frozenset[int], str | None]]]] = defaultdict(dict)
    for event in events:
        key = event.get("session_id") if per == "session" else event.get("user_id") or event.get("anonymous_id")
        fits = frozenset(number for number, step in enumerate(steps) if step(event))
        if key is None or not fits:
            continue
        seq = event.get("seq")
        place = (event["event_ts"], seq if seq is not None else min(fits))
        found[key].setdefault(place, []).append((fits, (event.get(by) or None) if by else None))
    return {
        key: [
            Moment(place, frozenset().union(*(fits for fits, _ in same)), same[0][1])
            for place, same in sorted(places.items())
        ]
        for key, places in found.items()
    }


def furthest_of_any_choice(moments: Sequence[Moment], steps: int, window: timedelta | None) -> int:
    """The most steps in order that any choice of moments makes: every choice is tried."""

    def from_(place: int, step: int, began: Any) -> int:
        if step == steps:
            return step
        return max(
            (
                from_(later + 1, step + 1, began or moments[later].place[0])
                for later in range(place, len(moments))
                if step in moments[later].steps and _in_time(began or moments[later].place[0], moments[later], window)
            ),
            default=step,
        )

    return from_(0, 0, None)


def _in_time(began: Any, moment: Moment, window: timedelta | None) -> bool:
    return window is None or moment.place[0] - began <= window


def _ordered(moments: Sequence[Moment], steps: int, window: timedelta | None) -> Reached:
    if 0 not in moments[0].steps:
        return Reached((), None)
    places: list[tuple[int, int]] = []
    for moment in moments:
        if len(places) < steps and len(places) in moment.steps and _in_time(moments[0].place[0], moment, window):
            places.append(moment.place)
    return Reached(tuple(places), moments[0].breakdown)


def _strict(moments: Sequence[Moment], steps: int, window: timedelta | None) -> Reached:
    places: list[tuple[int, int]] = []
    for number, moment in enumerate(moments[:steps]):
        if number not in moment.steps or not _in_time(moments[0].place[0], moment, window):
            break
        places.append(moment.place)
    return Reached(tuple(places), moments[0].breakdown)


def _any(moments: Sequence[Moment], steps: int, window: timedelta | None) -> Reached:
    first: dict[int, tuple[int, int]] = {}
    for moment in moments:
        for step in moment.steps:
            if _in_time(moments[0].place[0], moment, window):
                first.setdefault(step, moment.place)
    return Reached(tuple(sorted(first.values())), moments[0].breakdown)


def _lines(value: str | None, attempts: Sequence[Reached], steps: int) -> list[Line]:
    counts = [sum(len(one.places) >= step for one in attempts) for step in range(1, steps + 1)]
    lines = []
    for step, count in enumerate(counts, 1):
        times = [
            (one.places[step - 1][0] - one.places[step - 2][0]) / MICROSECOND
            for one in attempts
            if 1 < step <= len(one.places)
        ]
        before = counts[step - 2] if step > 1 else None
        lines.append(
            Line(
                value,
                step,
                count,
                count / before if before else None,
                count / counts[0] if counts[0] else None,
                median(times) / 1e6 if times else None,
            )
        )
    return lines
