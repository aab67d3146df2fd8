"""Stage 2, the port: records go in durably, come out in order, and are kept to be read again.

An adapter is a module in this folder, named by its URL scheme, with
`open(url, *, clock, retention_seconds, max_bytes, positions) -> Stream`; what it does not need it ignores. In the
folder of the URL `positions` it may keep how far consumers have come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec


class Promise(StrEnum):
    """What an adapter may decline, because what lies under it cannot do it; its `declines` says so.

    What cannot be done without it raises Declined, with a hint.
    """

    COUNTS = "offsets count records from 0, without a gap; else they only tell the order, and `ends` is empty"
    LAG = "a lag is exact, or of much that waits at least a part; else an estimate, but never nothing while some waits"
    ORDER = "records of a shard come in the order in which they were appended, and each comes once"
    REPEATS = "a batch that was not committed comes again with the same identity, also after a crash"
    REPLAY = "what was committed can be had again: `seek`"
    TAIL = "records can be looked at without being taken: `tail` and `cursor`"
    CONSUMERS = "several consumers do not know of each other"
    BYTES = (
        "a line may hold any bytes; else it is UTF-8, and characters that cannot be carried come escaped as JSON does"
    )
    BOUND = "it takes no more than `max_bytes`"


class Record(msgspec.Struct, frozen=True, gc=False):
    """One event: `data` is one line of JSON without its newline; `key` groups what belongs together (a session)."""

    data: bytes
    key: str = ""


@dataclass(frozen=True)
class Batch:
    """Consecutive records of one shard that arrived in the same minute.

    `first` and `last` are offsets, counted from 0 in the shard if they are `counted`, both inclusive. The same (shard,
    first, last) comes back after a crash, with the same `data`: the records' lines, each with its newline.
    """

    shard: str
    first: int
    last: int
    at: datetime
    data: bytes
    counted: bool = True

    def __len__(self) -> int:
        return self.last - self.first + 1 if self.counted else self.data.count(b"\n")


class Lag(NamedTuple):
    """What a consumer has not committed; `oldest` is when the first of these became durable."""

    records: int
    bytes: int
    oldest: datetime | None


class Tail(NamedTuple):
    """Records newer than a cursor, and the cursor to ask with next time (shard → offset)."""

    lines: list[bytes]
    cursor: Mapping[str, int]


class Stream(Protocol):
    """At-least-once, in order within a shard. Not promised: an order between shards, or a batch of a given size."""

    max_record_bytes: int
    declines: frozenset[Promise]

    def append(self, records: Sequence[Record]) -> None:
        """Returns only when all of `records` are durable. Raises Transient when they are not, or may not be."""

    def poll(self, consumer: str, limit_bytes: int) -> Batch | None:
        """The consumer's next batch: the same one until it is committed; of several shards, what has waited longest.

        At least one record; more than the limit only if a single append is.
        """

    def commit(self, consumer: str, batch: Batch) -> None:
        """Move the consumer behind `batch`, durably; does nothing if a seek, or another, moved it meanwhile."""

    def lag(self, consumer: str) -> Lag:
        """What is waiting for the consumer; cheap."""

    def seek(self, consumer: str, at: datetime) -> int:
        """Move the consumer back to the first batch at or after `at`; the old batches keep their identity.

        What is to be forgotten does not come again. Returns how many records will come again.
        """

    def forget(self, until: datetime) -> None:
        """What arrived before `until` is no longer replayed, nor kept longer than consumers need it; durable."""

    def tail(self, cursor: Mapping[str, int] | None, limit_bytes: int | None = None) -> Tail:
        """Records after `cursor`, for the live view; from None, only those to come.

        Not much more than the limit at once: the rest comes with the next cursor.
        """

    def cursor(self, at: datetime) -> Mapping[str, int]:
        """From here `tail` gives what arrived at or after `at`, but not what is to be forgotten."""

    def ends(self) -> Mapping[str, int]:
        """For each shard that is still kept, how many records were ever appended to it."""

    def close(self) -> None:
        """Let go of files and connections. May never be called: a crash must cost nothing."""
