"""A disk that is really full: refused, never lost, and taken again as soon as there is room."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hand_clock import HandClock
from penstock.errors import StreamFull, Transient
from penstock.stream import Record, Stream, sqlite

ALL = 1 << 30
MEGABYTE = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16M", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine does not mount a small disk: {done.stderr.strip()}")
    yield folder
    if subprocess.run(["umount", str(folder)], check=False).returncode:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        pytest.fail("a file was left open")


def opened(disk: Path) -> Stream:
    return sqlite.open((disk / "stream").as_uri(), clock=HandClock(), max_bytes=ALL, rotate_bytes=2 * MEGABYTE)


def record(n: int) -> Record:
    return Record(b'{"n":%d,"x":"%s"}' % (n, random.Random(n).randbytes(50_000).hex().encode()))


def numbers(stream: Stream) -> list[int]:
    found = []
    while (batch := stream.poll("bronze", ALL)) is not None:
        found += [json.loads(line)["n"] for line in batch.data.splitlines()]
        stream.commit("bronze", batch)
    return found


def test_what_does_not_fit_is_refused_and_taken_when_there_is_room(disk: Path) -> None:
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(6 * MEGABYTE))
    with closing(opened(disk)) as stream:
        acked = 0
        with pytest.raises(Transient) as caught:
            for acked in range(10_000):
                stream.append([record(acked)])
        assert not isinstance(caught.value, StreamFull)
        assert acked > 20
        files = len(list((disk / "stream").iterdir()))
        for _ in range(50):
            with pytest.raises(Transient):
                stream.append([record(acked)])
        assert len(list((disk / "stream").iterdir())) <= files + 3, "the attempts do not fill the disk with files"
        ballast.unlink()
        stream.append([record(acked)])
        assert sorted(numbers(stream)) == list(range(acked + 1))


def test_what_is_delivered_gives_way(disk: Path) -> None:
    """The disk is smaller than the bound, so it is full before the stream is."""
    refused = 0
    found: list[int] = []
    with closing(opened(disk)) as stream, closing(opened(disk)) as worker:
        for n in range(400):
            try:
                stream.append([record(n)])
            except Transient:
                refused += 1
                found += numbers(worker)  # lets go of the files that were removed
                stream.append([record(n)])
            found += numbers(worker)
    assert found == list(range(400))
    assert refused > 0, "40 MB went through"
