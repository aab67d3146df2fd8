"""The job that finds files which others wrote into a folder or bucket → objects of bronze, with their time of arrival.

A file is written down as seen only after bronze has it, so a crash repeats it, and its content is known by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from ..errors import BadFile, Transient
from .layout import origin
from .lines import may_be_readable, readable
from .load import take
from .places import Found, Listing, Place
from .seen import OPEN, Seen
from .store import Bronze

_ROUND_FILES = 500
_UNKNOWN_KIND = "none of .jsonl .ndjson .json, plain or .gz or .zst"
_TROUBLE_SECONDS = 60
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_LONGEST_SECONDS = 3600.0
_FILES_PER_SECOND = 100
"""Everything is looked at again after a second for each so many known files, and at least every hour."""

Tell = Callable[[str, str], None]
"""(name, what became of it): `loaded`, `already loaded`, or why not."""


@dataclass
class Dropped:
    """What one round did; false if nothing.

    `waiting` are files that are still being written; `more` is true if there was too much for one round.
    """

    new: int = 0
    known: int = 0
    refused: int = 0
    waiting: int = 0
    more: bool = False
    problems: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list, compare=False)

    def __bool__(self) -> bool:
        return bool(self.new or self.known or self.refused or self.more or self.problems)

    def __add__(self, other: Dropped) -> Dropped:
        return Dropped(
            self.new + other.new,
            self.known + other.known,
            self.refused + other.refused,
            self.waiting + other.waiting,
            self.more or other.more,
            self.problems + other.problems,
            self.refusals + other.refusals,
        )

    def refuse(self, name: str, why: str) -> None:
        self.refused += 1
        self.refusals.append(f"{name}: {why}")


class _Met(NamedTuple):
    """A file that may still grow: how it was, and since when."""

    stamp: str
    since: datetime


class Drop:
    """A folder or a bucket's prefix into which others put files, which stay as they are."""

    def __init__(self, place: Place, seen: Seen, *, source: str | None = None, settle_seconds: float = 5) -> None:
        self.place = place
        self.seen = seen
        self.every_seconds = 1.0 if place.settles else 10.0
        self._source = source
        self._settle = settle_seconds
        self._met: dict[str, _Met] = {}
        self._met_before = self._met

    def scan(self, bronze: Bronze, now: datetime, tell: Tell = lambda name, what: None) -> Dropped:
        """One round: what is new, up to some hundred files."""
        done = Dropped()
        self._met_before, self._met = self._met, {}
        full = full_look_is_due(self.seen, now)
        for listing in self.place.look(self.seen, now.timestamp(), full=full):
            self._folder(listing, bronze, now, done, tell)
            if done.more:
                return done
        if full:
            self.seen.fully_seen(now.timestamp())
        return done

    def _folder(self, listing: Listing, bronze: Bronze, now: datetime, done: Dropped, tell: Tell) -> None:
        finished: list[Found] = []
        for found in listing.new:
            if done.new + done.known + done.refused >= _ROUND_FILES:
                done.more = True
                break
            if not may_be_readable(_base(found.name)):
                done.refuse(found.name, _UNKNOWN_KIND)
                tell(found.name, _UNKNOWN_KIND)
            elif not self._is_settled(found, now):
                done.waiting += 1
                continue
            elif not self._take(found, bronze, done, tell):
                continue
            finished.append(found)
        record(self.seen, listing, finished)

    def _is_settled(self, found: Found, now: datetime) -> bool:
        """Whether it has not changed for a while: by its own time, or, if that is of no use, since we first saw it."""
        if not self.place.settles:
            return True
        met = self._met_before.get(found.name)
        since = met.since if met and met.stamp == found.stamp else now
        self._met[found.name] = _Met(found.stamp, since)
        return (now - min(since, found.modified)).total_seconds() >= self._settle

    def _take(self, found: Found, bronze: Bronze, done: Dropped, tell: Tell) -> bool:
        """Whether it is done with: in bronze, or refused."""
        try:
            data = self.place.read(found)
            if not readable(_base(found.name), data[:64]):
                raise BadFile("unknown_kind", "its first bytes are not those of events")
        except BadFile as error:
            done.refuse(found.name, str(error))
            tell(found.name, str(error))
            return True
        except FileNotFoundError:
            return False
        except Transient:
            done.waiting += 1
            return False
        except OSError as error:
            done.problems.append(f"{found.name}: {error.strerror or error}")
            return False
        told = origin(found.name)
        loaded = take(bronze, data, _base(found.name), told.at or found.modified, self._source or told.source)
        done.new += loaded.new
        done.known += not loaded.new
        tell(found.name, "loaded" if loaded.new else "already loaded")
        return True


class Scanner(Protocol):
    """A place that is looked at now and then."""

    place: Place
    seen: Seen
    every_seconds: float

    def scan(self, bronze: Bronze, now: datetime, tell: Tell = ...) -> Dropped:
        """One round."""


class Drops:
    """All places together, each at its own pace; trouble with one does not stop the others."""

    def __init__(self, scanners: Sequence[Scanner]) -> None:
        self._next = dict.fromkeys(scanners, _LONG_AGO)

    def scan(
        self, bronze: Bronze, now: datetime, *, only_if_due: bool = False, tell: Tell = lambda name, what: None
    ) -> Dropped:
        done = Dropped()
        for scanner, due in self._next.items():
            if only_if_due and now < due:
                continue
            try:
                found = scanner.scan(bronze, now, tell)
            except Exception as error:
                found = Dropped(problems=[f"{scanner.place.url}: {error}"])
            pause = _TROUBLE_SECONDS if found.problems else 0 if found.more else scanner.every_seconds
            self._next[scanner] = now + timedelta(seconds=pause)
            done += found
        return done

    def close(self) -> None:
        for scanner in self._next:
            scanner.seen.close()


def record(seen: Seen, listing: Listing, finished: Iterable[Found]) -> None:
    """Write a folder down; it stays open while something in it is not finished."""
    files = [(_base(found.name), found.stamp) for found in finished]
    folder = listing.folder if len(files) == len(listing.new) else listing.folder._replace(changed=OPEN)
    seen.record(folder, files, listing.gone, listing.folders)


def full_look_is_due(seen: Seen, now: datetime) -> bool:
    at, known = seen.last_full()
    return not 0 <= now.timestamp() - at < min(_LONGEST_SECONDS, known / _FILES_PER_SECOND)


def _base(name: str) -> str:
    return name.rsplit("/", 1)[-1]
