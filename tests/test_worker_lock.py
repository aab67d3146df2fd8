"""One worker at a time; who only looks is in nobody's way."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from penstock.errors import SettingsError
from penstock.worker_lock import only_worker, worker_runs


def test_one_at_a_time(tmp_path: Path) -> None:
    with only_worker(tmp_path):
        assert worker_runs(tmp_path)
        with pytest.raises(SettingsError, match=str(os.getpid())), only_worker(tmp_path):
            raise AssertionError("two workers")
    assert not worker_runs(tmp_path)


def test_looking_changes_nothing(tmp_path: Path) -> None:
    assert not worker_runs(tmp_path / "data")
    assert list(tmp_path.iterdir()) == []
    with only_worker(tmp_path):
        pass
    before = (tmp_path / "worker.lock").read_bytes()
    assert not worker_runs(tmp_path)
    assert (tmp_path / "worker.lock").read_bytes() == before


def test_two_who_look_do_not_take_each_other_for_a_worker(tmp_path: Path) -> None:
    with only_worker(tmp_path):
        pass
    with (tmp_path / "worker.lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert not worker_runs(tmp_path)
