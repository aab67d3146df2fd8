"""A Delta table whose commits survive a power cut: our Parquet files + a batch number → one commit, or nothing.

delta-rs fsyncs nothing on a local disk, takes an empty commit at the end of its log for a good one, and does not
enforce `txn`. So: the files are fsynced by us before; the commit goes through the very handle whose `txn` was read;
the commit's JSON and its folder are fsynced before anybody is told; and on opening, a torn commit at the end is moved
aside, after which the batch is simply done again, and the commit that is then last is fsynced, for its writer may have
been stopped before it came to that.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.schema import Schema as DeltaSchema
from deltalake.transaction import AddAction, RemoveAction

from ..errors import LakeError, Transient
from ..objects import Objects, local_path, make_folder, sync_file, sync_folder
from .columns import Column, arrow, type_of
from .delta_log import commit_name, log_folder, set_aside, set_torn_commits_aside, sync_last

APP = "penstock"
KEPT = "penstock.kept-since"
Actions = list[AddAction | RemoveAction]
_CHECKPOINT_EVERY = 100
_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
_PROPERTIES = {
    "delta.logRetentionDuration": "interval 36500 days",
    # Statistics of all columns are read back, not only of the first 32: the object that a row is from is the last.
    "delta.dataSkippingNumIndexedCols": "-1",
}


@dataclass(frozen=True)
class DataFile:
    """One Parquet file that is already durable. `path` is relative to the table; stats as Delta writes them."""

    path: str
    size_bytes: int
    partition: Mapping[str, str | None]
    stats: Mapping[str, Any]

    @property
    def objects(self) -> tuple[str, str] | None:
        """The first and the last object of bronze that its rows are from; None if its writer did not say."""
        first, last = (self.stats[side].get("bronze_file") for side in ("minValues", "maxValues"))
        return None if first is None or last is None else (first, last)


class Table:
    """One Delta table: `columns` are in its files, `partitions` in its folders.

    Files may lack the columns `own`, which came later; `stored` and `shown` say which there are. `rules` is written
    into every batch's commit: by which rules its rows were made.
    """

    def __init__(
        self,
        url: str,
        columns: Sequence[Column],
        partitions: Sequence[Column] = (),
        *,
        own: Sequence[Column] = (),
        rules: str = "",
    ) -> None:
        self.url = url.rstrip("/")
        self.columns = (*columns, *own)
        self.always = tuple(columns)
        self.partitions = tuple(partitions)
        self.rules = rules
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
            sync_last(self.root)
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
            configuration=_PROPERTIES,
            commit_properties=CommitProperties(custom_metadata={"penstock.files": "0"}),
        )
        self._sync_commit(0)
        return DeltaTable(self.url)

    def stored(self) -> tuple[Column, ...]:
        """The columns that the table has, with those that the settings no longer name."""
        known = {column.name: column for column in self.columns}
        ours = {column.name for column in (*self.always, *self.partitions)}
        more = [
            known.get(field.name, Column(field.name, "", ""))._replace(type=type_of(field.type))
            for field in pa.schema(self.open().schema().to_arrow())
            if field.name not in ours
        ]
        return (*self.always, *more)

    def shown(self) -> tuple[Column, ...]:
        """The columns that a reader is to see, in the types that they are stored in."""
        types = {column.name: column.type for column in self.stored()}
        return tuple(column._replace(type=types.get(column.name, column.type)) for column in self.columns)

    def check(self) -> None:
        """Raises LakeError if a column is stored in another type than the settings say; then nothing can be added."""
        for column, stored in zip(self.columns, self.shown(), strict=True):
            if column != stored:
                raise LakeError(
                    f"column {column.name!r} is stored as {stored.type}, the settings say {column.type}",
                    hint="`penstock rebuild` of everything makes silver again with the new type; or set it back."
                    " Until then events wait in bronze",
                )

    def version(self) -> int:
        return self.open().version()

    def batch(self) -> int:
        """The last batch that was committed; 0 if none was."""
        return self.open().transaction_version(APP) or 0

    def sizes(self) -> dict[str, int]:
        """The files of this version, by path relative to the table, with the bytes that each had when committed."""
        actions = pa.table(self.open().get_add_actions())
        return dict(zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True))

    def files(self) -> list[DataFile]:
        """The files of this version, ordered by path."""
        return _files(self.open())

    def files_at(self, version: int) -> list[DataFile]:
        """The files of an earlier version; none if the log no longer reaches back to it."""
        try:
            return _files(DeltaTable(self.url, version=version))
        except DeltaError:
            return []

    def link(self, other: Table, path: str) -> None:
        """Have the file `path` of `other` here too; on a local disk both share its bytes. Not durable yet."""
        if self.root is None or other.root is None:
            Objects(self.url).put(path, Objects(other.url).get(path))
            return
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (self.root / path).hardlink_to(other.root / path)

    def commit(self, batch: int, files: Sequence[DataFile], *, old: Collection[str] = ()) -> bool:
        """Add `files`, in place of the files `old`, as batch number `batch`. False if that batch is in already.

        Raises Transient if another writer was faster, OSError if the disk failed; then the batch is not in.
        """
        handle = self.open()
        if (handle.transaction_version(APP) or 0) >= batch:
            return False
        removes = self._removes(handle, old, data_change=True)
        actions: Actions = [*removes, *map(_added, files)]
        self._evolve(handle)
        self._commit(handle, lambda: self._write(handle, actions, Transaction(APP, batch)))
        return True

    def commit_again(self, batch: int, files: Sequence[DataFile]) -> bool:
        """As `commit`, but what an earlier try of that batch brought gives way: it may have gone by other rules.

        For tables with the column `batch`, while the batch does not count yet.
        """
        if self.batch() < batch:
            return self.commit(batch, files) if files else False
        earlier = [file for file in self.files() if file.stats["maxValues"].get("batch", 0) >= batch]
        merged = any(file.stats["minValues"]["batch"] < batch for file in earlier)
        old = {file.path for file in earlier}
        if merged or old == {file.path for file in files}:
            return False
        handle = self.open()
        actions: Actions = [*self._removes(handle, old, data_change=True), *map(_added, files)]
        self._commit(handle, lambda: self._write(handle, actions, Transaction(APP, batch)))
        return True

    def evolve(self) -> None:
        """Add the columns that the table lacks, for files that somebody else may commit. Raises as `check` does."""
        self._evolve(self.open())

    def _evolve(self, handle: DeltaTable) -> None:
        """Add the columns that the table lacks, as a commit before the first batch with them; older files stay."""
        if len(self.columns) == len(self.always):
            return
        self.check()
        there = {column.name for column in self.stored()}
        if lacking := [column for column in self.columns if column.name not in there]:
            self._commit(handle, lambda: self._add_columns(handle, lacking))

    def replace(self, old: Collection[str], new: Sequence[DataFile]) -> None:
        """Put `new` in the place of the files `old`, which hold the same rows. Raises as `commit` does."""
        handle = self.open()
        removes = self._removes(handle, old, data_change=False)
        actions: Actions = [*removes, *(_added(file, data_change=False) for file in new)]
        self._commit(handle, lambda: self._write(handle, actions))

    def cut(self, old: Collection[str], new: Sequence[DataFile], kept_since: date | None = None) -> None:
        """Put `new` in the place of `old`, which hold more rows; readers are told since when things are kept."""
        handle = self.open()
        removes = self._removes(handle, old, data_change=True)
        actions: Actions = [*removes, *map(_added, new)]
        told = None if kept_since is None else Transaction(KEPT, kept_since.toordinal())
        self._commit(handle, lambda: self._write(handle, actions, told))

    def kept_since(self) -> date | None:
        """The day of arrival before which everything was cut off, if it ever was."""
        day = self.open().transaction_version(KEPT)
        return None if day is None else date.fromordinal(day)

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

    def purge(self) -> int:
        """Delete at once every file that a commit took out; returns how many. Readers that began before may fail."""
        store, there = Objects(self.url), self.sizes()
        gone = 0
        for entry in sorted(store.list("_delta_log"), key=lambda entry: entry.key):
            if entry.key.endswith(".json"):
                for line in store.get(entry.key).splitlines():
                    path = json.loads(line).get("remove", {}).get("path")
                    if path and path not in there and store.exists(path):
                        store.delete(path)
                        gone += 1
        return gone

    def vacuum(self, *, keep_hours: int) -> int:
        """Delete files that no version of the last `keep_hours` has; returns how many."""
        handle = self.open()
        gone = handle.vacuum(retention_hours=keep_hours, dry_run=False, enforce_retention_duration=False)
        return len(gone)

    def _commit(self, handle: DeltaTable, write: Callable[[], None]) -> None:
        """One version more, durable; or an error, and none."""
        version = handle.version() + 1
        try:
            write()
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

    def _add_columns(self, handle: DeltaTable, columns: Sequence[Column]) -> None:
        handle.alter.add_columns(
            DeltaSchema.from_arrow(arrow(columns)).fields,
            commit_properties=CommitProperties(custom_metadata={"penstock.files": "0"}, max_commit_retries=0),
            post_commithook_properties=_NO_HOOKS,
        )

    def _write(self, handle: DeltaTable, actions: Actions, transaction: Transaction | None = None) -> None:
        told = {"penstock.files": str(len(actions))}
        if transaction is not None:
            told |= {"penstock.batch": str(transaction.version), "penstock.rules": self.rules}
        handle.create_write_transaction(
            actions=actions,
            mode="append",
            schema=arrow([*self.columns, *self.partitions]),
            partition_by=[column.name for column in self.partitions] or None,
            commit_properties=CommitProperties(
                custom_metadata=told, app_transactions=[transaction] if transaction else None, max_commit_retries=0
            ),
            post_commithook_properties=_NO_HOOKS,
        )

    def _sync_commit(self, version: int) -> None:
        if self.root is not None:
            log = log_folder(self.root)
            for name in (commit_name(version - 1), commit_name(version)):
                if (log / name).exists():  # the one before may be somebody else's, who does not fsync
                    sync_file(log / name)
            sync_folder(log)
            sync_folder(self.root)

    def _take_back(self, version: int) -> None:
        self._handle = None
        if self.root is not None:
            set_aside(log_folder(self.root) / commit_name(version))

    def _checkpoint(self, handle: DeltaTable) -> None:
        handle.create_checkpoint()
        if self.root is not None:
            sync_last(self.root)


def _files(handle: DeltaTable) -> list[DataFile]:
    return sorted(map(_data_file, pa.table(handle.get_add_actions()).to_pylist()), key=lambda file: file.path)


def _data_file(action: Mapping[str, Any]) -> DataFile:
    """An `add` as delta-rs gives it back."""

    def told(values: Mapping[str, Any] | None) -> dict[str, Any]:
        return {name: _delta_value(value) for name, value in (values or {}).items() if value is not None}

    partition = {name: None if value is None else str(value) for name, value in action.get("partition", {}).items()}
    return DataFile(
        path=action["path"],
        size_bytes=action["size_bytes"],
        partition=partition,
        stats={
            "numRecords": action["num_records"],
            "minValues": told(action.get("min")),
            "maxValues": told(action.get("max")),
            "nullCount": told(action.get("null_count")),
        },
    )


def _delta_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, date | Decimal) else value


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
