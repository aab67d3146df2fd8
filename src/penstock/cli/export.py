"""`export`, `attach`: the numbers for other tools, as files, as tables of theirs, or as a DuckDB file."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..api import OpenLake, SqlError
from ..errors import PenstockError, SettingsError
from ..export.attach import attach as make_file
from ..export.files import FileFormat, write_file
from ..export.rows import TABLES, Rows, of_report, of_table
from ..export.snowflake import STAGE
from ..export.snowflake import ddl as statements
from ..export.staged import stage
from ..reports.catalog import report as find
from ..reports.period import Grain, period
from .options import Config, Data, existing
from .output import note, say
from .report import parameters

_STAGE = "snowflake-stage"
_POSTGRES = ("postgres://", "postgresql://")


class Ddl(StrEnum):
    """Whose statements."""

    snowflake = "snowflake"


def add_to(app: typer.Typer) -> None:
    app.command()(export)
    app.command()(attach)


def export(
    name: Annotated[
        str | None, typer.Argument(help="Table (events, quarantine, ledger, sessions, a rollup), or else a report.")
    ] = None,
    format: Annotated[FileFormat, typer.Option("--format", help="What the file is.")] = FileFormat.parquet,
    out: Annotated[
        Path | None, typer.Option("--out", help="File, or folder for a file with the name.", show_default=".")
    ] = None,
    into: Annotated[
        str | None,
        typer.Option("--into", help="Instead of a file: postgres://…, or snowflake-stage, a folder at --out."),
    ] = None,
    table: Annotated[
        str | None, typer.Option("--table", help="Table in PostgreSQL, or schema.table.", show_default="the name")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="A date, a time, or how far back: 24h, 7d.", show_default="all")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="A date, which is included, or a time.")] = None,
    zone: Annotated[str, typer.Option("--zone", help="Time zone of these, as in Europe/Berlin.")] = "UTC",
    is_report: Annotated[bool, typer.Option("--report", help="The report, where a table has the same name.")] = False,
    grain: Annotated[Grain | None, typer.Option("--grain", help="Of a report.")] = None,
    where: Annotated[list[str] | None, typer.Option("--where", help="Of a report. Can be repeated.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Of a report.")] = None,
    given: Annotated[list[str] | None, typer.Option("--set", help="Of a report. Can be repeated.")] = None,
    steps: Annotated[list[str] | None, typer.Option("--step", help="Of a report. Can be repeated.")] = None,
    bots: Annotated[bool, typer.Option("--bots", help="Of a report: count known crawlers too.")] = False,
    ddl: Annotated[
        Ddl | None, typer.Option("--ddl", help="Print statements for what is staged, of NAME or of all tables.")
    ] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """A table or a report (with the options of `penstock report`) as a file, or into another database.

    The same again gives the same: a file is replaced when the new one is complete, in a database the rows of the period
    are. Times are UTC.
    """
    if until is not None and (until == _STAGE or until.startswith(_POSTGRES)):
        raise SettingsError("--to is the end of a time", hint="where it goes says --into")
    if name is None and ddl is None:
        raise SettingsError("export what?", hint=f"one of {', '.join(TABLES)}, or a report: `penstock reports`")
    of_report_only = {"grain": grain, "where": where, "by": by, "given": given, "steps": steps, "bots": bots}
    with existing(data, config) as lake:

        def rows(one: str) -> Rows:
            if one in TABLES and not is_report:
                _refuse(one, of_report_only)
                asked = period(since, until, zone=zone, now=lake.pipeline.clock()) if since or until else None
                return of_table(lake.pipeline, one, asked)
            return _report(lake, one, since, until, zone, with_period=bool(into or ddl), **of_report_only)

        if ddl is not None:
            _statements([name] if name else TABLES, rows)
        else:
            _send(lake, rows(name or ""), format, out, into, table)


def attach(
    file: Annotated[Path, typer.Argument(help="The DuckDB file to make.")],
    refresh: Annotated[bool, typer.Option("--refresh", help="Make a file again that is there.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """A DuckDB file for BI tools: events, quarantine, ledger, sessions and the rollups, as they are at this moment."""
    with existing(data, config) as lake:
        done = make_file(lake.pipeline, file, lake.pipeline.clock(), refresh=refresh)
    say(f"{file}: {done.tables} tables and views")
    note(f"It shows this moment (version {done.version} of events). Newer numbers, and at the latest the next day:")
    note(f"penstock attach {file} --refresh")


def _refuse(table: str, options: dict[str, Any]) -> None:
    if any(options.values()):
        raise SettingsError(
            f"{table!r} is a table, and only reports are filtered, grouped and so on",
            hint="--report means the report of that name; `penstock sql` can `copy (select …) to 'file'`",
        )


def _report(
    lake: OpenLake, name: str, since: str | None, until: str | None, zone: str, *, with_period: bool, **options: Any
) -> Rows:
    own = parameters(find(name), options["given"] or [], options["steps"] or [])
    plain = {key: options[key] for key in ("grain", "by", "bots")}
    try:
        answer = lake.report(name, since=since, until=until, zone=zone, where=options["where"] or (), **plain, **own)
    except SqlError as error:
        raise PenstockError(f"report {name} failed: {error}") from error
    return of_report(lake.pipeline, answer, with_period=with_period)


def _statements(names: Sequence[str], rows: Any) -> None:
    say(STAGE)
    for name in names:
        found: Rows = rows(name)
        say("\n" + statements(name, found.columns))
        found.close()


def _send(
    lake: OpenLake, rows: Rows, format: FileFormat, out: Path | None, into: str | None, table: str | None
) -> None:
    if table is not None and not (into or "").startswith(_POSTGRES):
        raise SettingsError("--table names a table in PostgreSQL", hint="--into postgres://… says in which")
    try:
        if into is None:
            path = _path(rows.name, format, out)
            say(f"{path}: {write_file(rows, format, path)} rows")
        elif into == _STAGE:
            root = out or Path()
            done = stage(rows, root, lake.pipeline.clock())
            say(f"{root / rows.name}: {done.rows} rows in {done.days} days, {done.changed} of them new or changed")
        elif into.startswith(_POSTGRES):
            from ..export.postgres import send

            say(f"{table or rows.name}: {send(rows, into, table)} rows")
        else:
            raise SettingsError(f"nothing is known of {into!r}", hint=f"--into takes {_POSTGRES[0]}… or {_STAGE}")
    finally:
        rows.close()


def _path(name: str, format: FileFormat, out: Path | None) -> Path:
    return out if out is not None and not out.is_dir() else (out or Path()) / f"{name}.{format}"
