"""On Spark SQL, every report, asked in each of its ways, has the rows that it has on DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.gold.catalog import ROLLUPS, Rollup
from penstock.gold.over_silver import over_silver
from penstock.reports.engines.spark import Spark
from penstock.reports.statement import Statement
from penstock.reports.views import views
from support import LakeInHand

from .asked import Asked, assert_alike, everything
from .conftest import Silver
from .rolled import assert_rolled_alike

pytestmark = [pytest.mark.heavy, pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")]
"""PySpark leaves closing to the garbage collector."""


@pytest.fixture(scope="module")
def engine(spark: Any, silver: Silver) -> Spark:
    return Spark(silver.events)


@pytest.mark.parametrize("asked", list(everything()), ids=str)
def test_a_report_says_the_same_on_spark(engine: Spark, silver: Silver, asked: Asked) -> None:
    told = asked.statement()
    assert_alike(engine.ask(told), silver.run(told))


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.name)
def test_a_rollup_has_the_same_rows_on_spark(engine: Spark, silver: Silver, rollup: Rollup) -> None:
    assert_rolled_alike(engine.ask, silver.run, rollup)


def test_rollups_are_views_there(engine: Spark, spark: Any, silver: Silver) -> None:
    engine.ask(_of_everything())
    spark.sql("create or replace temp view events as select * from penstock_events")
    for rollup, view in zip(ROLLUPS, views("spark"), strict=True):
        spark.sql(view.replace("replace view", "replace temp view", 1))
        [[expected]] = silver.sql(f"select count(*) as n from ({over_silver(rollup)})", {})
        assert spark.table(rollup.name).count() == expected.as_py() > 0, rollup.name


def test_from_python(spark: Any, silver: Silver, tmp_path: Path) -> None:
    asked = {"since": "2026-03-28", "until": "2026-03-29", "grain": "day"}
    with penstock.open(tmp_path, lake=silver.folder.as_uri()) as lake:
        assert lake.report("events", engine="spark", **asked).rows() == lake.report("events", **asked).rows() != []


def test_a_folder_whose_name_has_a_blank(spark: Any, tmp_path: Path) -> None:
    hand = LakeInHand(tmp_path / "100% my lake")
    hand.put([{"event_type": "page_view", "event_ts": "2026-03-28T10:00:00Z"}])
    hand.refine()
    assert Spark(hand.lake.silver.events).ask(_of_everything()).to_pylist() == [{"n": 1}]


def _of_everything() -> Statement:
    return Statement("select count(*) as n from silver.events", {}, None)
