"""A Delta table whose commits survive a power cut: our Parquet files + a batch number → one commit, or nothing.

delta-rs fsyncs nothing on a local disk, takes an empty commit at the end of its log for a good one, and does not
enforce `txn`. So: the files are fsynced by us before; the commit goes through the very handle whose `txn` was read;
the commit's JSON and its folder are fsynced before anybody is told; and on opening, a torn commit at the end is moved
aside, after which the batch is simply done again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction

from ..errors import LakeError
from ..objects import local_path, make_folder, sync_file, sync_folder
from .columns import Column, arrow

APP = "penstock"
_CHECKPOINT_EVERY = 100
_TORN_LOOKBACK = 2


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

    def commit(self, batch: int, files: Sequence[DataFile]) -> bool:
        """Add `files` as batch number `batch`. False if that batch is in already; then nothing changed."""
        handle = self.open()
        if (handle.transaction_version(APP) or 0) >= batch:
            return False
        version = handle.version() + 1
        handle.create_write_transaction(
            actions=[_action(file) for file in files],
            mode="append",
            schema=arrow([*self.columns, *self.partitions]),
            partition_by=[column.name for column in self.partitions] or None,
            commit_properties=CommitProperties(
                custom_metadata={"penstock.files": str(len(files)), "penstock.batch": str(batch)},
                app_transactions=[Transaction(APP, batch)],
                max_commit_retries=0,
            ),
            post_commithook_properties=PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False),
        )
        self._sync_commit(version)
        handle.update_incremental()
        if handle.version() != version:
            raise LakeError(f"{self.url} was changed by somebody else while batch {batch} was written")
        if version % _CHECKPOINT_EVERY == 0:
            self._checkpoint(handle)
        return True

    def _sync_commit(self, version: int) -> None:
        if self.root is not None:
            sync_file(self.root / "_delta_log" / f"{version:020}.json")
            sync_folder(self.root / "_delta_log")
            sync_folder(self.root)

    def _checkpoint(self, handle: DeltaTable) -> None:
        handle.create_checkpoint()
        if self.root is not None:
            for path in (self.root / "_delta_log").glob(f"{handle.version():020}.checkpoint*.parquet"):
                sync_file(path)
            sync_file(self.root / "_delta_log" / "_last_checkpoint")
            sync_folder(self.root / "_delta_log")


def _action(file: DataFile) -> AddAction:
    return AddAction(
        path=file.path,
        size=file.size_bytes,
        partition_values=dict(file.partition),
        modification_time=0,
        data_change=True,
        stats=json.dumps(file.stats),
    )


def set_torn_commits_aside(root: Path) -> list[Path]:
    """Rename commits at the end of the log that a power cut left incomplete; returns what they are called now.

    Only the last ones can be torn: each is fsynced before the next is begun. A checkpoint that was written after a
    torn commit, or is torn itself, goes too; the JSON commits hold all that it held.
    """
    log = root / "_delta_log"
    last = sorted(log.glob("*.json"), reverse=True)[:_TORN_LOOKBACK]
    torn = [path for path in last if not _is_whole(path)]
    torn += [path for path in log.glob("*.checkpoint*.parquet") if not _is_parquet(path)]
    aside = [_aside(path) for path in torn]
    pointer = log / "_last_checkpoint"
    if pointer.exists() and not _points_to_something(pointer):
        aside.append(_aside(pointer))
    if aside:
        sync_folder(log)
    return aside


def _is_whole(path: Path) -> bool:
    """Every line is JSON, and as many files are added as the commit says."""
    try:
        actions = [json.loads(line) for line in path.read_text().splitlines()]
    except ValueError:
        return False
    info = next((action["commitInfo"] for action in actions if "commitInfo" in action), None)
    if info is None:
        return False
    expected = info.get("penstock.files")
    if expected is None:
        return True
    whole = sum("add" in action for action in actions) == int(expected)
    return whole and ("penstock.batch" not in info or any("txn" in action for action in actions))


def _is_parquet(path: Path) -> bool:
    data = path.read_bytes()
    return len(data) > 12 and data[:4] == data[-4:] == b"PAR1"


def _points_to_something(pointer: Path) -> bool:
    try:
        version = json.loads(pointer.read_text())["version"]
    except (ValueError, KeyError):
        return False
    return any(pointer.parent.glob(f"{version:020}.checkpoint*.parquet"))


def _aside(path: Path) -> Path:
    target = path.with_name(path.name + ".torn")
    path.replace(target)
    return target
