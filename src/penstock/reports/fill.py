"""Rows by time → the same with a row for every bucket, also where nothing happened, and which of them still runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from .period import Bucket, Grain, Period, buckets

BUCKET, BREAKDOWN, RUNNING = "bucket", "breakdown", "running"


def fill(table: pa.Table, period: Period, grain: Grain) -> pa.Table:
    """Whole numbers and sums are 0 where nothing happened, all else is null; rows with keys of their own stay alone.

    Hours are moments, shown in the period's zone; days, weeks and months are the date that they begin with.
    """
    all_buckets = buckets(period, grain)
    kind = pa.timestamp("us", tz=period.zone) if grain is Grain.hour else pa.date32()
    table = table.set_column(0, BUCKET, table[BUCKET].cast(kind))
    if all(is_number(f.type) or f.name in (BUCKET, BREAKDOWN) for f in table.schema):
        table = pa.concat_tables([table, _missing(table, all_buckets)]).sort_by(_order(table))
    running = [bucket.start for bucket in all_buckets if period.running(bucket)]
    starts = table[BUCKET].to_pylist()
    flags = [start in running for start in starts]
    return table.add_column(1, RUNNING, pa.array(flags, pa.bool_()))


def _missing(table: pa.Table, all_buckets: Sequence[Bucket]) -> pa.Table:
    breakdowns = list(dict.fromkeys(table[BREAKDOWN].to_pylist())) if BREAKDOWN in table.column_names else [None]
    there = set(zip(table[BUCKET].to_pylist(), _breakdowns(table), strict=True))
    wanted = [(b.start, value) for b in all_buckets for value in breakdowns if (b.start, value) not in there]
    columns = []
    for column in table.schema:
        if column.name == BUCKET:
            values: list[Any] = [start for start, _ in wanted]
        elif column.name == BREAKDOWN:
            values = [value for _, value in wanted]
        else:
            counts = pa.types.is_integer(column.type) or pa.types.is_decimal(column.type)
            values = [0 if counts else None] * len(wanted)
        columns.append(pa.array(values, column.type))
    return pa.table(columns, schema=table.schema)


def _breakdowns(table: pa.Table) -> list[Any]:
    return list(table[BREAKDOWN].to_pylist()) if BREAKDOWN in table.column_names else [None] * table.num_rows


def _order(table: pa.Table) -> list[tuple[str, str]]:
    return [(name, "ascending") for name in (BUCKET, BREAKDOWN) if name in table.column_names]


def is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
