"""A Delta table whose commits survive a power cut: our Parquet files + a batch number → one commit, or nothing.

delta-rs fsyncs nothing on a local disk, takes an empty commit at the end of its log for a good one, and does not
enforce `txn`. So: the files are fsynced by us before; the commit goes through the very handle whose `txn` was read;
the commit's JSON and its folder are fsynced before anybody is told; and on opening, a torn commit at the end is moved
aside, after which the batch is simply done again, and the commit that is then last is fsynced, for its writer may have
been stopped before it came to that.

In a bucket it is the same with less: a put is durable when it is answered, and the commit's JSON is put only if that
name is free. So of two writers at one version one is refused; it looks again, and mostly finds its batch done.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.schema import Schema as DeltaSchema
from deltalake.transaction import AddAction, RemoveAction

from ..cache import Cache
from ..errors import LakeError, Transient
from ..objects import Objects, bucket_options, local_path, make_folder, sync_file, sync_folder
from .actions import DataFile, Transactions, added, files_of, removed, sizes_of
from .columns import Column, arrow, type_of
from .delta_log import commit_name, log_folder, set_aside, set_torn_commits_aside, sync_last

APP = "penstock"
KEPT = "penstock.kept-since"
Actions = list[AddAction | RemoveAction]
_CHECKPOINT_EVERY = 100
_PUTS_AT_ONCE = 8
_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
_PROPERTIES = {
    "delta.logRetentionDuration": "interval 36500 days",
    # Statistics of all columns are read back, not only of the first 32: the object that a row is from is the last.
    "delta.dataSkippingNumIndexedCols": "-1",
}


class Table:
    """One Delta table: `columns` are in its files, `partitions` in its folders.

    Files may lack the columns `own`, which came later; `stored` and `shown` say which there are. `rules` is written
    into every batch's commit: by which rules its rows were made. Of a table in a bucket, `cache` holds copies for
    DuckDB; one that is `read_only` is neither made nor repaired.
    """

    def __init__(
        self,
        url: str,
        columns: Sequence[Column],
        partitions: Sequence[Column] = (),
        *,
        own: Sequence[Column] = (),
        rules: str = "",
        cache: Cache | None = None,
        read_only: bool = False,
    ) -> None:
        self.url = url.rstrip("/")
        self.columns = (*columns, *own)
        self.always = tuple(columns)
        self.partitions = tuple(partitions)
        self.rules = rules
        self.root = local_path(self.url)
        self._cache = cache
        self._read_only = read_only
        self._options = bucket_options(self.url)
        self._handle: DeltaTable | None = None
        self._transactions = Transactions()

    @cached_property
    def _store(self) -> Objects:
        return Objects(self.url)

    def open(self) -> DeltaTable:
        """The table as of now; made if it is missing, repaired if its last commit is torn."""
        if self._handle is None:
            self._handle = self._open()
        else:
            self._handle.update_incremental()
        return self._handle

    def _open(self) -> DeltaTable:
        if self.root is not None and not self._read_only:
            make_folder(self.root)
            set_torn_commits_aside(self.root)
            sync_last(self.root)
        try:
            return DeltaTable(self.url, storage_options=self._options)
        except TableNotFoundError:
            if self._read_only:
                raise LakeError(f"there is no table at {self.url}", hint="is this the lake's URL?") from None
            return self._create()

    def _create(self) -> DeltaTable:
        names = [column.name for column in self.partitions]
        try:
            DeltaTable.create(
                self.url,
                schema=arrow([*self.columns, *self.partitions]),
                partition_by=names or None,
                mode="ignore",
                storage_options=self._options,
                configuration=_PROPERTIES,
                commit_properties=CommitProperties(custom_metadata={"penstock.files": "0"}),
            )
        except DeltaError:
            if self.root is not None:
                raise
            # in a bucket, another worker may have made it at the same moment; if not, opening it fails
        self._sync_commit(0)
        return DeltaTable(self.url, storage_options=self._options)

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

    def batch(self, *, again: bool = True) -> int:
        """The last batch that was committed; 0 if none was. Of the version seen last, if not looked at `again`."""
        handle = self.open() if again or self._handle is None else self._handle
        return self._transactions.last(handle, APP) or 0

    def sizes(self) -> dict[str, int]:
        """The files of this version, by path relative to the table, with the bytes that each had when committed."""
        return sizes_of(self.open())

    def here(self, paths: Iterable[str], written: Sequence[DataFile] = ()) -> list[str]:
        """Where DuckDB reads these files, of this version or just `written`; what only a bucket has is fetched now.

        Without a cache, where they lie. Raises as `Cache.here`.
        """
        if self.root is not None:
            return [f"{self.root}/{unquote(path)}" for path in paths]
        if self._cache is None:
            return [f"{self.url}/{path}" for path in paths]
        wanted = list(paths)
        sizes = {file.path: file.size_bytes for file in written}
        if wanted and not sizes:
            sizes = sizes_of(self._handle or self.open())  # not opened again: the paths are of the version seen last
        found = self._cache.here(self._store, {path: sizes.get(path) for path in wanted})
        return [str(found[path]) for path in wanted]

    def files(self) -> list[DataFile]:
        """The files of this version, ordered by path."""
        return files_of(self.open())

    def files_at(self, version: int) -> list[DataFile]:
        """The files of an earlier version; none if the log no longer reaches back to it."""
        try:
            return files_of(DeltaTable(self.url, version=version, storage_options=self._options))
        except DeltaError:
            return []

    def link(self, other: Table, path: str) -> None:
        """Have the file `path` of `other` here too; on a local disk both share its bytes. Not durable yet."""
        if self.root is None or other.root is None:
            self._store.put(path, other._store.get(path))
            return
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (self.root / path).hardlink_to(other.root / path)

    def commit(self, batch: int, files: Sequence[DataFile], *, old: Collection[str] = ()) -> bool:
        """Add `files`, in place of the files `old`, as batch number `batch`. False if that batch is in already.

        Raises Transient if another writer was faster, OSError if the disk failed; then the batch is not in.
        """
        handle = self.open()
        if (self._transactions.last(handle, APP) or 0) >= batch:
            return False
        removes = self._removes(handle, old, data_change=True)
        actions: Actions = [*removes, *map(added, files)]
        self._evolve(handle)
        return self._commit_batch(handle, batch, actions)

    def _commit_batch(self, handle: DeltaTable, batch: int, actions: Actions) -> bool:
        """False if another worker was faster with the same batch."""
        try:
            self._commit(handle, lambda: self._write(handle, actions, Transaction(APP, batch)))
        except Transient:
            if self.batch() < batch:
                raise
            return False
        return True

    def commit_again(self, batch: int, files: Sequence[DataFile], counts: Callable[[], bool] = lambda: False) -> bool:
        """As `commit`, but what an earlier try of that batch brought gives way: it may have gone by other rules.

        For tables with the column `batch`, while the batch does not count yet; once it `counts`, nothing is done.
        """
        if self.batch() < batch:
            return self.commit(batch, files) if files else False
        earlier = [file for file in self.files() if file.stats["maxValues"].get("batch", 0) >= batch]
        merged = any(file.stats["minValues"]["batch"] < batch for file in earlier)
        old = {file.path for file in earlier}
        if merged or old == {file.path for file in files}:
            return False
        handle = self._handle
        assert handle is not None
        actions: Actions = [*self._removes(handle, old, data_change=True), *map(added, files)]
        # Asked after the table was looked at: what comes after the batch is then not among what gives way.
        return False if counts() else self._commit_batch(handle, batch, actions)

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
        actions: Actions = [*removes, *(added(file, data_change=False) for file in new)]
        self._commit(handle, lambda: self._write(handle, actions))

    def cut(
        self,
        old: Collection[str],
        new: Sequence[DataFile],
        kept_since: date | None = None,
        *,
        made_at: int | None = None,
    ) -> None:
        """Put `new` in the place of `old`, which hold more rows; readers are told since when things are kept.

        `made_at`: only if the table is still at that version, on which `new` was made. Raises as `commit` does.
        """
        handle = self.open()
        if made_at is not None and handle.version() != made_at:
            raise Transient(f"{self.url} was changed by another worker meanwhile", hint="it is done again")
        removes = self._removes(handle, old, data_change=True)
        actions: Actions = [*removes, *map(added, new)]
        told = None if kept_since is None else Transaction(KEPT, kept_since.toordinal())
        self._commit(handle, lambda: self._write(handle, actions, told))

    def kept_since(self) -> date | None:
        """The day of arrival before which everything was cut off, if it ever was."""
        day = self._transactions.last(self.open(), KEPT)
        return None if day is None else date.fromordinal(day)

    def _removes(self, handle: DeltaTable, old: Collection[str], *, data_change: bool) -> list[RemoveAction]:
        """Raises Transient if one of `old` is no longer part of the table."""
        there = pa.table(handle.get_add_actions()).to_pylist() if old else []
        removes = [removed(action, data_change=data_change) for action in there if action["path"] in old]
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
            with ThreadPoolExecutor(_PUTS_AT_ONCE) as pool:
                for _ in pool.map(lambda file: self._put(file.path, folder / file.path), files):
                    pass
            return
        folders: set[Path] = set()
        for file in files:
            sync_file(folder / file.path)
            folders.update(parent for parent in (folder / file.path).parents if parent.is_relative_to(folder))
        for each in sorted(folders, reverse=True):
            sync_folder(each)

    def _put(self, path: str, staged: Path) -> None:
        self._store.put_file(path, staged)
        if self._cache is not None:
            self._cache.add(self._store, path, staged)

    def purge(self) -> int:
        """Delete at once every file that a commit took out; returns how many. Readers that began before may fail."""
        store, there = self._store, self.sizes()
        gone = 0
        if self._cache is not None:
            self._cache.forget(self.url)
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
        # In a bucket others may have gone on from ours already; it lies at that version, or it was refused.
        if handle.version() < version or (self.root is not None and handle.version() != version):
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
