"""The key's file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.dashboard.access.key import SigningKey


def test_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "dashboard.key"
    key = SigningKey(path).current()
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert SigningKey(path).current() == key
    assert [file.name for file in path.parent.iterdir()] == ["dashboard.key"]


def test_a_new_one_counts_for_others_too(tmp_path: Path) -> None:
    one, other = SigningKey(tmp_path / "key"), SigningKey(tmp_path / "key")
    before = one.current()
    other.renew()
    assert one.current() == other.current() != before


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_what_is_no_key_is_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    key = SigningKey(path).current()
    assert path.read_bytes() == key != content


def test_one_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"k" * 32)
    path.chmod(0o644)
    assert SigningKey(path).current() != b"k" * 32
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc")  # noqa: PTH112
def test_where_nothing_can_be_written_it_is_in_memory() -> None:
    key = SigningKey(Path("/proc/penstock/dashboard.key"))
    first = key.current()
    assert key.current() == first
    key.renew()
    assert key.current() != first
