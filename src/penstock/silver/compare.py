"""Two generations of silver → what differs: which events are in one only, and which columns of the others changed."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb

from .columns import EVENTS, PARTITIONS
from .lake import Silver

_BESIDES = ("event_id", "source")


@dataclass(frozen=True)
class Difference:
    """Numbers of events. `changed`: column → events with another value there; `quarantined`: reason → (old, new)."""

    old_events: int
    new_events: int
    only_old: int = 0
    only_new: int = 0
    changed: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def none(self) -> bool:
        same = all(old == new for old, new in self.quarantined.values())
        return not (self.only_old or self.only_new or self.changed) and same


def compare(old: Silver, new: Silver) -> Difference:
    """By (source, event_id). Whole rows are compared by a hash first, so equal ones cost little."""
    columns = (*EVENTS, *new.schema.columns, *PARTITIONS)
    names = [column.name for column in columns if column.name not in _BESIDES]
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        for side, silver in (("old", old), ("new", new)):
            views = silver.views(("events", "quarantine"))
            db.execute(f"create view {side}_events as {views['events']}")
            db.execute(f"create view {side}_quarantine as {views['quarantine']}")
            db.execute(
                f"create temp table {side} as select source, event_id,"
                f" hash({', '.join(map(_quoted, names))}) as row_hash from {side}_events"
            )
        [(before, now, only_old, only_new)] = db.execute(
            """
            select (select count(*) from old), (select count(*) from new),
                   (select count(*) from old anti join new using (source, event_id)),
                   (select count(*) from new anti join old using (source, event_id))
            """
        ).fetchall()
        return Difference(before, now, only_old, only_new, changed=_changed(db, names), quarantined=_quarantined(db))


def _changed(db: duckdb.DuckDBPyConnection, names: list[str]) -> dict[str, int]:
    db.execute(
        "create temp table changed as select source, event_id"
        " from old join new using (source, event_id) where old.row_hash <> new.row_hash"
    )
    if not db.execute("select 1 from changed limit 1").fetchall():
        return {}
    # As text, for a column of the user's own may have had another type.
    each = ", ".join(
        f"count(*) filter (o.{name}::varchar is distinct from n.{name}::varchar)" for name in map(_quoted, names)
    )
    [counts] = db.execute(
        f"""
        with o as (select * from old_events semi join changed using (source, event_id)),
             n as (select * from new_events semi join changed using (source, event_id))
        select {each} from o join n using (source, event_id)
        """
    ).fetchall()
    return {name: count for name, count in zip(names, counts, strict=True) if count}


def _quoted(name: str) -> str:
    return f'"{name}"'


def _quarantined(db: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    rows = db.execute(
        """
        with o as (select reason, count(*) as events from old_quarantine group by reason),
             n as (select reason, count(*) as events from new_quarantine group by reason)
        select reason, coalesce(o.events, 0), coalesce(n.events, 0) from o full join n using (reason) order by reason
        """
    ).fetchall()
    return {reason: (old, new) for reason, old, new in rows}
