"""A report and what is asked of it → the Answer. Whoever runs SQL is passed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import import_module
from typing import Any

import pyarrow as pa

from ..errors import PenstockError
from .compare import beside
from .fill import BREAKDOWN, BUCKET, fill
from .filters import Columns
from .period import Compare, before
from .question import Question, prepare
from .statement import Statement, statement
from .tables import Gold
from .text import dialect_sql, inlined

Ask = Callable[[Statement], pa.Table]
"""Runs a statement over the schemas `silver` and `gold`."""

_NOT_ADDITIVE = "visitors add up only over whole days, without filter or breakdown; sessions are counted instead"


@dataclass(frozen=True)
class Answer:
    """Rows, and how they came about. `notes` are for people: what the numbers leave out.

    All that was in silver by `as_of` is counted; None where nobody asked when that was. `lacks`: gold was behind then.
    """

    question: Question
    statement: Statement
    table: pa.Table
    notes: tuple[str, ...] = ()
    comparison: Answer | None = None
    as_of: datetime | None = None
    lacks: bool = False

    @property
    def sql(self) -> str:
        """What ran, with its values; DuckDB's dialect."""
        return inlined(self.statement.sql, self.statement.values)

    def sql_for(self, dialect: str) -> str:
        """The same for `athena`, `spark` or `snowflake`."""
        return dialect_sql(self.sql, dialect)

    @property
    def served_from(self) -> str:
        """`silver`, `gold`, or both; they say the same."""
        return self.statement.served_from

    def beside(self) -> pa.Table:
        """With a comparison: each number, what it was (`…_before`), and by which share it changed (`…_change`)."""
        then = self.comparison
        return self.table if then is None else beside(self.table, then.table, self.question.report.keys)

    def to_arrow(self) -> pa.Table:
        return self.table

    def df(self) -> Any:
        """pandas"""
        return self.table.to_pandas()

    def pl(self) -> Any:
        """Polars"""
        import polars

        return polars.from_arrow(self.table)

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.table.to_pylist()
        return found


def ask(
    name: str,
    run: Ask,
    columns: Columns,
    *,
    now: datetime,
    gold: Gold = lambda rollup: False,
    inlines: bool = False,
    **asked: Any,
) -> Answer:
    """The answer of report `name`. `asked` is what `prepare` takes, and `compare`: previous, month or weekday.

    `inlines` as of `statement`. Raises PenstockError for a question that cannot be.
    """
    compare = asked.pop("compare", None)
    if compare is not None and compare not in list(Compare):
        raise PenstockError(f"there is no comparison {compare!r}", hint=f"choose one of {', '.join(Compare)}")
    now_asked = prepare(name, columns, now=now, **asked)
    found = answer(now_asked, run, gold, inlines=inlines)
    if compare is None:
        return found
    earlier = replace(now_asked.without_limit(), period=before(now_asked.period, Compare(compare)))
    return replace(found, comparison=answer(earlier, run, gold, inlines=inlines))


def answer(asked: Question, run: Ask, gold: Gold = lambda rollup: False, *, inlines: bool = False) -> Answer:
    told = statement(asked, gold, inlines=inlines)
    table = run(told)
    if asked.by is None and BREAKDOWN in table.column_names:
        table = table.drop_columns([BREAKDOWN])
    if asked.grain is not None and BUCKET in table.column_names:
        table = fill(table, asked.period, asked.grain)
    if asked.report.finish is not None:
        table = import_module(f".finish.{asked.report.finish}", __package__).finish(table, asked)
    if asked.by is not None and asked.by not in table.column_names:
        table = table.rename_columns([asked.by if name == BREAKDOWN else name for name in table.column_names])
    return Answer(asked, told, table, _notes(asked))


def _notes(asked: Question) -> tuple[str, ...]:
    notes = list(asked.report.notes)
    if asked.report.additive and not asked.additive:
        notes.append(_NOT_ADDITIVE)
    if asked.filters and asked.report.source == "sessions":
        notes.append(
            "the filters choose sessions, those with an event that fits; all of their page views and events are counted"
        )
    return tuple(notes)
