"""What `import penstock` offers to Python users."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pandas
import polars
import pyarrow
import pytest

import penstock
from penstock.api import SqlError
from penstock.bronze.load import load
from penstock.errors import SettingsError
from penstock.pipeline import Pipeline
from penstock.settings import load as load_settings

EVENTS = [
    {"event_type": "purchase", "event_id": "1", "price": 2.5, "event_ts": "2026-02-01T12:00:00Z"},
    {"event_type": "search", "event_id": "2", "event_ts": "2026-02-01T12:30:00Z"},
]
QUERY = "select event_type, revenue, event_ts from events order by event_id"
AT = datetime(2026, 2, 1, 12, tzinfo=UTC)


def fill(data: Path, events: list[dict[str, object]], name: str = "events") -> None:
    path = data.parent / f"{name}.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    way = Pipeline(load_settings(data=data))
    load(way.lake.bronze, path, AT)
    way.drain()
    way.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    fill(tmp_path / "data", EVENTS)
    return tmp_path / "data"


@pytest.fixture
def lake(data: Path) -> Iterator[penstock.api.OpenLake]:
    with penstock.open(data) as opened:
        yield opened


def test_what_is_public() -> None:
    made_here = {name for name, value in vars(penstock).items() if getattr(value, "__module__", "") == "penstock"}
    assert made_here | {"__version__"} == set(penstock.__all__)


def test_sql_gives_arrow(lake: penstock.api.OpenLake) -> None:
    table = lake.sql(QUERY).to_arrow_table()
    assert isinstance(table, pyarrow.Table)
    assert table.to_pylist()[0] == {"event_type": "purchase", "revenue": Decimal("2.50"), "event_ts": AT}


# pandas' own deprecation, met by DuckDB's way to build a frame
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.drop")
def test_sql_gives_pandas(lake: penstock.api.OpenLake) -> None:
    frame = lake.sql(QUERY).df()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.event_type) == ["purchase", "search"]
    assert frame.event_ts[0].to_pydatetime() == AT


def test_sql_gives_polars(lake: penstock.api.OpenLake) -> None:
    frame = lake.sql(QUERY).pl()
    assert isinstance(frame, polars.DataFrame)
    assert frame["event_type"].to_list() == ["purchase", "search"]


def test_rollups_are_tables_too(lake: penstock.api.OpenLake) -> None:
    assert lake.sql("from event_counts order by event_type").fetchall() == [
        (AT, "purchase", 1, 0),
        (AT, "search", 1, 0),
    ]


def test_every_call_sees_the_newest_commit(lake: penstock.api.OpenLake, data: Path) -> None:
    count = "select (select count(*) from events), (select sum(events)::int from event_counts)"
    assert lake.sql(count).fetchall() == [(2, 2)]
    fill(data, [{"event_type": "search", "event_ts": "2026-02-01T12:45:00Z"}], "more")
    assert lake.sql(count).fetchall() == [(3, 3)]


def test_a_lake_that_is_new_is_empty(tmp_path: Path) -> None:
    with penstock.open(tmp_path) as lake:
        assert lake.sql("select count(*) from events").fetchall() == [(0,)]


def test_refused_sql_is_one_kind_of_error(lake: penstock.api.OpenLake) -> None:
    with pytest.raises(SqlError, match="syntax error"):
        lake.sql("selct")


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="prot"):
        penstock.open(tmp_path, collect={"prot": 1})


def post(url: str, body: object) -> int:
    with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=30) as answer:
        status: int = answer.status
        return status


def test_collector_is_a_real_one() -> None:
    with penstock.collector(collect={"processes": 1}) as running:
        assert post(running.events_url, EVENTS) == 200
        folder = running.settings.data
        with running.stop() as lake:
            assert lake.sql(QUERY).to_arrow_table()["event_type"].to_pylist() == ["purchase", "search"]
    assert not folder.exists()


def test_collector_keeps_the_data_in_a_folder_that_is_given(tmp_path: Path) -> None:
    for event_id in ("1", "2"):
        with penstock.collector(tmp_path, collect={"processes": 1}) as running:
            post(running.events_url, {"event_type": "order", "event_id": event_id})
            running.stop().close()
    with penstock.open(tmp_path) as lake:
        assert lake.sql("select event_id from events order by all").fetchall() == [("1",), ("2",)]
