"""`export` and `attach`: where things go, what is said, and refusals in words."""

from __future__ import annotations

import csv
import json
import sys

import duckdb
import pytest
import sqlglot

from penstock.gold.catalog import FOR_PEOPLE

from .conftest import Cli

TABLES = len(("events", "quarantine", "ledger", "sessions", *FOR_PEOPLE))


def test_a_table_as_a_file_in_this_folder(shop: Cli) -> None:
    assert shop.out("export", "events") == "events.parquet: 2 rows\n"
    assert duckdb.sql(f"select count(*) from '{shop.folder}/events.parquet'").fetchall() == [(2,)]


def test_a_table_as_a_file_of_that_name_or_in_that_folder(shop: Cli) -> None:
    (shop.folder / "there").mkdir()
    assert shop.out("export", "quarantine", "--format", "json", "--out", "there") == "there/quarantine.json: 1 rows\n"
    shop.out("export", "events", "--format", "csv", "--out", "new/e.csv", "--from", "2026-02-01", "--to", "2026-02-01")
    with (shop.folder / "new" / "e.csv").open(newline="") as file:
        assert [row["event_type"] for row in csv.DictReader(file)] == ["purchase", "'=1+1"]


def test_a_report_with_its_options(shop: Cli) -> None:
    shop.out(
        "export", "events", "--report", "--from", "2026-02-01", "--to", "2026-02-01", "--grain", "hour",
        "--where", "event_type=purchase", "--set", "event=purchase", "--format", "json", "--out", "r.json",
    )  # fmt: skip
    rows = [json.loads(line) for line in (shop.folder / "r.json").read_text().splitlines()]
    assert sum(row["events"] for row in rows) == 1 and len(rows) == 24


def test_a_report_that_no_table_is_called_like_needs_no_word(shop: Cli) -> None:
    assert shop.out("export", "top_products", "--from", "2026-02-01", "--to", "2026-02-01").endswith(" rows\n")


def test_a_stage_for_snowflake(shop: Cli) -> None:
    command = ("export", "events", "--into", "snowflake-stage", "--out", "stage")
    assert shop.out(*command) == "stage/events: 2 rows in 1 days, 1 of them new or changed\n"
    assert shop.out(*command) == "stage/events: 2 rows in 1 days, 0 of them new or changed\n"


def test_ddl_of_one_table_and_of_all(shop: Cli) -> None:
    one, everything = shop.out("export", "sessions", "--ddl", "snowflake"), shop.out("export", "--ddl", "snowflake")
    assert one.count("create pipe") == 1 and one.count("create stage") == 1
    assert everything.count("create pipe") == TABLES and everything.count("create stage") == 1
    assert len(sqlglot.parse(one.partition("create pipe")[0], read="snowflake")) >= 5


def test_postgres_that_is_not_there_is_told_in_words(shop: Cli) -> None:
    result = shop("export", "events", "--into", "postgres://penstock:hush@127.0.0.1:1/x")
    assert result.exit_code == 1
    assert "PostgreSQL: " in result.stderr and "hush" not in result.stderr


REFUSED = [
    (["export"], "export what?"),
    (["export", "nothing"], "nothing"),
    (["export", "events", "--by", "source"], "--report"),
    (["export", "events", "--into", "mysql://x"], "--into takes"),
    (["export", "events", "--to", "postgres://x"], "--into"),
    (["export", "events", "--table", "x"], "--table names"),
    (["export", "events", "--from", "yesterday-ish"], "yesterday-ish"),
    (["export", "events", "--data", "typo"], "there is no folder typo"),
    (["attach", "x.duckdb", "--data", "typo"], "there is no folder typo"),
]


@pytest.mark.parametrize(("command", "said"), REFUSED)
def test_refusals_are_told_in_words(shop: Cli, command: list[str], said: str) -> None:
    before = sorted(shop.folder.iterdir())
    result = shop(*command)
    assert result.exit_code in (1, 2)
    assert said in result.stderr
    assert sorted(shop.folder.iterdir()) == before


def test_attach_says_that_it_shows_the_moment_and_how_to_make_it_again(shop: Cli) -> None:
    result = shop("attach", "lake.duckdb")
    assert (result.exit_code, result.stdout) == (0, f"lake.duckdb: {TABLES} tables and views\n")
    assert "shows this moment" in result.stderr and "--refresh" in result.stderr
    assert "--refresh" in shop("attach", "lake.duckdb").stderr
    shop.out("attach", "lake.duckdb", "--refresh")
    with duckdb.connect(str(shop.folder / "lake.duckdb"), read_only=True) as db:
        assert db.sql("select count(*) from events").fetchall() == [(2,)]


def test_without_the_package_for_postgres_it_is_told_how_to_get_it(shop: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "penstock.export.postgres", raising=False)
    result = shop("export", "events", "--into", "postgres://127.0.0.1/x")
    assert result.exit_code == 2
    assert "pip install 'penstock[postgres]'" in result.stderr
