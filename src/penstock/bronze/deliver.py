"""The job that takes the stream's next batches → one object each, durable and announced; then the position moves.

A batch is announced before its object is there, so an object that is there was announced: a crash between any two
steps repeats the batch under the same key, and changes nothing that was done.
"""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from typing import NamedTuple

from isal import isal_zlib

from ..objects import Objects
from ..stream import Lag, Stream
from .layout import batch_key, inbox_key

CONSUMER = "bronze"
_LEVEL = 2
_GZIP = 31


class Delivered(NamedTuple):
    objects: int
    records: int
    bytes: int


def deliver(stream: Stream, bronze: Objects, *, limit_bytes: int) -> Delivered:
    """What waits now, in objects of about `limit_bytes` before compression. What comes meanwhile is left to wait."""
    objects = records = size = 0
    waiting = stream.lag(CONSUMER).records
    while records < waiting and (batch := stream.poll(CONSUMER, limit_bytes)) is not None:
        key = batch_key(batch.shard, batch.first, batch.last, batch.at, counted=batch.counted)
        body = compress(batch.data)
        if not bronze.exists(key):
            announce(bronze, key, len(body))
        # Written also if it is there: who wrote it may have been stopped before it was durable.
        bronze.put(key, body)
        stream.commit(CONSUMER, batch)
        objects, records, size = objects + 1, records + len(batch), size + len(body)
    return Delivered(objects, records, size)


def due(lag: Lag, now: datetime, *, seconds: float, limit_bytes: int) -> bool:
    """Whether enough waits, or waits long enough, for an object to be worth writing."""
    if lag.oldest is None:
        return False
    return lag.bytes >= limit_bytes or now - lag.oldest >= timedelta(seconds=seconds)


def announce(bronze: Objects, key: str, size_bytes: int) -> None:
    """Tell silver that an object of this size is about to be there."""
    bronze.put(inbox_key(key), str(size_bytes).encode())


def compress(data: bytes) -> bytes:
    """gzip without a time stamp or name: the same data gives the same bytes."""
    packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)
    packed: bytes = packer.compress(data) + packer.flush()
    assert zlib.crc32(data).to_bytes(4, "little") == packed[-8:-4]
    return packed
