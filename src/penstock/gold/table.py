"""A rollup's rows, as a store gives them → an Arrow table with its columns and types."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from ..silver.columns import arrow
from .catalog import Rollup
from .stores import Row


def table(rollup: Rollup, rows: Sequence[Row]) -> pa.Table:
    values = zip(*rows, strict=True) if rows else ([] for _ in rollup.columns)
    schema = arrow(rollup.columns)
    columns = [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)]
    return pa.table(columns, schema=schema)
