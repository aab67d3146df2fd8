"""The DuckDB file: another process counts as we do; it shows its moment until made again; no other file is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from penstock.errors import PenstockError
from penstock.export.attach import attach
from penstock.export.rows import TABLES

from .conftest import LATE, Shop

NOW = datetime(2026, 3, 1, tzinfo=UTC)
COUNT = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as db:
    names = [name for name, in db.execute("show tables").fetchall()]
    print(json.dumps({name: db.execute(f"select count(*) from {name}").fetchone()[0] for name in names}))
"""


def counted(path: Path) -> dict[str, int]:
    """By plain DuckDB, in another process and another folder."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT, str(path)], capture_output=True, text=True, check=True, cwd="/", timeout=120
    )
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_another_process_counts_the_same(shop: Shop) -> None:
    path = shop.folder / "bi" / "lake.duckdb"
    assert attach(shop.way, path, NOW).tables == len(TABLES)
    assert counted(path) == {**{name: shop.count(name) for name in TABLES}, "penstock_moment": 1}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_it_shows_its_moment_until_it_is_made_again(shop: Shop) -> None:
    path = shop.folder / "lake.duckdb"
    attach(shop.way, path, NOW)
    shop.add(LATE)
    with duckdb.connect(path, read_only=True) as reader:
        attach(shop.way, path, NOW, refresh=True)
        assert reader.execute("select count(*) from events").fetchall() == [(4,)]
    assert (counted(path)["events"], counted(path)["sessions"]) == (5, shop.count("sessions"))


def test_what_it_shows_outlives_newer_sessions_and_maintenance(shop: Shop) -> None:
    path = shop.folder / "lake.duckdb"
    attach(shop.way, path, NOW)
    before = counted(path)
    shop.add(LATE)
    shop.way.sessions.purge()
    shop.way.maintain()
    assert counted(path) == before


def test_a_file_that_is_there_is_only_replaced_when_told(shop: Shop) -> None:
    path = shop.folder / "lake.duckdb"
    attach(shop.way, path, NOW)
    with pytest.raises(PenstockError, match="there already"):
        attach(shop.way, path, NOW)


@pytest.mark.parametrize("kind", ["duckdb", "text"])
def test_a_file_of_somebody_else_is_never_replaced(shop: Shop, kind: str) -> None:
    path = shop.folder / "theirs.duckdb"
    if kind == "duckdb":
        duckdb.connect(path).execute("create table precious as select 1").close()
    else:
        path.write_text("precious")
    before = path.read_bytes()
    with pytest.raises(PenstockError):
        attach(shop.way, path, NOW, refresh=True)
    assert path.read_bytes() == before
