"""The last 30 minutes in small facts: events a minute, who is online, on which pages, from where, the newest events.

By when the collector took them, not when they happened. Crawlers are only counted beside, and so is what is no event; a
copy that was sent again is not counted. However much comes, memory is bounded.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from heapq import nsmallest
from typing import NamedTuple

import msgspec

from .fact import Fact

MINUTES = 30
ONLINE_SECONDS = 5 * 60
FEED = 200
_SESSIONS = 50_000
_IDS = 100_000
_RANKED = 10


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row of the feed. `n` counts from 1; `at` is in seconds since 1970. Of the person it says nothing."""

    n: int
    at: float
    type: str
    page: str = ""
    session: str = ""
    source: str = ""
    device: str = ""
    country: str = ""


class Ranked(NamedTuple):
    name: str
    sessions: int


class Now(msgspec.Struct, frozen=True):
    """`per_minute`: 30 counts, the last of the running minute; None where nothing is known. `newest`: `n` of the feed.

    A session that is online counts on the page where it was last, and for the source that it named first.
    """

    online: int = 0
    per_minute: tuple[int | None, ...] = (None,) * MINUTES
    minute: int = 0
    pages: tuple[Ranked, ...] = ()
    sources: tuple[Ranked, ...] = ()
    crawlers: int = 0
    malformed: int = 0
    newest: int = 0

    @property
    def events(self) -> int:
        return sum(count or 0 for count in self.per_minute)


class _Visit:
    __slots__ = ("came_from", "page", "seen")

    def __init__(self) -> None:
        self.seen, self.page, self.came_from = 0.0, "", ""


class Window:
    """Moments are seconds since 1970. `since`: it is told all that came from then on."""

    def __init__(self, since: float) -> None:
        self._since = since
        self._events: Counter[int] = Counter()
        self._crawlers: Counter[int] = Counter()
        self._malformed: Counter[int] = Counter()
        self._visits: OrderedDict[int, _Visit] = OrderedDict()
        self._ids: OrderedDict[int, None] = OrderedDict()
        self._feed: deque[Entry] = deque(maxlen=FEED)
        self._n = 0

    def add(self, fact: Fact, now: float) -> None:
        """Facts are best told in their order. A collector whose clock is ahead does not reach into the future."""
        at = min(fact.at, now)
        if at < now - MINUTES * 60:
            return
        if fact.is_bot:
            self._crawlers[_minute(at)] += 1
            return
        if fact.event_id and not _is_new(self._ids, hash((fact.source, fact.event_id))):
            return
        self._events[_minute(at)] += 1
        if fact.session_id:
            self._visit(fact, at)
        self._n += 1
        self._feed.append(
            Entry(
                self._n, at, fact.event_type, fact.page_path, fact.session_id, fact.came_from, fact.device, fact.country
            )
        )

    def add_malformed(self, now: float) -> None:
        self._malformed[_minute(now)] += 1

    def _visit(self, fact: Fact, at: float) -> None:
        key = hash((fact.source, fact.session_id))
        visit = self._visits.get(key)
        if visit is None:
            visit = self._visits[key] = _Visit()
            if len(self._visits) > _SESSIONS:
                self._visits.popitem(last=False)
        else:
            self._visits.move_to_end(key)
        visit.seen = max(visit.seen, at)
        visit.page = fact.page_path or visit.page
        visit.came_from = visit.came_from or fact.came_from

    def feed(self, after: int = 0) -> list[Entry]:
        """What is kept of the newest events after number `after`, oldest first."""
        return [entry for entry in self._feed if entry.n > after]

    def now(self, now: float) -> Now:
        """What there is to show; forgets what has become old."""
        last = _minute(now)
        minutes = range(last - MINUTES + 1, last + 1)
        for counts in (self._events, self._crawlers, self._malformed):
            for minute in [minute for minute in counts if minute not in minutes]:
                del counts[minute]
        oldest = now - ONLINE_SECONDS
        for key in [key for key, visit in self._visits.items() if visit.seen <= oldest]:
            del self._visits[key]
        begun = _minute(self._since)
        return Now(
            len(self._visits),
            tuple(self._events[minute] if minute >= begun else None for minute in minutes),
            last,
            _ranked(Counter(visit.page for visit in self._visits.values() if visit.page)),
            _ranked(Counter(visit.came_from for visit in self._visits.values())),
            self._crawlers.total(),
            self._malformed.total(),
            self._n,
        )


def _minute(at: float) -> int:
    return int(at // 60)


def _is_new(ids: OrderedDict[int, None], key: int) -> bool:
    if key in ids:
        return False
    ids[key] = None
    if len(ids) > _IDS:
        ids.popitem(last=False)
    return True


def _ranked(counts: Counter[str]) -> tuple[Ranked, ...]:
    best = nsmallest(_RANKED, counts.items(), key=lambda each: (-each[1], each[0]))
    return tuple(Ranked(name, count) for name, count in best)
