"""A commit is there whole or not at all, and each batch once, whoever is interrupted, and wherever."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow.dataset as ds
import pytest
from deltalake import DeltaTable

import committer
from committer import data_file, table_at
from penstock.errors import LakeError, Transient
from penstock.silver import commit as module
from penstock.silver.commit import Table
from penstock.silver.delta_log import set_torn_commits_aside

Damage = Callable[[bytes], bytes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a table"


@pytest.fixture
def table(folder: Path) -> Table:
    return table_at(folder.as_uri())


def again(table: Table) -> Table:
    """The same table, as another process sees it."""
    return table_at(table.url)


def add(table: Table, batch: int, *ids: int, hour: int = 0) -> bool:
    return table.commit(batch, [data_file(table, f"part-{batch}-{os.urandom(4).hex()}", *ids, hour=hour)])


def rows(table: Table) -> list[int]:
    """As anybody reads it: with a DeltaTable of their own."""
    assert table.root is not None
    return sorted(DeltaTable(str(table.root)).to_pyarrow_table()["id"].to_pylist())


def log(table: Table) -> Path:
    assert table.root is not None
    return table.root / "_delta_log"


def entry(table: Table, version: int) -> Path:
    return log(table) / f"{version:020}.json"


# the table


def test_a_missing_table_is_made(table: Table) -> None:
    assert table.version() == 0
    assert table.batch() == 0
    assert rows(table) == []
    assert again(table).version() == 0


def test_what_is_committed_can_be_read_by_anybody(table: Table, folder: Path) -> None:
    add(table, 1, 1, 2, hour=7)
    add(table, 2, 3, hour=8)
    plain = DeltaTable(str(folder))
    assert plain.to_pyarrow_table().sort_by("id").to_pydict() == {"id": [1, 2, 3], "hour": [7, 7, 8]}
    assert plain.to_pyarrow_table(filters=[("hour", "=", 8)])["id"].to_pylist() == [3]
    files = [folder / path for path in table.sizes()]
    listed = ds.dataset(files, partitioning=ds.partitioning(flavor="hive"))
    assert listed.to_table(filter=ds.field("hour") == 7)["id"].to_pylist() == [1, 2]
    assert all(path.stat().st_size == size for path, size in zip(files, table.sizes().values(), strict=True))


@pytest.mark.parametrize("name", ["with space", "ünï", "hash#", "question?"])
def test_a_table_may_lie_anywhere(tmp_path: Path, name: str) -> None:
    table = table_at((tmp_path / name / "table").as_uri())
    add(table, 1, 1)
    assert again(table).batch() == 1
    assert (tmp_path / name / "table" / next(iter(table.sizes()))).exists()


def test_files_of_an_earlier_version(table: Table) -> None:
    add(table, 1, 1)
    before = table.files()
    add(table, 2, 2)
    assert table.files_at(1) == before
    assert table.files_at(2) == table.files() != before
    assert table.files_at(3) == []


def test_a_handle_follows_what_others_commit(table: Table) -> None:
    other = again(table)
    assert other.batch() == 0
    add(table, 1, 1)
    assert (other.batch(), other.version()) == (1, 1)


# batches


def test_a_batch_is_committed_once(table: Table) -> None:
    assert add(table, 1, 1)
    assert not add(table, 1, 100)
    assert not add(again(table), 1, 100)
    assert (table.version(), table.batch(), rows(table)) == (1, 1, [1])


def test_batches_only_go_up(table: Table) -> None:
    assert add(table, 5, 5)
    assert not add(table, 4, 4)
    assert not add(table, 0, 0)
    assert add(table, 9, 9)
    assert (table.batch(), rows(table)) == (9, [5, 9])


def test_a_batch_may_be_empty(table: Table) -> None:
    assert table.commit(1, [])
    assert again(table).batch() == 1
    assert not table.commit(1, [])
    assert set_torn_commits_aside(table.root or Path()) == []


def test_the_slower_of_two_handles_is_told(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    add(table, 1, 1)
    stale = again(table)
    handle = stale.open()
    assert add(table, 2, 2)
    with monkeypatch.context() as patch:
        patch.setattr(stale, "open", lambda: handle)
        with pytest.raises(Transient, match="another writer"):
            add(stale, 2, 200)
    assert rows(table) == [1, 2]
    assert not add(stale, 2, 200)
    assert add(stale, 3, 3)
    assert rows(table) == [1, 2, 3]


def test_of_many_at_once_one_commits(table: Table) -> None:
    table.open()
    everyone = [again(table) for _ in range(4)]
    for batch in range(1, 9):
        gate = threading.Barrier(len(everyone))
        won: list[int] = []

        def race(
            number: int, mine: Table, batch: int = batch, gate: threading.Barrier = gate, won: list[int] = won
        ) -> None:
            files = [data_file(mine, f"part-{batch}-{number}", batch * 10 + number)]
            gate.wait()
            try:
                if mine.commit(batch, files):
                    won.append(batch * 10 + number)
            except Transient:
                assert not mine.commit(batch, files)

        threads = [threading.Thread(target=race, args=pair) for pair in enumerate(everyone)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert rows(table)[-1:] == won
    assert len(rows(table)) == table.batch() == table.version() == 8


def test_a_killed_committer_is_followed_by_another(table: Table) -> None:
    script = Path(committer.__file__)
    acked = 0
    for _ in range(3):
        with subprocess.Popen([sys.executable, str(script), table.url], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            first = acked
            for line in process.stdout:
                acked = int(line) if line.endswith("\n") else acked
                if acked >= first + 10:
                    process.send_signal(signal.SIGKILL)
    found = rows(again(table))
    assert found == list(range(1, len(found) + 1))
    assert len(found) == again(table).batch() >= acked >= 30


# a power cut


def first_line(data: bytes) -> bytes:
    return data.splitlines(keepends=True)[0]


def without(name: str) -> Damage:
    def damage(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        found = next(line for line in lines if line.startswith(b'{"%s"' % name.encode()))
        lines.remove(found)
        return b"".join(lines)

    return damage


DAMAGES: dict[str, Damage] = {
    "empty": lambda data: b"",
    "first line": first_line,
    "half": lambda data: data[: len(data) // 2],
    "half of the last line": lambda data: data[: -len(data.splitlines()[-1]) // 2],
    "one add missing": without("add"),
    "txn missing": without("txn"),
    "zeros": lambda data: bytes(len(data)),
    "zeros at the end": lambda data: data[:300] + bytes(len(data) - 300),
    "not text": lambda data: b"\xff\xfe" + data,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_torn_commit_is_moved_aside_and_its_batch_done_again(table: Table, damage: Damage) -> None:
    add(table, 1, 1)
    files = [data_file(table, "a", 2), data_file(table, "b", 3)]
    table.commit(2, files)
    entry(table, 2).write_bytes(damage(entry(table, 2).read_bytes()))
    opened = again(table)
    assert (opened.batch(), opened.version()) == (1, 1)
    assert rows(table) == [1]
    assert entry(table, 2).with_name(entry(table, 2).name + ".torn").exists()
    assert opened.commit(2, files)
    assert add(opened, 3, 4)
    assert rows(table) == [1, 2, 3, 4]
    assert again(table).batch() == 3


def test_a_commit_is_torn_wherever_it_is_cut(table: Table) -> None:
    add(table, 1, 1)
    add(table, 2, 2)
    whole = entry(table, 2).read_bytes()
    assert not whole.endswith(b"\n")
    for length in range(0, len(whole), 3):
        entry(table, 2).write_bytes(whole[:length])
        [aside] = set_torn_commits_aside(table.root or Path())
        assert aside.read_bytes() == whole[:length]
    entry(table, 2).write_bytes(whole)
    assert set_torn_commits_aside(table.root or Path()) == []
    assert again(table).batch() == 2


def test_a_torn_beginning_is_begun_again(table: Table) -> None:
    table.open()
    whole = entry(table, 0).read_bytes()
    at_line_breaks = {index for index, byte in enumerate(whole) if byte == ord("\n")}
    assert len(at_line_breaks) == 2
    for length in sorted({*range(0, len(whole), 50), *at_line_breaks}):
        entry(table, 0).write_bytes(whole[:length])
        opened = again(table)
        assert opened.version() == 0
        assert add(opened, 1, 1)
        assert rows(table) == [1]
        entry(table, 1).unlink()


def test_damage_that_no_power_cut_does_is_left_for_a_person(table: Table) -> None:
    add(table, 1, 1)
    add(table, 2, 2)
    entry(table, 1).write_bytes(b"")
    with pytest.raises(LakeError, match="damaged") as caught:
        again(table).open()
    assert caught.value.hint
    assert entry(table, 2).exists()


@pytest.mark.parametrize("failing", ["sync_file", "sync_folder"])
def test_a_commit_that_could_not_be_synced_does_not_count(
    table: Table, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    add(table, 1, 1)
    files = [data_file(table, "a", 2)]

    def fail(path: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(module, failing, fail)
        with pytest.raises(OSError, match="Input/output"):
            table.commit(2, files)
    assert (table.batch(), again(table).batch()) == (1, 1)
    assert table.commit(2, files)
    assert rows(table) == [1, 2]


def test_a_commit_is_synced_before_it_returns(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    table.open()
    synced = spy_on_sync(monkeypatch)
    add(table, 1, 1)
    assert synced[-3:] == [entry(table, 1).name, "_delta_log", "a table"]


def test_what_a_killed_committer_did_not_sync_is_synced_on_opening(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(table, "_sync_commit", lambda version: None)
        add(table, 1, 1)
    synced = spy_on_sync(monkeypatch)
    assert again(table).batch() == 1
    assert synced[-2:] == [entry(table, 1).name, "_delta_log"]


def spy_on_sync(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what is synced, in order."""
    found: list[str] = []
    real = os.fsync

    def spying(descriptor: int) -> None:
        found.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", spying)
    return found


# checkpoints


COMMITS = 203


@pytest.fixture(scope="module")
def long_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long") / "table"
    table = table_at(folder.as_uri())
    for batch in range(1, COMMITS + 1):
        add(table, batch, batch)
    return folder


@pytest.fixture
def long(long_table: Path, folder: Path) -> Table:
    shutil.copytree(long_table, folder)
    return table_at(folder.as_uri())


def test_every_hundredth_commit_is_followed_by_a_checkpoint(long: Table) -> None:
    checkpoints = sorted(path.name for path in log(long).glob("*.checkpoint*.parquet"))
    assert [int(name[:20]) for name in checkpoints] == [100, 200]
    assert json.loads((log(long) / "_last_checkpoint").read_text())["version"] == 200
    assert len(list(log(long).glob("*.json"))) == COMMITS + 1, "and no commit is taken away"


def test_a_checkpoint_holds_all_that_came_before(long: Table) -> None:
    for version in range(200):
        entry(long, version).unlink()
    assert long.batch() == COMMITS
    assert rows(long) == list(range(1, COMMITS + 1))
    assert add(long, COMMITS + 1, 0)


LAST = f"{200:020}.checkpoint.parquet"
TORN_CHECKPOINTS: dict[str, tuple[str, Damage]] = {
    "empty": (LAST, lambda data: b""),
    "half": (LAST, lambda data: data[: len(data) // 2]),
    "zeros": (LAST, lambda data: bytes(len(data))),
    "zeros in the middle": (LAST, lambda data: data[:50] + bytes(len(data) - 100) + data[-50:]),
    "older": (f"{100:020}.checkpoint.parquet", lambda data: b""),
    "empty pointer": ("_last_checkpoint", lambda data: b""),
    "half a pointer": ("_last_checkpoint", lambda data: data[: len(data) // 2]),
    "pointer into the future": ("_last_checkpoint", lambda data: b'{"version":300,"size":5}'),
    "pointer of another kind": ("_last_checkpoint", lambda data: b"[]"),
}


@pytest.mark.parametrize(("name", "damage"), TORN_CHECKPOINTS.values(), ids=TORN_CHECKPOINTS)
def test_a_torn_checkpoint_costs_nothing(long: Table, name: str, damage: Damage) -> None:
    path = log(long) / name
    path.write_bytes(damage(path.read_bytes()))
    assert long.batch() == COMMITS
    assert rows(long) == list(range(1, COMMITS + 1))
    assert add(long, COMMITS + 1, 0)
    assert again(long).batch() == COMMITS + 1
    assert len(rows(long)) == COMMITS + 1


def test_a_checkpoint_of_a_torn_commit_goes_with_it(long: Table) -> None:
    for version in range(201, COMMITS + 1):
        entry(long, version).unlink()
    entry(long, 200).write_bytes(b"")
    assert long.batch() == 199
    assert rows(long) == list(range(1, 200))
    assert add(long, 200, 200)
    assert rows(again(long)) == list(range(1, 201))


# others


def test_what_others_do_to_the_table_is_kept(table: Table, folder: Path) -> None:
    for batch in range(1, 5):
        add(table, batch, batch)
    DeltaTable(str(folder)).optimize.compact()
    assert (table.batch(), table.version()) == (4, 5)
    assert add(table, 5, 5)
    assert not add(again(table), 5, 500)
    assert rows(table) == [1, 2, 3, 4, 5]
    DeltaTable(str(folder)).delete("id = 3")
    assert again(table).batch() == 5
    assert add(table, 6, 6)
    assert rows(table) == [1, 2, 4, 5, 6]


def test_a_commit_without_a_first_line_is_somebody_elses(table: Table) -> None:
    """The protocol does not ask for a commitInfo."""
    add(table, 1, 1)
    table.commit(2, [data_file(table, "theirs", 2)])
    theirs = b"".join(entry(table, 2).read_bytes().splitlines(keepends=True)[1:])
    entry(table, 2).write_bytes(theirs)
    assert rows(again(table)) == [1, 2]
    assert again(table).batch() == 2
