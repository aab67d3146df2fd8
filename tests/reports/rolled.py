"""Every rollup, as a query over silver: what an engine is held against DuckDB by."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from penstock.gold.catalog import Rollup
from penstock.gold.over_silver import over_silver
from penstock.reports.statement import Statement

from .asked import assert_alike


def assert_rolled_alike(
    run: Callable[[Statement], pa.Table], reference: Callable[[Statement], pa.Table], rollup: Rollup
) -> None:
    """The same rows, in whatever order."""
    told = Statement(over_silver(rollup), {}, None)
    order = [(column.name, "ascending") for column in (rollup.bucket, *rollup.keys)]
    assert_alike(run(told).sort_by(order), reference(told).sort_by(order))
