"""Gold in hand: a store and a table of sessions beside a lake, refreshed, and compared with the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from penstock.gold import by_day, sessions, steps
from penstock.gold.catalog import ROLLUPS
from penstock.gold.refresh import Refreshed, refresh
from penstock.gold.stores.sqlite import SQLite
from penstock.silver.commit import Table
from support import NOW, LakeInHand, Rows
from table_in_hand import endpoint, table

from . import reference

__all__ = ["endpoint", "table"]
HOUR = NOW.replace(minute=0, second=0)
BY_NAME = {rollup.name: rollup for rollup in ROLLUPS}


@dataclass
class GoldInHand:
    """`hand` is the lake that is shown."""

    hand: LakeInHand
    store: SQLite
    steps: Table
    visits: Table

    def refresh(self, *, days: bool = True) -> Refreshed:
        return refresh(self.hand.lake.silver.events, self.store, self.steps, self.visits, days=days)

    def rows(self, name: str) -> list[reference.Row]:
        return reference.in_order(self.store.read(BY_NAME[name]))

    def sessions(self) -> Rows:
        """In no certain order."""
        return self._of(self.visits)

    def _of(self, table: Table) -> Rows:
        with duckdb.connect() as db:
            db.execute("set timezone = 'UTC'")
            answer = db.execute(by_day.sql(table))
            names = [column[0] for column in answer.description or ()]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def everything(self) -> dict[str, list[Any]]:
        return {name: self.rows(name) for name in BY_NAME} | {
            "sessions": ordered(self.sessions()),
            "steps": ordered(self._of(self.steps)),
        }

    def assert_is_silver(self) -> None:
        """All of gold is what the reference makes of silver."""
        events = self.hand.sql("select * from events")
        expected = reference.sessions(events)
        assert ordered(self.sessions()) == ordered(expected)
        assert ordered(self._of(self.steps)) == ordered(reference.steps(events))
        for name, rows in reference.rollups(events, expected).items():
            assert self.rows(name) == rows, name


def in_hand(hand: LakeInHand, store: SQLite, url: str | None = None) -> GoldInHand:
    """`url`: where its Delta tables are, if not in the lake."""
    return GoldInHand(hand, store, steps.table(url or hand.lake.url), sessions.table(url or hand.lake.url))


def ordered(found: Rows) -> list[tuple[Any, ...]]:
    return reference.in_order(tuple(row[name] for name in sorted(row)) for row in found)


@pytest.fixture
def make_gold(tmp_path: Path) -> Iterator[Callable[[LakeInHand], GoldInHand]]:
    opened: list[SQLite] = []

    def make(hand: LakeInHand) -> GoldInHand:
        opened.append(SQLite(hand.folder / "gold" / "rollups.db"))
        return in_hand(hand, opened[-1])

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def gold(hand: LakeInHand, make_gold: Callable[[LakeInHand], GoldInHand]) -> GoldInHand:
    return make_gold(hand)


def event(number: int, hours_ago: float = 0, kind: str = "view", **fields: Any) -> dict[str, Any]:
    at = HOUR + timedelta(minutes=5) - timedelta(hours=hours_ago)
    return {"event_type": kind, "event_id": f"id-{number}", "session_id": "s", "event_ts": at.isoformat(), **fields}


def fill(hand: LakeInHand, *events: dict[str, Any], **headers: str) -> None:
    hand.put(hand.post(list(events), **headers))
    hand.refine()
