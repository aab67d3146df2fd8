"""How far consumers have come in a stream that keeps no such thing itself: small objects beside the lake, by number.

    <consumer>/position-<n>.json         shard → position; the highest n counts, and n + 1 is made by only one
    <consumer>/cuts/<shard>/<hour>.json  the batches that were handed out: so each comes again as it was
    forgotten.json                       what arrived before is not replayed

A position is the offset behind which a consumer goes on: 0 is the beginning, and less than 0 a time (milliseconds).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..objects import Objects

_HOUR = "%Y%m%dT%H"
_FORGOTTEN = "forgotten.json"
Positions = Mapping[str, int]


class Cut(NamedTuple):
    """A batch: the position before it, its offsets, when its first record arrived (milliseconds), its records."""

    after: int
    first: int
    last: int
    at: int
    records: int


class Bookmarks:
    """`keep_seconds`: how long old batches are known. `idle_seconds`: how long a position is believed unread."""

    def __init__(self, objects: Objects, *, keep_seconds: float, idle_seconds: float) -> None:
        self._objects = objects
        self._keep = timedelta(seconds=keep_seconds, hours=2)
        self._idle_seconds = idle_seconds
        self._known: dict[str, tuple[float, int, Positions]] = {}

    # positions

    def positions(self, consumer: str) -> Positions:
        read_at, _, positions = self._known.get(consumer, (float("-inf"), 0, {}))
        if monotonic() - read_at < self._idle_seconds:
            return positions
        return self._read(consumer)[1]

    def move(self, consumer: str, change: Callable[[Positions], Positions | None]) -> bool:
        """Durably; `change` may be asked again if another moves it at the same moment, and says None to leave it."""
        while True:
            number, before = self._read(consumer)
            after = change(before)
            if after is None:
                return False
            if self._objects.put(_key(consumer, number + 1), _json(after), create=True):
                self._remember(consumer, number + 1, after)
                self._objects.delete(_key(consumer, number - 1))
                return True

    def _read(self, consumer: str) -> tuple[int, Positions]:
        _, number, positions = self._known.get(consumer, (0.0, 0, {}))
        if not number:
            number, positions = self._newest(consumer)
        # Of a few moves by another, each is read; if it made many, the next ones are deleted already.
        while (later := self._get(_key(consumer, number + 1))) is not None:
            number, positions = number + 1, later
        if number and self._get(_key(consumer, number)) is None:
            number, positions = self._newest(consumer)
        self._remember(consumer, number, positions)
        return number, positions

    def _newest(self, consumer: str) -> tuple[int, Positions]:
        numbers = (_number(entry.key) for entry in self._objects.children(f"{consumer}/").objects)
        number = max((number for number in numbers if number), default=0)
        return number, (self._get(_key(consumer, number)) or {}) if number else {}

    def _remember(self, consumer: str, number: int, positions: Positions) -> None:
        self._known[consumer] = monotonic(), number, positions

    def _get(self, key: str) -> Positions | None:
        with contextlib.suppress(FileNotFoundError):
            found: Positions = json.loads(self._objects.get(key))
            return found
        return None

    # batches

    def cut(self, consumer: str, shard: str, first: int, at: int) -> Cut | None:
        """The batch that was once handed out from `first`, which arrived at that time."""
        return next((cut for cut in self._cuts(_cuts_key(consumer, shard, at)) if cut.first == first), None)

    def freeze(self, consumer: str, shard: str, cut: Cut) -> Cut:
        """Remember it; returns the batch as it is known, for another process may have been first."""
        key = _cuts_key(consumer, shard, cut.at)
        cuts = self._cuts(key)
        known = next((each for each in cuts if each.first == cut.first), None)
        if known is not None:
            return known
        self._objects.put(key, _json([*cuts, cut]))
        if not cuts:
            self._expire(f"{consumer}/cuts/{shard}/", cut.at)
        return cut

    def since(self, consumer: str, shard: str, offset: int) -> list[Cut]:
        """The batch that holds `offset`, and those after it; empty if it is not known."""
        keys = sorted(entry.key for entry in self._objects.list(f"{consumer}/cuts/{shard}/"))
        cuts = sorted((cut for key in keys for cut in self._cuts(key)), key=lambda cut: cut.first)
        found = [cut for cut in cuts if cut.last >= offset]
        return found if found and found[0].first <= offset else []

    def _cuts(self, key: str) -> list[Cut]:
        with contextlib.suppress(FileNotFoundError):
            return [Cut(*cut) for cut in json.loads(self._objects.get(key))]
        return []

    def _expire(self, folder: str, now: int) -> None:
        oldest = f"{folder}{_moment(now) - self._keep:{_HOUR}}"
        for entry in list(self._objects.list(folder)):
            if entry.key < oldest:
                self._objects.delete(entry.key)

    # what is forgotten

    def forget(self, until: int) -> None:
        if until > self.forgotten():
            self._objects.put(_FORGOTTEN, _json({"until": until}))

    def forgotten(self) -> int:
        return (self._get(_FORGOTTEN) or {}).get("until", 0)


def _key(consumer: str, number: int) -> str:
    return f"{consumer}/position-{number:012}.json"


def _number(key: str) -> int:
    """0 if it is no position."""
    digits = key.rsplit("/position-", 1)[-1].removesuffix(".json")
    return int(digits) if digits.isdigit() else 0


def _cuts_key(consumer: str, shard: str, at: int) -> str:
    return f"{consumer}/cuts/{shard}/{_moment(at):{_HOUR}}.json"


def _moment(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def total(cuts: list[Cut], until: int) -> int:
    """How many records there are in those that begin before `until`."""
    return sum(cut.records for cut in cuts if cut.first <= until)
