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
from .stores.sqlite import Shown, Store

_HOURS_AT_ONCE = 24 * 31


def refresh(events: Table, store: Store) -> int:
    """Bring every rollup up to silver's version; returns how many hours were recomputed."""
    table = events.open()
    shown = Shown(str(table.metadata().id), table.version())
    if shown == store.shown():
        return 0
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        hours = _touched(events, db, store, shown)
        for start in range(0, len(hours), _HOURS_AT_ONCE):
            some = hours[start : start + _HOURS_AT_ONCE]
            _recompute(db, snapshot.holding(table, some), some, store)
    store.finish(shown)
    return len(hours)


def _touched(events: Table, db: duckdb.DuckDBPyConnection, store: Store, shown: Shown) -> list[datetime]:
    """Hours in which an event was added since what the store shows; if we cannot tell, all of silver and the store."""
    done = store.shown()
    paths: list[str] | None = None
    if done is not None and done.table == shown.table and done.version < shown.version:
        paths = _added_since(events, done.version, shown.version)
    known: set[datetime] = set() if paths is not None else store.buckets()
    sql = snapshot.read_sql(snapshot.files(events.open()) if paths is None else paths, EVENTS)
    rows = db.execute(f"select distinct date_trunc('hour', event_ts) from ({sql})").fetchall()
    return sorted(known.union(row[0].astimezone(UTC) for row in rows))


def _added_since(events: Table, done: int, version: int) -> list[str] | None:
    """Files that the commits after `done` added; None if one of them is gone, or took rows away."""
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
