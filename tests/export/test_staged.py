"""The stage for Snowflake: a file for each day, a manifest that is true, and files that change only with their day."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from penstock.errors import PenstockError
from penstock.export.rows import of_report, of_table
from penstock.export.staged import Staged, read_manifest, stage
from penstock.reports.period import period

from .conftest import LATE, Shop

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def put(shop: Shop, name: str = "events", at: int = 0, since: str | None = None, until: str | None = None) -> Staged:
    rows = of_table(shop.way, name, period(since, until, now=NOW) if since else None)
    try:
        return stage(rows, shop.folder / "stage", NOW + timedelta(minutes=at))
    finally:
        rows.close()


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.parquet")}


def staged(shop: Shop, name: str = "events") -> Path:
    """The folder, after its manifest was compared with its files."""
    folder = shop.folder / "stage" / name
    there = files(folder)
    assert {(f.path, f.bytes, f.sha256) for f in read_manifest(folder)} == {
        (path, len(data), hashlib.sha256(data).hexdigest()) for path, data in there.items()
    }
    for file in read_manifest(folder):
        found = duckdb.sql(f"select count(*) from '{folder / file.path}'").fetchall()
        assert (found, file.path.split("/")[0]) == ([(file.rows,)], f"day={file.day}")
    assert not list(folder.rglob("*.tmp"))
    return folder


def test_a_file_for_each_day_and_a_manifest(shop: Shop) -> None:
    assert put(shop) == Staged(days=3, rows=4, changed=3)
    folder = staged(shop)
    assert [(f.day, f.rows) for f in read_manifest(folder)] == [
        (date(2026, 2, 1), 2), (date(2026, 2, 2), 1), (date(2026, 2, 3), 1),
    ]  # fmt: skip
    assert json.loads((folder / "manifest.json").read_text())["columns"]["price"] == "DECIMAL(18,2)"


@pytest.mark.parametrize("name", ["events", "quarantine", "ledger", "sessions", "event_counts", "users_daily"])
def test_the_same_again_changes_no_file(shop: Shop, name: str) -> None:
    done = put(shop, name)
    before = files(staged(shop, name))
    assert done.rows == shop.count(name) > 0
    assert put(shop, name, at=1) == done._replace(changed=0)
    assert files(staged(shop, name)) == before


def test_only_a_day_that_changed_gets_a_new_file_under_a_new_name(shop: Shop) -> None:
    put(shop)
    before = files(staged(shop))
    shop.add(LATE)
    assert put(shop, at=1).changed == 1
    after = files(staged(shop))
    assert {path.split("/")[0] for path in before.keys() ^ after.keys()} == {"day=2026-02-02"}
    assert len(after) == 3


def test_a_period_replaces_its_days_and_leaves_the_others(shop: Shop) -> None:
    put(shop)
    shop.add(LATE, {**LATE, "event_id": "e6", "event_ts": "2026-02-03T01:00:00Z"})
    assert put(shop, at=1, since="2026-02-02", until="2026-02-02") == Staged(days=1, rows=2, changed=1)
    assert [f.rows for f in read_manifest(staged(shop))] == [2, 2, 1]


def test_a_day_without_rows_goes(shop: Shop) -> None:
    put(shop)
    shop.way.erase("session_id", "s1")
    put(shop, at=1)
    assert [f.day for f in read_manifest(staged(shop))] == [date(2026, 2, 2), date(2026, 2, 3)]


def test_what_a_killed_export_left_goes(shop: Shop) -> None:
    put(shop)
    left = shop.folder / "stage" / "events" / "day=2026-02-01" / "events-19700101T000000000000Z.parquet"
    left.write_bytes(b"half")
    put(shop, at=1)
    assert not left.exists()
    staged(shop)


def test_half_a_day_is_refused(shop: Shop) -> None:
    with pytest.raises(PenstockError, match="cuts one"):
        put(shop, since="2026-02-01T12:00", until="2026-02-01T13:00")


def test_a_report_is_of_its_first_day(shop: Shop) -> None:
    for since in ("2026-02-01", "2026-02-02", "2026-02-02"):
        rows = of_report(shop.way, shop.lake.report("events", since=since, until="2026-02-03"), with_period=True)
        stage(rows, shop.folder / "stage", NOW)
        rows.close()
    assert [(f.day, f.rows) for f in read_manifest(staged(shop))] == [(date(2026, 2, 1), 3), (date(2026, 2, 2), 2)]
