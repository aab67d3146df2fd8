"""What was acknowledged survives a power cut: real ones, on a disk in a file (see `power.py`)."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from deltalake import DeltaTable

import appender
import committer
from committer import table_at
from penstock.bronze.deliver import CONSUMER, deliver
from penstock.bronze.layout import INBOX, from_inbox, span
from penstock.objects import Objects
from penstock.stream import Stream, sqlite
from power import KINDS, Disk

pytestmark = pytest.mark.heavy

ROUNDS = 5


@pytest.fixture(params=KINDS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path, request.param)
    yield made
    made.close()


def acknowledged(disk: Disk, more: int, script: str, *arguments: str) -> int:
    """Run a script until it has acknowledged `more` times, then cut the power; returns its last word before."""
    with subprocess.Popen(
        [sys.executable, script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            for _ in range(more):
                last = int(process.stdout.readline())
            disk.cut()
        finally:
            process.kill()
    disk.back()
    return last


def stream_url(disk: Disk) -> str:
    return (disk.folder / "stream").as_uri().replace("file:", "sqlite:")


def opened(disk: Disk) -> Stream:
    return sqlite.open(stream_url(disk))


def numbers(lines: list[bytes], writer: str) -> list[int]:
    return [row["n"] for row in map(json.loads, lines) if row["writer"] == writer]


@pytest.mark.parametrize("count", [1, 300])
def test_an_acknowledged_append_survives(disk: Disk, count: int) -> None:
    acked = {}
    for cut in range(ROUNDS):
        name = f"round{cut}"
        acked[name] = acknowledged(disk, 50 + 7 * cut, appender.__file__, stream_url(disk), name, str(count))
    with closing(opened(disk)) as stream:
        lines = stream.tail({}).lines
        assert stream.lag("c").records == len(lines)
    for name, least in acked.items():
        found = numbers(lines, name)
        assert found == list(range(len(found)))
        assert len(found) >= least > 0


def test_each_record_is_delivered_once(disk: Disk) -> None:
    acked = {}
    bronze = Objects((disk.folder / "bronze").as_uri())
    for cut in range(ROUNDS):
        name = f"round{cut}"
        acked[name] = acknowledged(disk, 20 + 7 * cut, appender.__file__, stream_url(disk), name, "10", "deliver")
    with closing(opened(disk)) as stream:
        deliver(stream, bronze, limit_bytes=10_000)
        assert stream.lag(CONSUMER).records == 0
    objects = {e.key: gzip.decompress(bronze.get(e.key)) for e in bronze.list() if not e.key.startswith(INBOX)}
    assert {from_inbox(e.key): int(bronze.get(e.key)) for e in bronze.list(INBOX)} == {
        key: len(bronze.get(key)) for key in objects
    }
    ends: dict[str, int] = {}
    for shard, first, last in sorted(found for key in objects if (found := span(key))):
        assert first == ends.get(shard, 0)
        ends[shard] = last + 1
    lines = [line for data in objects.values() for line in data.splitlines()]
    for name, least in acked.items():
        delivered = sorted(numbers(lines, name))
        assert delivered == list(range(len(delivered)))
        assert len(delivered) >= least > 0


def test_a_committed_batch_survives(disk: Disk) -> None:
    folder = disk.folder / "table"
    for cut in range(ROUNDS):
        acked = acknowledged(disk, 10 + 3 * cut, committer.__file__, folder.as_uri())
        table = table_at(folder.as_uri())
        batch = table.batch()
        assert batch >= acked > 0
        rows = DeltaTable(str(folder)).to_pyarrow_table()["id"].to_pylist()
        assert sorted(rows) == list(range(1, batch + 1))


def test_without_syncing_these_tests_would_fail(disk: Disk) -> None:
    """A cut that costs nothing when nothing is synced would prove nothing above."""
    acked = acknowledged(disk, 50, appender.__file__, stream_url(disk), "careless", "10", "unsynced")
    with closing(opened(disk)) as stream:
        assert len(stream.tail({}).lines) < acked
    folder = disk.folder / "table"
    acked = acknowledged(disk, 20, committer.__file__, folder.as_uri(), "unsynced")
    assert table_at(folder.as_uri()).batch() < acked
