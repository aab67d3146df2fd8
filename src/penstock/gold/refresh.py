"""The job that looks which hours silver's new commits touched → recomputes those hours whole and replaces them.

Nothing is ever added to a count, so late, repeated or reordered events cannot make it drift.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import duckdb

from ..objects import Objects
from ..silver import snapshot
from ..silver.columns import EVENTS
from ..silver.commit import Table
from .catalog import ROLLUPS
from .stores.sqlite import Store

_HOURS_AT_ONCE = 24 * 31


def refresh(events: Table, store: Store) -> int:
    """Bring every rollup up to silver's version; returns how many hours were recomputed."""
    table = events.open()
    version = table.version()
    if version == store.version():
        return 0
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        hours = _touched(events, db, store, version)
        for start in range(0, len(hours), _HOURS_AT_ONCE):
            some = hours[start : start + _HOURS_AT_ONCE]
            _recompute(db, snapshot.holding(table, some), some, store)
    store.finish(version)
    return len(hours)


def _touched(events: Table, db: duckdb.DuckDBPyConnection, store: Store, version: int) -> list[datetime]:
    """Hours in which an event was added since the store's version; all hours, of an empty store, if we cannot tell."""
    done = store.version()
    paths = None if done is None else _added_since(events, done, version)
    if paths is None:
        store.clear()
        paths = snapshot.files(events.open())
    sql = snapshot.read_sql(paths, EVENTS)
    rows = db.execute(f"select distinct date_trunc('hour', event_ts) as hour from ({sql}) order by hour").fetchall()
    return [row[0].astimezone(UTC) for row in rows]


def _added_since(events: Table, done: int, version: int) -> list[str] | None:
    log = Objects(f"{events.url}/_delta_log")
    paths = []
    for number in range(done + 1, version + 1):
        try:
            commit = log.get(f"{number:020}.json")
        except FileNotFoundError:
            return None
        for action in _actions(commit):
            if "remove" in action and action["remove"].get("dataChange", True):
                return None
            if "add" in action and action["add"].get("dataChange", True):
                paths.append(f"{events.open().table_uri.rstrip('/')}/{action['add']['path']}")
    return paths


def _actions(commit: bytes) -> Iterator[dict[str, dict[str, object]]]:
    for line in commit.splitlines():
        yield json.loads(line)


def _recompute(db: duckdb.DuckDBPyConnection, paths: Sequence[str], hours: Sequence[datetime], store: Store) -> None:
    marks = ", ".join(f"timestamptz '{hour.isoformat()}'" for hour in hours)
    sql = snapshot.read_sql(paths, EVENTS)
    db.execute(
        f"create or replace temp view events as select * from ({sql}) where date_trunc('hour', event_ts) in ({marks})"
    )
    for rollup in ROLLUPS:
        store.replace(rollup, hours, db.execute(rollup.sql).fetchall())
