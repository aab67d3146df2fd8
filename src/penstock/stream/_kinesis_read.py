"""The shards of a Kinesis stream → records, read ahead of whoever takes them, each with its sequence number."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any, NamedTuple

from ..errors import Transient
from ._aws import AwsError, ask, code, tries
from ._packing import ended

_SECONDS = 10.0
_LIST_SECONDS = 60.0
_CALL_RECORDS = 2000
_MOST_CALLS = 200
_EXPIRED = "ExpiredIteratorException"


class Item(NamedTuple):
    """A record of Kinesis: `at` is when it arrived (milliseconds); `data` is lines, each with its newline."""

    offset: int
    at: int
    data: bytes


class Shards:
    """Which shards there are, each with its parents: those it was made of by a split or merge."""

    def __init__(self, client: Any, stream: str) -> None:
        self._client = client
        self._stream = stream
        self._read_at = float("-inf")
        self._parents: dict[str, list[str]] = {}

    def parents(self, *, again: bool = False) -> Mapping[str, list[str]]:
        """By id, so parents come first; asked again now and then, for old ones go when all in them is too old."""
        if again or monotonic() - self._read_at > _LIST_SECONDS:
            self._parents = {
                shard["ShardId"]: [
                    parent for name in ("ParentShardId", "AdjacentParentShardId") if (parent := shard.get(name))
                ]
                for shard in sorted(self._list(), key=lambda shard: str(shard["ShardId"]))
            }
            self._read_at = monotonic()
        return self._parents

    def _list(self) -> Iterator[dict[str, Any]]:
        asked = {"StreamName": self._stream}
        while asked:
            page = ask(self._client.list_shards, seconds=_SECONDS, **asked)
            yield from page["Shards"]
            asked = {"NextToken": page["NextToken"]} if page.get("NextToken") else {}


class Reader:
    """One shard from a position on: 0 is its beginning, less than 0 a time (milliseconds), else behind that record.

    It asks no more often than every `idle_seconds` when it has all there is.
    """

    def __init__(self, client: Any, stream: str, shard: str, after: int, now: Callable[[], int], idle: float) -> None:
        self.after = after
        self.items: deque[Item] = deque()
        self.bytes = 0
        self.ended = False
        """The shard was closed, and all of it was read."""
        self._client = client
        self._stream = stream
        self._shard = shard
        self._now = now
        self._idle_seconds = idle
        self._iterator: str | None = None
        self._read_to = after
        self._all_at = float("-inf")

    @property
    def done(self) -> bool:
        return self.ended and not self.items

    def fill(self, most_bytes: int) -> None:
        """Until so much is in hand, or all there is."""
        for _ in range(_MOST_CALLS):
            if self.ended or self.bytes >= most_bytes or monotonic() - self._all_at < self._idle_seconds:
                return
            if self._fetch():
                self._all_at = monotonic()
                return

    def fill_to(self, offset: int) -> None:
        """Until the record of that sequence number is in hand, which was seen before."""
        for _ in range(_MOST_CALLS):
            if self.ended or (self.items and self.items[-1].offset >= offset):
                return
            self._fetch()

    def first_since(self, at: int) -> Item | None:
        """The first record that arrived then or later."""
        for _ in range(_MOST_CALLS):
            while self.items:
                if self.items[0].at >= at:
                    return self.items[0]
                self.take()
            if self.ended or (self._fetch() and not self.items):
                return None
        return None

    def take(self) -> Item:
        item = self.items.popleft()
        self.bytes -= len(item.data)
        self.after = item.offset
        return item

    def forward(self, after: int) -> bool:
        """Go on behind a record; False if it was not read, or lies behind us."""
        if self.after != after and not any(item.offset == after for item in self.items):
            return False
        while self.after != after:
            self.take()
        return True

    def _fetch(self) -> bool:
        """More records; True if there are no more for now."""
        answer = self._get()
        for record in answer["Records"]:
            at = int(record["ApproximateArrivalTimestamp"].timestamp() * 1000 + 0.5)
            item = Item(int(record["SequenceNumber"]), at, ended(record["Data"]))
            self.items.append(item)
            self.bytes += len(item.data)
            self._read_to = item.offset
        self._iterator = answer.get("NextShardIterator")
        self.ended = self._iterator is None
        return self.ended or answer.get("MillisBehindLatest", 0) <= 0

    def _get(self) -> dict[str, Any]:
        """Throttled, it waits; of an iterator that was not used for five minutes it gets a new one."""
        error: Exception | None = None
        for _ in tries(_SECONDS):
            iterator = self._iterator or self._begin()
            try:
                answer: dict[str, Any] = ask(
                    self._client.get_records, seconds=_SECONDS, ShardIterator=iterator, Limit=_CALL_RECORDS
                )
                return answer
            except AwsError as failed:
                if code(failed) != _EXPIRED:
                    raise
                error, self._iterator = failed, None
        raise Transient(f"shard {self._shard} cannot be read: {error}") from error

    def _begin(self) -> str:
        if self._read_to > 0:
            return self._ask("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=str(self._read_to))
        if self._read_to == 0:
            return self._ask("TRIM_HORIZON")
        # A time to come is refused.
        at = min(-self._read_to, self._now())
        return self._ask("AT_TIMESTAMP", Timestamp=datetime.fromtimestamp(at / 1000, UTC))

    def _ask(self, kind: str, **where: Any) -> str:
        what = {"StreamName": self._stream, "ShardId": self._shard, "ShardIteratorType": kind, **where}
        answer = ask(self._client.get_shard_iterator, seconds=_SECONDS, **what)
        return str(answer["ShardIterator"])
