"""`report`, `reports`: questions with a name, and what can be asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import typer

from ..api import SqlError
from ..errors import PenstockError
from ..reports.catalog import Parameter, Report
from ..reports.catalog import report as find
from ..reports.catalog import reports as catalog
from ..reports.compare import BEFORE, CHANGE
from ..reports.engines import DUCKDB
from ..reports.fill import BUCKET, RUNNING
from ..reports.period import Compare, Grain
from ..reports.run import Answer
from ..reports.text import Dialect
from .chart import chart
from .options import Config, Data, Lake, existing
from .output import Format, note, rows, say

_RUNNING = "…"


class As(StrEnum):
    """How an answer is written."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"
    chart = "chart"


def add_to(app: typer.Typer) -> None:
    app.command()(report)
    app.command()(reports)


def report(
    name: Annotated[str, typer.Argument(help="Name of the report; `penstock reports` lists them.")],
    since: Annotated[
        str | None,
        typer.Option("--from", help="A date, a time, or how far back: 30m, 24h, 7d, 4w, 12mo.", show_default="7d"),
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="A date, which is included, or a time.")] = None,
    zone: Annotated[
        str, typer.Option("--zone", help="Time zone of days, weeks and months, as in Europe/Berlin.")
    ] = "UTC",
    grain: Annotated[
        Grain | None, typer.Option("--grain", help="One row per hour, day …; the report's first if not given.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", help="Only events with: column=value, !=, *= (contains), ~ (matches). Can be repeated."
        ),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="One row for each value of this column.")] = None,
    compare: Annotated[Compare | None, typer.Option("--compare", help="Another time beside it.")] = None,
    given: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the report: name=value. Can be repeated.")
    ] = None,
    steps: Annotated[
        list[str] | None, typer.Option("--step", help="A step: event type, or 'event & column=value'. Can be repeated.")
    ] = None,
    bots: Annotated[bool, typer.Option("--bots", help="Count known crawlers too.")] = False,
    format: Annotated[As, typer.Option("--format", help="How the answer is written.")] = As.table,
    out: Annotated[Path | None, typer.Option("--out", help="File for --format parquet.")] = None,
    show_sql: Annotated[bool, typer.Option("--show-sql", help="Print the SQL instead of the answer.")] = False,
    dialect: Annotated[Dialect, typer.Option("--dialect", help="Whose SQL --show-sql prints.")] = Dialect.duckdb,
    engine: Annotated[
        str, typer.Option("--engine", help="Who answers: duckdb; or athena or spark, which read silver.")
    ] = DUCKDB,
    lake_url: Lake = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Ask a report; `penstock reports NAME` tells what it answers."""
    asked: dict[str, Any] = {
        "since": since, "until": until, "zone": zone, "grain": grain, "where": where or (), "by": by, "bots": bots,
        **parameters(find(name), given or [], steps or []),
    }  # fmt: skip
    with existing(data, config, lake_url) as lake:
        if show_sql:
            say(lake.report_sql(name, dialect=dialect, **asked))
            return
        try:
            answer = lake.report(name, compare=compare, engine=engine, tell=note, **asked)
        except SqlError as error:
            raise PenstockError(f"report {name} failed: {error}") from error
    _write(answer, format, out)


def reports(
    name: Annotated[str | None, typer.Argument(help="Name of a report, to be told all about it.")] = None,
) -> None:
    """Every report and what it answers; or all about one."""
    if name is None:
        rows(("report", "answers"), [(one.name, one.question) for one in catalog().values()])
    else:
        _tell(find(name))


def parameters(report: Report, given: Sequence[str], steps: Sequence[str]) -> dict[str, Any]:
    """What `--set` and `--step` say. Raises PenstockError for what says nothing."""
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise PenstockError(f"{text!r} sets nothing", hint="write --set name=value")
        if name in report.parameters and report.parameters[name].type in ("texts", "steps"):
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    if steps:
        found["steps"] = list(steps)
    return found


# the answer


def _write(answer: Answer, format: As, out: Path | None) -> None:
    table = answer.beside()
    if format is As.parquet:
        _parquet(table, out)
    elif format is As.chart:
        for line in chart(answer):
            say(line)
    elif format is As.table:
        _table(answer, table)
    else:
        rows(table.column_names, _values(table), Format(format))
    period = answer.question.period
    if format in (As.table, As.chart):
        note(f"{_moment(period.since, period.tz)} to {_moment(period.until, period.tz)}, from {answer.served_from}")
    for remark in answer.notes:
        note(remark)


def _parquet(table: pa.Table, out: Path | None) -> None:
    if out is not None:
        pq.write_table(table, out)
    elif sys.stdout.isatty():
        raise PenstockError("Parquet is nothing to look at", hint="--out says into which file")
    else:
        pq.write_table(table, sys.stdout.buffer)


def _table(answer: Answer, table: pa.Table) -> None:
    """For people: shares in per cent, the bucket that still runs marked; a single row of numbers goes downwards."""
    shares = {name for name, meaning in answer.question.report.columns.items() if meaning.endswith("(share)")}
    shown = {name: _texts(table[name].to_pylist(), _spelled(name, shares)) for name in table.column_names}
    if RUNNING in shown:
        running = table[RUNNING].to_pylist()
        shown[BUCKET] = [
            f"{text} {_RUNNING}" if runs else text for text, runs in zip(shown[BUCKET], running, strict=True)
        ]
        del shown[RUNNING]
    measures = [name for name in shown if not name.endswith((BEFORE, CHANGE))]
    if table.num_rows == 1 and BUCKET not in shown and len(shown) > 4:
        heads = ["", "now", "before", "change"] if answer.comparison else ["", "now"]
        cells = ([name, *(shown.get(name + part, [""])[0] for part in ("", BEFORE, CHANGE))] for name in measures)
        rows(heads, [row[: len(heads)] for row in cells])
    else:
        rows(list(shown), list(zip(*shown.values(), strict=True)))


def _spelled(name: str, shares: set[str]) -> str | None:
    """How a number of that column is written, if in a way of its own."""
    if name.endswith(CHANGE):
        return "{:+.1%}"
    return "{:.1%}" if name.removesuffix(BEFORE) in shares else None


def _texts(values: Sequence[Any], spelled: str | None) -> list[Any]:
    """Whole numbers stay what they are; texts of numbers are to the right."""
    found = [_text(value, spelled) for value in values]
    width = max((len(text) for text in found if isinstance(text, str)), default=0)
    is_number = any(isinstance(value, float | Decimal) for value in values)
    return [text.rjust(width) if is_number and isinstance(text, str) else text for text in found]


def _text(value: Any, spelled: str | None) -> Any:
    if isinstance(value, datetime):
        return _moment(value)
    if spelled is not None and value is not None:
        return spelled.format(value).replace("%", " %")
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value) if isinstance(value, Decimal) else value


def _values(table: pa.Table) -> list[list[Any]]:
    """For programs: hours with their offset, or Z."""
    columns = [
        [_moment(v) if isinstance(v, datetime) else v for v in table[name].to_pylist()] for name in table.column_names
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _moment(value: datetime, tz: Any = None) -> str:
    """`2026-03-29T14:00+02:00`, `2026-03-29T12:00Z`; finer than minutes only if it is."""
    local = value.astimezone(tz) if tz else value
    exact = "minutes" if not (local.second or local.microsecond) else "milliseconds"
    return local.isoformat(timespec=exact).replace("+00:00", "Z")


# the catalog


def _tell(report: Report) -> None:
    say(f"{report.title}: {report.question}\n")
    say(f"  {report.example}\n")
    rows(("column", "meaning"), list(report.columns.items()))
    if report.parameters:
        say("")
        rows(("parameter", "type", "default", "meaning"), [_parameter(p) for p in report.parameters.values()])
    say("")
    if report.grains:
        say(f"--grain {', '.join(report.grains)}")
    say(f"--by {'any column' if report.breakdown else 'is not possible'}")
    for remark in report.notes:
        say(remark)


def _parameter(parameter: Parameter) -> tuple[str, str, str, str]:
    kind = " ".join((parameter.type, f"({', '.join(parameter.choices)})" if parameter.choices else "")).strip()
    default = "required" if parameter.required else "" if parameter.default is None else str(parameter.default)
    return parameter.name, kind, default, parameter.meaning
