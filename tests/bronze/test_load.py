"""Files of events → bronze, each content once."""

from __future__ import annotations

import hashlib
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from faults import Crash, Fault
from hand_clock import NOON
from penstock.bronze import load as module
from penstock.bronze.layout import INBOX, arrival, from_inbox, source, span
from penstock.bronze.load import Loaded, load
from penstock.errors import BadFile
from penstock.objects import Objects

LINES = b'{"n":1}\n{"n":2}\n'


@pytest.fixture
def bronze(tmp_path: Path) -> Objects:
    return Objects((tmp_path / "bronze").as_uri())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(LINES)
    return path


def objects(bronze: Objects) -> dict[str, bytes]:
    """What was loaded: key → bytes."""
    return {e.key: bronze.get(e.key) for e in bronze.list() if arrival(e.key) and not e.key.startswith(INBOX)}


def inbox(bronze: Objects) -> dict[str, int]:
    return {from_inbox(e.key): int(bronze.get(e.key)) for e in bronze.list(INBOX)}


def test_a_file_is_taken_as_it_is(bronze: Objects, file: Path) -> None:
    done = load(bronze, file, NOON)
    assert done.new
    assert objects(bronze) == {done.key: LINES}
    assert inbox(bronze) == {done.key: len(LINES)}
    assert file.read_bytes() == LINES
    assert arrival(done.key) == NOON
    assert hashlib.sha256(LINES).hexdigest()[:16] in done.key
    assert done.key.endswith("events.jsonl")
    assert span(done.key) is None


@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=5), timedelta(days=400)])
def test_the_same_file_again_adds_nothing(bronze: Objects, file: Path, later: timedelta) -> None:
    first = load(bronze, file, NOON)
    for entry in list(bronze.list(INBOX)):
        bronze.delete(entry.key)
    assert load(bronze, file, NOON + later) == Loaded(first.key, new=False)
    assert objects(bronze) == {first.key: LINES}
    assert inbox(bronze) == {}


def test_the_same_content_under_another_name_adds_nothing(bronze: Objects, file: Path) -> None:
    first = load(bronze, file, NOON)
    copy = file.with_name("other.ndjson")
    copy.write_bytes(LINES)
    assert load(bronze, copy, NOON) == Loaded(first.key, new=False)


def test_another_content_under_the_same_name_is_another_object(bronze: Objects, file: Path) -> None:
    first = load(bronze, file, NOON)
    file.write_bytes(LINES + b'{"n":3}\n')
    second = load(bronze, file, NOON)
    assert second.new
    assert objects(bronze) == {first.key: LINES, second.key: LINES + b'{"n":3}\n'}


NAMES = ["a.jsonl", "a.ndjson", "a.json", "a.jsonl.gz", "a.zst", "A.JSONL", "a b.json", "..json", "-rf.json"]
ODD_NAMES = ["$(x).json", "a!b.json", "é.json", "\N{MATHEMATICAL BOLD CAPITAL A}" * 50 + ".json", "new\nline.json"]


@pytest.mark.parametrize("name", [*NAMES, *ODD_NAMES, "x" * 240 + ".jsonl"])
def test_any_name_becomes_a_key(bronze: Objects, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(LINES)
    done = load(bronze, path, NOON)
    assert objects(bronze) == {done.key: LINES}
    assert inbox(bronze) == {done.key: len(LINES)}
    assert done.key.isascii()
    assert done.key.rsplit(".", 1)[-1] == name.rsplit(".", 1)[-1]


@pytest.mark.parametrize("name", ["events.csv", "events.parquet", "events.jsonl.tmp", "events.jsonl~"])
def test_another_kind_of_file_is_refused(bronze: Objects, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(LINES)
    assert_refused(bronze, tmp_path / name, "unknown_kind")


@pytest.mark.parametrize("name", ["events", "gz"])
def test_without_an_ending_the_first_bytes_tell(bronze: Objects, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"n,m\n1,2\n")
    assert_refused(bronze, tmp_path / name, "unknown_kind")
    (tmp_path / name).write_bytes(LINES)
    assert load(bronze, tmp_path / name, NOON).new


def test_folders_above_a_file_tell_when_it_came(bronze: Objects, tmp_path: Path) -> None:
    path = tmp_path / "year=2025/month=03/day=04/hour=05/source=shop/a.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(LINES)
    done = load(bronze, path, NOON, tmp_path)
    assert arrival(done.key) == datetime(2025, 3, 4, 5, tzinfo=UTC)
    assert source(done.key) == "shop"


def test_a_link_is_refused(bronze: Objects, file: Path, tmp_path: Path) -> None:
    link, dangling = tmp_path / "link.jsonl", tmp_path / "dangling.jsonl"
    link.symlink_to(file)
    dangling.symlink_to(tmp_path / "nowhere.jsonl")
    assert_refused(bronze, link, "not_regular_file")
    assert_refused(bronze, dangling, "not_regular_file")


def test_what_is_no_file_is_refused(bronze: Objects, tmp_path: Path) -> None:
    pipe, folder, device = tmp_path / "pipe.jsonl", tmp_path / "folder.jsonl", tmp_path / "socket.jsonl"
    os.mkfifo(pipe)
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(device))
    for path in (pipe, folder, device, tmp_path / "missing.jsonl"):
        assert_refused(bronze, path, "not_regular_file")


def test_a_file_that_is_too_large_is_refused(bronze: Objects, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILE_BYTES", len(LINES) - 1)
    assert_refused(bronze, file, "file_too_large")
    monkeypatch.setattr(module, "FILE_BYTES", len(LINES))
    assert load(bronze, file, NOON).new


def assert_refused(bronze: Objects, path: Path, reason: str) -> None:
    with pytest.raises(BadFile) as caught:
        load(bronze, path, NOON)
    assert caught.value.reason == reason
    assert path.name in str(caught.value)
    assert list(bronze.list()) == []


def test_an_empty_file_is_a_file(bronze: Objects, file: Path) -> None:
    file.write_bytes(b"")
    assert load(bronze, file, NOON).new
    assert not load(bronze, file, NOON).new


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_any_two_steps(tmp_path: Path, file: Path, after: bool) -> None:
    for nth in count(1):
        bronze = Objects((tmp_path / f"bronze-{nth}").as_uri())
        fault = Fault(nth, after=after)
        with suppress(Crash):
            load(fault.at(bronze), file, NOON)
        renamed = file.with_name("renamed.jsonl")
        renamed.write_bytes(LINES)
        done = load(bronze, renamed, NOON + timedelta(days=1))
        assert objects(bronze) == {done.key: LINES}
        assert inbox(bronze) == {done.key: len(LINES)}
        assert not load(bronze, file, NOON + timedelta(days=2)).new
        if not fault.happened:
            break
    assert nth > 3
