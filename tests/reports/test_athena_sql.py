"""On Trino, whose SQL is Athena's, every report, asked in each of its ways, has the rows that it has on DuckDB.

Asked through Athena's API, over a lake in a bucket; Trino has the rows in memory, as reading Delta is Athena's affair.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from athena_in_hand import AthenaInHand, serving
from penstock.gold.catalog import ROLLUPS, Rollup
from penstock.gold.over_silver import over_silver
from penstock.objects import Objects
from penstock.reports.catalog import reports
from penstock.reports.engines.athena import Athena, passes
from penstock.reports.views import views
from penstock.setting_sections import AthenaSettings
from penstock.silver.lake import Silver as SilverTables
from s3_in_hand import a_lake, environment
from s3_in_hand import serving as s3
from trino_in_hand import Trino, trino

from .asked import Asked, assert_alike, everything
from .conftest import COLUMNS, Silver
from .rolled import assert_rolled_alike

pytestmark = pytest.mark.heavy
__all__ = ["trino"]


@pytest.fixture(scope="module")
def athena(trino: Trino, silver: Silver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Athena]:
    with pytest.MonkeyPatch.context() as env, s3("moto", tmp_path_factory.mktemp("s3")) as endpoint:
        for name, value in environment(endpoint).items():
            env.setenv(name, value)
        url = f"{a_lake()}/silver"
        copy(silver.folder / "silver", url)
        with serving(AthenaInHand(trino.query), env):
            engine = Athena(SilverTables(url, read_only=True), AthenaSettings(), lambda _: None)
            trino.load(f"penstock.{engine.table}", COLUMNS, silver.rows)
            yield engine
            engine.close()


def copy(folder: Path, url: str) -> None:
    there = Objects(url)
    for file in folder.rglob("*"):
        if file.is_file():
            there.put(file.relative_to(folder).as_posix(), file.read_bytes())


@pytest.mark.parametrize("asked", list(everything()), ids=str)
def test_a_report_says_the_same_in_athenas_sql(athena: Athena, silver: Silver, asked: Asked) -> None:
    told = asked.statement()
    assert_alike(athena.ask(told), silver.run(told))


@pytest.mark.parametrize("name", reports())
def test_no_table_is_read_more_often_than_was_told(athena: Athena, trino: Trino, name: str) -> None:
    asked = next(asked for asked in everything() if asked.name == name)
    sql = athena.sql(asked.statement())
    _, plan = trino.query(f"explain {sql}")
    assert 0 < str(plan).count("[table = memory:") <= passes(sql, athena.table)


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.name)
def test_a_rollup_has_the_same_rows_in_athenas_sql(athena: Athena, silver: Silver, rollup: Rollup) -> None:
    assert_rolled_alike(athena.ask, silver.run, rollup)


def test_rollups_are_views_there(athena: Athena, trino: Trino, silver: Silver) -> None:
    trino.query(f"create view events as select * from {athena.table}")
    for rollup, view in zip(ROLLUPS, views("athena"), strict=True):
        trino.query(view)
        _, [[found]] = trino.query(f"select count(*) from {rollup.name}")
        [[expected]] = silver.sql(f"select count(*) as n from ({over_silver(rollup)})", {})
        assert found == expected.as_py() > 0, rollup.name
