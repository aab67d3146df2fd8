"""A Delta table whose commits survive a power cut: our Parquet files + a batch number → one commit, or nothing.

delta-rs fsyncs nothing on a local disk, takes an empty commit at the end of its log for a good one, and does not
enforce `txn`. So: the files are fsynced by us before; the commit goes through the very handle whose `txn` was read;
the commit's JSON and its folder are fsynced before anybody is told; and on opening, a torn commit at the end is moved
aside, after which the batch is simply done again, and the commit that is then last is fsynced, for its writer may have
been stopped before it came to that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from ..errors import LakeError, Transient
from ..objects import Objects, local_path, make_folder, sync_file, sync_folder
from .columns import Column, arrow

APP = "penstock"
_CHECKPOINT_EVERY = 100
_LOOKBACK = 2
_POINTER = "_last_checkpoint"
_DIGITS = 20


@dataclass(frozen=True)
class DataFile:
    """One Parquet file that is already durable. `path` is relative to the table; stats as Delta writes them."""

    path: str
    size_bytes: int
    partition: Mapping[str, str | None]
    stats: Mapping[str, Any]


class Table:
    """One Delta table: `columns` are in its files, `partitions` in its folders."""

    def __init__(self, url: str, columns: Sequence[Column], partitions: Sequence[Column] = ()) -> None:
        self.url = url.rstrip("/")
        self.columns = tuple(columns)
        self.partitions = tuple(partitions)
        self.root = local_path(self.url)
        self._handle: DeltaTable | None = None

    def open(self) -> DeltaTable:
        """The table as of now; made if it is missing, repaired if its last commit is torn."""
        if self._handle is None:
            self._handle = self._open()
        else:
            self._handle.update_incremental()
        return self._handle

    def _open(self) -> DeltaTable:
        if self.root is not None:
            make_folder(self.root)
            set_torn_commits_aside(self.root)
            _sync_last(self.root)
        try:
            return DeltaTable(self.url)
        except TableNotFoundError:
            return self._create()

    def _create(self) -> DeltaTable:
        names = [column.name for column in self.partitions]
        DeltaTable.create(
            self.url,
            schema=arrow([*self.columns, *self.partitions]),
            partition_by=names or None,
            mode="ignore",
            configuration={"delta.logRetentionDuration": "interval 36500 days"},
            commit_properties=CommitProperties(custom_metadata={"penstock.files": "0"}),
        )
        self._sync_commit(0)
        return DeltaTable(self.url)

    def version(self) -> int:
        return self.open().version()

    def batch(self) -> int:
        """The last batch that was committed; 0 if none was."""
        return self.open().transaction_version(APP) or 0

    def sizes(self) -> dict[str, int]:
        """The files of this version, by path relative to the table, with the bytes that each had when committed."""
        actions = pa.table(self.open().get_add_actions())
        return dict(zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True))

    def commit(self, batch: int, files: Sequence[DataFile], *, old: Collection[str] = ()) -> bool:
        """Add `files`, in place of the files `old`, as batch number `batch`. False if that batch is in already.

        Raises Transient if another writer was faster, OSError if the disk failed; then the batch is not in.
        """
        handle = self.open()
        if (handle.transaction_version(APP) or 0) >= batch:
            return False
        removes = self._removes(handle, old, data_change=True)
        self._commit(handle, [*removes, *map(_added, files)], Transaction(APP, batch))
        return True

    def replace(self, old: Collection[str], new: Sequence[DataFile]) -> None:
        """Put `new` in the place of the files `old`, which hold the same rows. Raises as `commit` does."""
        handle = self.open()
        removes = self._removes(handle, old, data_change=False)
        self._commit(handle, [*removes, *(_added(file, data_change=False) for file in new)])

    def _removes(self, handle: DeltaTable, old: Collection[str], *, data_change: bool) -> list[RemoveAction]:
        """Raises Transient if one of `old` is no longer part of the table."""
        there = pa.table(handle.get_add_actions()).to_pylist() if old else []
        removes = [_removed(action, data_change=data_change) for action in there if action["path"] in old]
        if len(removes) != len(old):
            raise Transient(f"{self.url}: files to be replaced are gone; another worker was faster")
        return removes

    def folder(self, stage: Path) -> Path:
        """Where new files are to be written: in place on a local disk, else in `stage`, to be put from there."""
        return self.root or stage / self.url.rsplit("/", 1)[-1]

    def make_durable(self, files: Sequence[DataFile], stage: Path) -> None:
        """After this `files`, written below `folder(stage)`, survive a power cut, and may be committed."""
        folder = self.folder(stage)
        if self.root is None:
            store = Objects(self.url)
            for file in files:
                store.put(file.path, (folder / file.path).read_bytes())
            return
        folders: set[Path] = set()
        for file in files:
            sync_file(folder / file.path)
            folders.update(parent for parent in (folder / file.path).parents if parent.is_relative_to(folder))
        for each in sorted(folders, reverse=True):
            sync_folder(each)

    def vacuum(self, *, keep_hours: int) -> int:
        """Delete files that no version of the last `keep_hours` has; returns how many."""
        handle = self.open()
        gone = handle.vacuum(retention_hours=keep_hours, dry_run=False, enforce_retention_duration=False)
        return len(gone)

    def _commit(
        self, handle: DeltaTable, actions: list[AddAction | RemoveAction], batch: Transaction | None = None
    ) -> None:
        """One version more, durable; or an error, and none."""
        version = handle.version() + 1
        try:
            self._write(handle, actions, batch)
        except CommitFailedError as error:
            raise Transient(
                f"{self.url} was changed by another writer at the same moment", hint="let only one worker write"
            ) from error
        try:
            self._sync_commit(version)
        except OSError:
            # A second fsync may "succeed" without having written, so this commit must not count.
            self._take_back(version)
            raise
        handle.update_incremental()
        if handle.version() != version:
            raise LakeError(f"{self.url} was changed by somebody else at the same moment")
        if version % _CHECKPOINT_EVERY == 0:
            self._checkpoint(handle)

    def _write(self, handle: DeltaTable, actions: list[AddAction | RemoveAction], batch: Transaction | None) -> None:
        told = {"penstock.files": str(len(actions))}
        if batch is not None:
            told["penstock.batch"] = str(batch.version)
        handle.create_write_transaction(
            actions=actions,
            mode="append",
            schema=arrow([*self.columns, *self.partitions]),
            partition_by=[column.name for column in self.partitions] or None,
            commit_properties=CommitProperties(
                custom_metadata=told, app_transactions=[batch] if batch is not None else None, max_commit_retries=0
            ),
            post_commithook_properties=PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False),
        )

    def _sync_commit(self, version: int) -> None:
        if self.root is not None:
            log = _log(self.root)
            for name in (_commit_name(version - 1), _commit_name(version)):
                if (log / name).exists():  # the one before may be somebody else's, who does not fsync
                    sync_file(log / name)
            sync_folder(log)
            sync_folder(self.root)

    def _take_back(self, version: int) -> None:
        self._handle = None
        if self.root is not None:
            _aside(_log(self.root) / _commit_name(version))

    def _checkpoint(self, handle: DeltaTable) -> None:
        handle.create_checkpoint()
        if self.root is not None:
            _sync_last(self.root)


def _added(file: DataFile, *, data_change: bool = True) -> AddAction:
    return AddAction(
        path=file.path,
        size=file.size_bytes,
        partition_values=dict(file.partition),
        modification_time=0,
        data_change=data_change,
        stats=json.dumps(file.stats),
    )


def _removed(action: Mapping[str, Any], *, data_change: bool) -> RemoveAction:
    """For a file whose rows are in another now, or nowhere if data changes."""
    values = {name: None if value is None else str(value) for name, value in action.get("partition", {}).items()}
    return RemoveAction(
        path=action["path"],
        data_change=data_change,
        deletion_timestamp=int(time.time() * 1000),
        size=action["size_bytes"],
        partition_values=values,
    )


def set_torn_commits_aside(root: Path) -> list[Path]:
    """Rename commits at the end of the log that a power cut left incomplete; returns what they are called now.

    Only the last ones can be torn: each is fsynced before the next is begun. A checkpoint that was written after a
    torn commit, or is torn itself, goes too; the JSON commits hold all that it held. Raises LakeError if one is torn
    that has whole ones after it.
    """
    log = _log(root)
    commits = _last_commits(log)
    torn = [path for path in commits if not _is_whole(path)]
    if torn != commits[len(commits) - len(torn) :]:
        raise LakeError(f"{torn[0]} is damaged, and later commits are not", hint="restore the file, or rebuild silver")
    end = torn[0].name[:_DIGITS] if torn else "~"
    torn += [path for path in _last_checkpoints(log) if path.name[:_DIGITS] >= end or not _is_parquet(path)]
    aside = [_aside(path) for path in torn]
    pointer = log / _POINTER
    if pointer.exists() and not _points_to_something(pointer):
        aside.append(_aside(pointer))
    if aside:
        sync_folder(log)
    return aside


def _sync_last(root: Path) -> None:
    """fsync what is last in the log; what came before it was, by whoever wrote it, or opened the table after him."""
    log = _log(root)
    last = [*_last_commits(log), *_last_checkpoints(log), *log.glob(_POINTER)]
    for path in last:
        sync_file(path)
    if last:
        sync_folder(log)


def _log(root: Path) -> Path:
    return root / "_delta_log"


def _commit_name(version: int) -> str:
    return f"{version:0{_DIGITS}}.json"


def _last_commits(log: Path) -> list[Path]:
    return sorted(log.glob("*.json"))[-_LOOKBACK:]


def _last_checkpoints(log: Path) -> list[Path]:
    return sorted(log.glob("*.checkpoint*.parquet"))[-_LOOKBACK:]


def _is_whole(path: Path) -> bool:
    """Every line is JSON, and all is there that the commit's first line says."""
    try:
        actions = [json.loads(line) for line in path.read_text().splitlines()]
    except ValueError:
        return False
    names = [name for action in actions for name in action]
    info: dict[str, str] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    if "penstock.files" not in info:
        return bool(actions)  # somebody else's
    if info["penstock.files"] == "0" and "penstock.batch" not in info:
        return "metaData" in names and "protocol" in names
    changed = names.count("add") + names.count("remove")
    return changed == int(info["penstock.files"]) and ("penstock.batch" not in info or "txn" in names)


def _is_parquet(path: Path) -> bool:
    try:
        pq.read_table(path)
    except (pa.ArrowException, OSError):
        return False
    return True


def _points_to_something(pointer: Path) -> bool:
    try:
        version = json.loads(pointer.read_text())["version"]
    except (ValueError, KeyError, TypeError):
        return False
    return any(pointer.parent.glob(f"{version:0{_DIGITS}}.checkpoint*.parquet"))


def _aside(path: Path) -> Path:
    target = path.with_name(path.name + ".torn")
    path.replace(target)
    return target
