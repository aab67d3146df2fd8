"""The statements are what each engine takes; DuckDB's are run."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from penstock.errors import PenstockError
from penstock.silver.ddl import Engine, ddl
from penstock.silver.lake import Silver
from penstock.silver.schema import Extra, Schema
from support import LakeInHand

NAMES = ["events", "quarantine", "ledger"]


def statements(sql: str, dialect: str) -> list[exp.Create]:
    found = [one for one in sqlglot.parse(sql, dialect=dialect) if one is not None]
    assert all(isinstance(one, exp.Create) for one in found)
    return [one for one in found if isinstance(one, exp.Create)]


def test_duckdb_runs_and_answers(hand: LakeInHand) -> None:
    hand.rows_of({"event_type": "e", "session_id": "s"}, {"event_type": None})
    hand.lake = type(hand.lake)(hand.lake.url, Schema((Extra("group", "VARCHAR"),)))
    hand.rows_of({"event_type": "f", "session_id": "s", "group": "it's"})
    text = ddl(hand.lake.silver, Engine.duckdb)
    with duckdb.connect() as db:
        db.execute(text)
        db.execute(text)
        assert db.execute('select event_type, "group" from events order by all').fetchall() == [
            ("e", None),
            ("f", "it's"),
        ]
        assert db.execute("select reason from quarantine").fetchall() == [("bad_event_name",)]
        assert db.execute("select sum(events) from ledger").fetchall() == [(3,)]
    assert [one.this.name for one in statements(text, "duckdb")] == NAMES


@pytest.mark.parametrize("generation", ["", "g2026"])
def test_athena_reads_the_delta_tables(generation: str) -> None:
    silver = Silver(f"s3://bucket/it's/silver/{generation}".rstrip("/"), generation)
    found = statements(ddl(silver, Engine.athena), "athena")
    assert [one.this.name for one in found] == NAMES
    for one, name in zip(found, NAMES, strict=True):
        location = one.find(exp.LocationProperty)
        assert location is not None
        assert (
            location.this.this
            == f"s3://bucket/it%27s/silver/{generation}/".replace("//{", "/").rstrip("/") + f"/{name}/"
        )
        properties = {each.name: each.text("value") for each in one.find_all(exp.Property) if each.name == "table_type"}
        assert properties == {"table_type": "DELTA"}
        assert not one.find(exp.ColumnDef)


def test_athena_cannot_read_a_local_disk(hand: LakeInHand) -> None:
    with pytest.raises(PenstockError, match="S3 only") as caught:
        ddl(hand.lake.silver, Engine.athena)
    assert "lake =" in caught.value.hint


def test_spark_uses_delta(hand: LakeInHand) -> None:
    found = statements(ddl(hand.lake.silver, Engine.spark), "spark")
    assert [one.this.name for one in found] == NAMES
    assert {one.find(exp.FileFormatProperty).this.name.upper() for one in found} == {"DELTA"}  # type: ignore[union-attr]
    assert [one.find(exp.LocationProperty).this.this for one in found] == [  # type: ignore[union-attr]
        table.url for table, _ in hand.lake.silver.tables
    ]
