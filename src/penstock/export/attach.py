"""The lake as it is now → a DuckDB file that any tool opens: views over silver, and gold as tables.

The views name the files of this moment. Merging replaces files, and the old ones are deleted some hours later; so the
file is to be made again, `refresh`, as often as newer numbers are wanted. The files of sessions change with every
rollup, so they are copied; and of a lake in a bucket, all is.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from ..errors import PenstockError
from ..gold import by_day, sessions
from ..gold.catalog import FOR_PEOPLE
from ..gold.table import table as rollup_table
from ..objects import make_folder, sync_file
from ..pipeline import Pipeline
from ..reports.text import literal
from .files import put, temporary_in
from .rows import prepare

MARK = "penstock_moment"
"""The table of one row that says what the file shows, and that it is ours."""


class Attached(NamedTuple):
    tables: int
    version: int
    """Of the Delta table `events`."""


def attach(way: Pipeline, path: Path, now: datetime, *, refresh: bool = False) -> Attached:
    """Who has an older file open goes on with that. Raises PenstockError for a file that must stay."""
    if path.exists():
        _check(path, refresh)
    make_folder(path.parent)
    temporary = temporary_in(path.parent)
    try:
        with duckdb.connect(temporary) as db:
            prepare(db, way)
            found = _fill(db, way, now)
        sync_file(temporary)
        put(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        Path(f"{temporary}.wal").unlink(missing_ok=True)
    return found


def _fill(db: duckdb.DuckDBPyConnection, way: Pipeline, now: datetime) -> Attached:
    silver = way.lake.silver
    views = silver.views()
    # Of a lake in a bucket, the copies here may go at any time; so they are copied too.
    kind = "view" if way.cache is None else "table"
    for name, sql in views.items():
        db.execute(f"create {kind} {name} as {sql}")
    db.execute(f"create table {sessions.NAME} as {by_day.sql(way.sessions)}")
    for rollup in FOR_PEOPLE:
        db.register("loading", rollup_table(rollup, way.gold.read(rollup)))
        db.execute(f"create table {rollup.name} as from loading")
        db.unregister("loading")
    version = silver.events.version()
    told = f"{literal(now)} as made_at, {version} as events_version, {literal(way.lake.url)} as lake"
    db.execute(f"create table {MARK} as select {told}")
    return Attached(len(views) + 1 + len(FOR_PEOPLE), version)


def _check(path: Path, refresh: bool) -> None:
    try:
        with duckdb.connect(path, read_only=True) as db:
            ours = db.execute("select 1 from duckdb_tables() where table_name = ?", [MARK]).fetchone() is not None
    except duckdb.Error as error:
        raise PenstockError(
            f"{path} cannot be looked into: {error}", hint="name another file, or move it away"
        ) from error
    if not ours:
        raise PenstockError(f"{path} was not made by `penstock attach`", hint="name another file")
    if not refresh:
        raise PenstockError(f"{path} is there already", hint="--refresh makes it again, as the lake is now")
