"""The stream on Amazon Kinesis: `kinesis://NAME`.

An offset is a sequence number, up to 56 digits, so offsets tell the order and nothing else. Kinesis keeps no consumers:
where ours stand, and where their batches were cut, lies in small objects beside the lake (`_bookmarks.py`): the lake is
what a consumer has anyway, so nothing more must be set up, paid or permitted. A Lambda needs none of it: its event
source mapping keeps its own. What arrived is told by Kinesis' clock. A shard is read when its parents are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from ..clock import Clock, utc_now
from ..errors import SettingsError
from . import Batch, Lag, Promise, Record, Stream, Tail, _kinesis_put
from ._aws import client, name, told
from ._bookmarks import Bookmarks, Cut, Positions, total
from ._kinesis_read import Reader, Shards
from ._packing import lines

if TYPE_CHECKING:
    from ..advise import Load

_AHEAD_BYTES = 32 << 20
_IN_HAND_BYTES = 64 << 20
_MOST_PIECES = 100
_BACK = timedelta(seconds=10)
"""Of what is the newest now: nobody's clock is wrong by more."""


def open(
    url: str,
    *,
    clock: Clock = utc_now,
    retention_seconds: int = 24 * 3600,
    positions: str | None = None,
    idle_seconds: float = 1.0,
    **_: object,
) -> Stream:
    """`kinesis://NAME`; to append, nothing else is needed. How long records are kept is set at the stream."""
    return KinesisStream(name(url), clock, retention_seconds, positions, idle_seconds)


def measure(url: str) -> Load:
    """How it is loaded, for `penstock advise`."""
    # Only here: a collector in a Lambda has no structlog.
    from . import _load

    return _load.kinesis(name(url))


class _Known(NamedTuple):
    """The batch that begins behind a position, with a record: None if none was handed out from there yet."""

    after: int
    first: int
    cut: Cut | None


class KinesisStream:
    max_record_bytes = _kinesis_put.MAX_RECORD_BYTES
    declines = frozenset({Promise.COUNTS, Promise.BOUND})

    def __init__(
        self, stream: str, clock: Clock, keep_seconds: float, positions: str | None, idle_seconds: float
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._keep_seconds = keep_seconds
        self._positions = positions
        self._idle_seconds = idle_seconds
        self._client = client("kinesis")
        self._shards = Shards(self._client, stream)
        self._readers: dict[tuple[str, str], Reader] = {}
        self._tails: dict[str, Reader] = {}
        self._known: dict[tuple[str, str], _Known] = {}
        self._marks: Bookmarks | None = None

    def append(self, records: Sequence[Record]) -> None:
        _kinesis_put.put(self._client, self._stream, records)

    # consumers

    def poll(self, consumer: str, limit_bytes: int) -> Batch | None:
        readers = self._read(consumer, min(limit_bytes, _AHEAD_BYTES))
        # What was handed out already comes again before anything else; then what has waited longest.
        waiting = [
            (self._cut(consumer, shard, reader) is None, reader.items[0].at, shard)
            for shard, reader in readers.items()
            if reader.items
        ]
        if not waiting:
            return None
        _, _, shard = min(waiting)
        reader = readers[shard]
        cut = self._cut(consumer, shard, reader)
        if cut is None:
            cut = self._bookmarks.freeze(consumer, shard, _next_cut(reader, limit_bytes))
            self._known[consumer, shard] = _Known(reader.after, cut.first, cut)
        with told():
            reader.fill_to(cut.last)
        data = b"".join(item.data for item in reader.items if item.offset <= cut.last)
        return Batch(self._name(shard), cut.first, cut.last, _moment(cut.at), data, counted=False)

    def _cut(self, consumer: str, shard: str, reader: Reader) -> Cut | None:
        """The batch that was handed out already from where the reader stands."""
        first = reader.items[0]
        known = self._known.get((consumer, shard))
        if known is None or (known.after, known.first) != (reader.after, first.offset):
            cut = self._bookmarks.cut(consumer, shard, first.offset, first.at)
            known = self._known[consumer, shard] = _Known(reader.after, first.offset, cut)
        return known.cut

    def commit(self, consumer: str, batch: Batch) -> None:
        shard = batch.shard.removeprefix(f"{self._stream}-")
        known = self._known.get((consumer, shard))
        if known is None or known.cut is None or (known.first, known.cut.last) != (batch.first, batch.last):
            return
        listed = self._listed()

        def behind(positions: Positions) -> Positions | None:
            if positions.get(shard, 0) != known.after:
                return None
            return {name: at for name, at in positions.items() if name in listed} | {shard: batch.last}

        self._bookmarks.move(consumer, behind)

    def lag(self, consumer: str) -> Lag:
        """Of what was read ahead: all there is, unless that is more than fits in memory."""
        items = [item for reader in self._read(consumer, _AHEAD_BYTES).values() for item in reader.items]
        oldest = min((item.at for item in items), default=None)
        return Lag(
            sum(item.data.count(b"\n") for item in items),
            sum(len(item.data) for item in items),
            None if oldest is None else _moment(oldest),
        )

    def _read(self, consumer: str, most_bytes: int) -> dict[str, Reader]:
        """Shards whose parents the consumer has taken, each read ahead from its position on."""
        found: dict[str, Reader] = {}
        listed = self._listed()
        for _ in range(2):
            positions = self._bookmarks.positions(consumer)
            self._forget_readers(consumer, listed)
            for shard, parents in listed.items():
                if all(parent not in listed or (parent in found and found[parent].done) for parent in parents):
                    found[shard] = self._reader(consumer, shard, positions.get(shard, 0))
                    if self._in_hand(consumer) < _IN_HAND_BYTES:
                        with told():
                            found[shard].fill(most_bytes)
            parents_of_some = {parent for parents in listed.values() for parent in parents}
            if all(not reader.done or shard in parents_of_some for shard, reader in found.items()):
                break
            listed = self._listed(again=True)  # one was closed: its children must be there
        return found

    def _reader(self, consumer: str, shard: str, after: int) -> Reader:
        reader = self._readers.get((consumer, shard))
        if reader is None or not reader.forward(after):
            reader = self._readers[consumer, shard] = self._from(shard, after)
        return reader

    def _forget_readers(self, consumer: str, listed: Mapping[str, list[str]]) -> None:
        for key in [key for key in self._readers if key[0] == consumer and key[1] not in listed]:
            del self._readers[key]

    def _in_hand(self, consumer: str) -> int:
        return sum(reader.bytes for key, reader in self._readers.items() if key[0] == consumer)

    # replay

    def seek(self, consumer: str, at: datetime) -> int:
        since = max(_millis(at), self._bookmarks.forgotten())
        back: dict[str, int] = {}
        again = 0
        positions = self._bookmarks.positions(consumer)
        for shard in self._listed():
            position = positions.get(shard, 0)
            if position <= 0:
                continue
            with told():
                item = self._from(shard, -since).first_since(since)
            if item is not None and item.offset <= position:
                cuts = self._bookmarks.since(consumer, shard, item.offset)
                back[shard] = cuts[0].after if cuts else -since
                again += total(cuts, position)
        if back:
            self._bookmarks.move(consumer, lambda positions: _back(back, positions))
        return again

    def forget(self, until: datetime) -> None:
        """It is not replayed. Kinesis itself keeps it for as long as it keeps everything."""
        self._bookmarks.forget(_millis(until))

    # looking

    def tail(self, cursor: Mapping[str, int] | None, limit_bytes: int | None = None) -> Tail:
        if cursor is None:
            # Of what is the newest, nobody tells the number; so what came just now is read, and left out.
            return Tail([], self._newest())
        found: list[bytes] = []
        ends: dict[str, int] = {}
        left = _AHEAD_BYTES if limit_bytes is None else limit_bytes
        for shard in self._listed():
            reader = self._looking(shard, cursor.get(self._name(shard), 0))
            if left > 0:
                with told():
                    reader.fill(left)
            while reader.items and left > 0:
                item = reader.take()
                left -= len(item.data)
                found += lines(item.data)
            ends[self._name(shard)] = reader.after
        return Tail(found, ends)

    def _newest(self) -> Mapping[str, int]:
        tail = self.tail(self.cursor(self._clock() - _BACK))
        for _ in range(_MOST_PIECES):
            if not tail.lines:
                break
            tail = self.tail(tail.cursor)
        return tail.cursor

    def _looking(self, shard: str, after: int) -> Reader:
        reader = self._tails.get(shard)
        if reader is None or reader.after != after:
            reader = self._tails[shard] = self._from(shard, after)
        return reader

    def cursor(self, at: datetime) -> Mapping[str, int]:
        since = max(_millis(at), self._bookmarks.forgotten())
        return {self._name(shard): -since for shard in self._listed()}

    def ends(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        self._client.close()
        self._readers.clear()
        self._tails.clear()

    # what all need

    @property
    def _bookmarks(self) -> Bookmarks:
        if self._marks is None:
            if self._positions is None:
                raise SettingsError(
                    "a consumer of Kinesis must know where positions are kept", hint="open it with `positions`"
                )
            # Only here: who just appends, in a Lambda, has no obstore.
            from ..objects import Objects

            self._marks = Bookmarks(
                Objects(f"{self._positions}/{self._stream}"),
                keep_seconds=self._keep_seconds,
                idle_seconds=self._idle_seconds,
            )
        return self._marks

    def _listed(self, *, again: bool = False) -> Mapping[str, list[str]]:
        with told():
            return self._shards.parents(again=again)

    def _from(self, shard: str, after: int) -> Reader:
        return Reader(self._client, self._stream, shard, after, lambda: _millis(self._clock()), self._idle_seconds)

    def _name(self, shard: str) -> str:
        """Shards of two streams have the same names."""
        return f"{self._stream}-{shard}"


def _next_cut(reader: Reader, limit_bytes: int) -> Cut:
    """Records in hand of one arrival minute within the limit; at least one."""
    first = last = reader.items[0]
    size = records = 0
    for item in reader.items:
        size += len(item.data)
        if item is not first and (item.at // 60_000 != first.at // 60_000 or size > limit_bytes):
            break
        last = item
        records += item.data.count(b"\n")
    return Cut(reader.after, first.offset, last.offset, first.at, records)


def _back(to: Positions, positions: Positions) -> Positions:
    """Where another has moved it further back meanwhile, it stays."""
    found = dict(positions)
    for shard, position in to.items():
        if found.get(shard, 0) > 0:
            found[shard] = min(found[shard], position)
    return found


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000 + 0.5)


def _moment(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)
