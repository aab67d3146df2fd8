"""Cells in which somebody came → every cell of the triangle, with the cohort's size, and whether its time is over."""

from __future__ import annotations

import pyarrow as pa

from ...errors import PenstockError
from ..period import buckets
from ..question import Question


def finish(table: pa.Table, question: Question) -> pa.Table:
    """`table` has cohort, period and people. Raises PenstockError for what is not known of visitors."""
    asked = question.given.bound
    if asked["first"] and asked["people"] == "visitors":
        raise PenstockError("where a visitor came from first is not known later", hint="ask users: people=users")
    period, grain = question.period, question.grain
    assert grain is not None
    times = buckets(period, grain)
    complete = {t.start: t.since >= period.since and t.until <= min(period.until, period.now) for t in times}
    came = {(row["cohort"], row["period"]): row["people"] for row in table.to_pylist()}
    rows = []
    for first, cohort in enumerate(complete):
        size = came.get((cohort, cohort), 0)
        for nth, later in enumerate(list(complete)[first:]):
            people = came.get((cohort, later), 0)
            share = people / size if size else None
            rows.append((cohort, later, nth, size, people, share, complete[cohort] and complete[later]))
    return pa.Table.from_pylist([dict(zip(_SCHEMA.names, row, strict=True)) for row in rows], _SCHEMA)


_SCHEMA = pa.schema(
    {
        "cohort": pa.date32(),
        "period": pa.date32(),
        "nth": pa.int64(),
        "size": pa.int64(),
        "people": pa.int64(),
        "share": pa.float64(),
        "complete": pa.bool_(),
    }
)
