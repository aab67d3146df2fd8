"""Two answers to one question about two times → one table: each number, the one before, and the change."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa

from .fill import BUCKET, RUNNING, is_number

BEFORE, CHANGE = "_before", "_change"


def is_measure(field: pa.Field, keys: Collection[str]) -> bool:
    """A number that says how much, not which."""
    return field.name not in keys and is_number(field.type)


def beside(now: pa.Table, then: pa.Table, keys: Collection[str] = ()) -> pa.Table:
    """Rows belong together that have the same names; buckets, that have the same place in their time."""
    earlier = dict(zip(_names(then, keys), then.to_pylist(), strict=True))
    found = [earlier.get(name, {}) for name in _names(now, keys)]
    columns: dict[str, Any] = {}
    for field in now.schema:
        columns[field.name] = now[field.name]
        if is_measure(field, keys):
            before = [row.get(field.name) for row in found]
            values = zip(now[field.name].to_pylist(), before, strict=True)
            columns[field.name + BEFORE] = pa.array(before, field.type)
            columns[field.name + CHANGE] = pa.array([_change(*pair) for pair in values], pa.float64())
    return pa.table(columns)


def _names(table: pa.Table, keys: Collection[str]) -> list[tuple[Any, ...]]:
    columns = []
    for field in table.schema:
        if field.name == BUCKET:
            places = {bucket: place for place, bucket in enumerate(dict.fromkeys(table[BUCKET].to_pylist()))}
            columns.append([places[bucket] for bucket in table[BUCKET].to_pylist()])
        elif field.name != RUNNING and not is_measure(field, keys):
            columns.append(table[field.name].to_pylist())
    return list(zip(*columns, strict=True)) if columns else [()] * table.num_rows


def _change(now: Any, before: Any) -> float | None:
    return float(now) / float(before) - 1 if now is not None and before else None
