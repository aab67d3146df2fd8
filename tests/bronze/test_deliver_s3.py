"""The same delivery into an S3 bucket: an emulator (moto) on loopback, reached over real HTTP by the real client."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

from penstock.bronze.deliver import deliver
from penstock.bronze.layout import INBOX
from penstock.objects import Objects
from penstock.stream import Record, memory

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def test_batches_become_objects_in_a_bucket(bucket: str) -> None:
    bronze = Objects(f"{bucket}/bronze")
    stream = memory.open("memory:", clock=lambda: NOW)
    stream.append([Record(b'{"n":%d}' % n) for n in range(100)])
    assert deliver(stream, bronze, limit_bytes=400).records == 100
    keys = sorted(entry.key for entry in bronze.list("year=2026/"))
    assert len(keys) > 1
    assert len(list(bronze.list(INBOX))) == len(keys)
    lines = b"".join(gzip.decompress(bronze.get(key)) for key in keys).splitlines()
    assert lines == [b'{"n":%d}' % n for n in range(100)]
    assert deliver(stream, bronze, limit_bytes=400).objects == 0


def test_a_key_is_taken_once(bucket: str) -> None:
    store = Objects(bucket)
    assert store.put("plans/1", b"first", create=True)
    assert not store.put("plans/1", b"second", create=True)
    assert store.get("plans/1") == b"first"
    store.delete("plans/1")
    assert not store.exists("plans/1")
