"""A file of a Delta table, as we know it ↔ as an action of Delta's log."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.transaction import AddAction, RemoveAction


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


class Transactions:
    """What a table's `txn` say; asked once for a version, for delta-rs reads the log for it, back to a checkpoint."""

    def __init__(self) -> None:
        self._of: tuple[DeltaTable | None, int] = (None, -1)
        self._known: dict[str, int | None] = {}

    def last(self, handle: DeltaTable, app: str) -> int | None:
        if self._of[0] is not handle or self._of[1] != handle.version():
            self._of, self._known = (handle, handle.version()), {}
        if app not in self._known:
            self._known[app] = handle.transaction_version(app)
        return self._known[app]


def files_of(handle: DeltaTable) -> list[DataFile]:
    return sorted(map(_data_file, pa.table(handle.get_add_actions()).to_pylist()), key=lambda file: file.path)


def sizes_of(handle: DeltaTable) -> dict[str, int]:
    actions = pa.table(handle.get_add_actions())
    return dict(zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True))


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


def added(file: DataFile, *, data_change: bool = True) -> AddAction:
    return AddAction(
        path=file.path,
        size=file.size_bytes,
        partition_values=dict(file.partition),
        modification_time=0,
        data_change=data_change,
        stats=json.dumps(file.stats),
    )


def removed(action: Mapping[str, Any], *, data_change: bool) -> RemoveAction:
    """For a file whose rows are in another now, or nowhere if data changes."""
    values = {name: None if value is None else str(value) for name, value in action.get("partition", {}).items()}
    return RemoveAction(
        path=action["path"],
        data_change=data_change,
        deletion_timestamp=int(time.time() * 1000),
        size=action["size_bytes"],
        partition_values=values,
    )
