"""Files: the same rows in every format, whole or not at all, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from penstock.export.files import FileFormat, write_file
from penstock.export.rows import TABLES, of_report, of_table
from penstock.reports.period import period

from .conftest import LATE, Shop

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def put(
    shop: Shop, name: str, format: FileFormat, since: str = "", until: str | None = None, *, alone: bool = True
) -> Path:
    path = shop.folder / format / f"{name}.{format}"
    rows = of_table(shop.way, name, period(since, until, now=NOW) if since else None)
    count = write_file(rows, format, path)
    rows.close()
    assert not alone or [file.name for file in path.parent.iterdir()] == [path.name]
    assert duckdb.sql(f"select count(*) from '{path}'").fetchall() == [(count,)]
    return path


@pytest.mark.parametrize("format", FileFormat)
def test_every_table_is_written_whole(shop: Shop, format: FileFormat) -> None:
    for name in TABLES:
        path = put(shop, name, format, alone=False)
        assert duckdb.sql(f"select count(*) from '{path}'").fetchall() == [(shop.count(name),)], name


def test_parquet_holds_what_the_lake_says(shop: Shop) -> None:
    path = put(shop, "events", FileFormat.parquet)
    names = ", ".join(pq.read_schema(path).names)
    exported = shop.lake.sql(f"select {names} from '{path}' order by event_id").fetchall()
    assert exported == shop.lake.sql(f"select {names} from events order by event_id").fetchall()
    assert "hour" not in names.split(", ")


PERIODS = [
    ("events", "2026-02-02", "2026-02-02", 1),
    ("events", "2026-02-01", "2026-02-02", 3),
    ("events", "2026-02-01T12:00", "2026-02-01T12:01", 1),
    ("events", "2026-01-01", "2026-01-31", 0),
    ("sessions", "2026-02-01", "2026-02-01", 1),
    ("event_counts", "2026-02-01T12:00", "2026-02-02T01:00", 3),
    ("users_daily", "2026-02-02", "2026-02-03", 2),
    ("quarantine", "2026-02-01", "2026-02-03", 0),
]


@pytest.mark.parametrize(("name", "since", "until", "expected"), PERIODS)
def test_a_period_is_of_the_events_own_time(shop: Shop, name: str, since: str, until: str, expected: int) -> None:
    assert pq.read_metadata(put(shop, name, FileFormat.parquet, since, until)).num_rows == expected


@pytest.mark.parametrize(("until", "read"), [("2026-02-02", "1/5"), ("2026-02-03", "2/5"), ("2027-01-01", "4/5")])
def test_a_period_leaves_out_files_by_their_folders(shop: Shop, until: str, read: str) -> None:
    shop.add({**LATE, "event_ts": "2025-12-31T23:00:00Z"})
    rows = of_table(shop.way, "events", period("2026-02-02", until, now=NOW))
    [(_, plan)] = rows.db.execute(f"explain analyze {rows.sql(['event_id'])}").fetchall()
    rows.close()
    assert f"Scanning Files: {read}" in plan


def test_csv_is_harmless_in_a_spreadsheet_and_readable(shop: Shop) -> None:
    hostile = ["=1+1", "@x", "+1-1", "-2+3", "\tx", "+12", "-5.5", "plain", "'=x"]
    shop.add(*({**LATE, "event_id": f"h{n}", "page_title": text} for n, text in enumerate(hostile)))
    with put(shop, "events", FileFormat.csv).open(newline="") as file:
        found = {row["event_id"]: row for row in csv.DictReader(file)}
    shown = [found[f"h{n}"]["page_title"] for n in range(len(hostile))]
    stored = dict(shop.lake.sql("select event_id, page_title from events").fetchall())
    for text, cell in zip((stored[f"h{n}"] for n in range(len(hostile))), shown, strict=True):
        is_text = text[:1] in "=@\t" or text in ("+1-1", "-2+3")
        assert cell == ("'" + text if is_text else text)
    assert (found["e1"]["event_ts"], found["e1"]["price"]) == ("2026-02-01T12:00:00.000000Z", "29.99")
    assert found["e3"]["page_path"].startswith("'=") or not found["e3"]["page_path"].startswith("=")


def test_json_is_a_line_for_each_row(shop: Shop) -> None:
    rows = [json.loads(line) for line in put(shop, "events", FileFormat.json).read_text().splitlines()]
    [one] = [row for row in rows if row["event_id"] == "e1"]
    assert (one["price"], one["event_ts"], one["is_bot"]) == (29.99, "2026-02-01T12:00:00.000000Z", False)
    [bad] = [json.loads(line) for line in put_alone(shop, "quarantine").read_text().splitlines()]
    assert bad["raw"] == "not JSON"


def put_alone(shop: Shop, name: str) -> Path:
    path = shop.folder / "alone" / f"{name}.json"
    rows = of_table(shop.way, name)
    write_file(rows, FileFormat.json, path)
    rows.close()
    return path


def test_gz_is_compressed(shop: Shop) -> None:
    rows = of_table(shop.way, "events")
    write_file(rows, FileFormat.csv, shop.folder / "e.csv.gz")
    rows.close()
    assert gzip.decompress((shop.folder / "e.csv.gz").read_bytes()).startswith(b"event_id,source,")


def test_a_report_is_written_as_it_is_answered(shop: Shop) -> None:
    answer = shop.lake.report("events", since="2026-02-01", until="2026-02-03", by="event_type")
    rows = of_report(shop.way, answer, with_period=False)
    write_file(rows, FileFormat.parquet, shop.folder / "r.parquet")
    rows.close()
    assert pq.read_table(shop.folder / "r.parquet").to_pylist() == answer.rows()


def test_what_fails_leaves_the_old_file_and_nothing_else(shop: Shop) -> None:
    path = put(shop, "events", FileFormat.csv)
    before = path.read_bytes()
    rows = of_table(shop.way, "events")
    for file in shop.data.glob("silver/events/**/*.parquet"):
        file.write_bytes(b"")
    with pytest.raises(duckdb.Error):
        write_file(rows, FileFormat.csv, path)
    rows.close()
    assert [(file.name, file.read_bytes()) for file in path.parent.iterdir()] == [(path.name, before)]


def test_an_export_shows_one_moment(shop: Shop) -> None:
    rows = of_table(shop.way, "events")
    shop.add(LATE)
    assert write_file(rows, FileFormat.parquet, shop.folder / "e.parquet") == 4
    rows.close()
