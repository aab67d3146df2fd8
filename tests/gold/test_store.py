"""The store on SQLite: a file that was made by other definitions is made again, and SQL can ask it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hand_clock import NOON
from penstock.gold.catalog import ROLLUPS
from penstock.gold.stores import Shown, sqlite
from penstock.gold.stores.sqlite import SQLite

COUNTS = ROLLUPS[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rollups.db"


def filled(path: Path) -> None:
    store = SQLite(path)
    store.replace(COUNTS, [NOON], [(NOON, "a", 1, 0)])
    store.finish(["event_counts"], Shown("id", 1))
    store.close()


def test_sql_can_ask_it(path: Path) -> None:
    filled(path)
    store = SQLite(path)
    assert store.query("select bucket, events from event_counts where event_type = ?", ["a"]) == [
        ("2026-02-01T12:00Z", 1)
    ]
    store.close()


def test_a_file_of_before_is_made_again(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("create table shown (silver text, version integer)")
        db.execute("create table event_counts (bucket text, event_type text, events, bot_events)")
        db.execute("insert into shown values ('id', 7)")
    db.close()
    filled(path)
    store = SQLite(path)
    assert store.read(COUNTS) == [(NOON, "a", 1, 0)]
    store.close()


def test_another_definition_makes_it_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    for definitions, there in ((sqlite.definitions, True), (lambda: ["select other"], False)):
        monkeypatch.setattr(sqlite, "definitions", definitions)
        store = SQLite(path)
        assert bool(store.shown()) == bool(store.read(COUNTS)) == there
        store.close()
