"""`schema`: the table, its DDL, and what the senders send beside it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from penstock.gold.catalog import ROLLUPS

from .conftest import Cli

OWN = """
[[columns]]
name = "plan"
type = "{type}"
from = ["plan", 'properties."my plan"']
meaning = "what they pay for"

[aliases]
product_id = ["sku"]
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "own.toml"
    path.write_text(OWN.format(type="VARCHAR"))
    return str(path)


def test_the_table_needs_no_lake(cli: Cli, config: str) -> None:
    listed = {row["column"]: row for row in cli.json("schema", "--config", config)}
    assert listed["plan"] == {
        "column": "plan", "type": "VARCHAR", "meaning": "what they pay for", "from": 'plan, properties."my plan"',
    }  # fmt: skip
    assert listed["product_id"]["from"] == "product_id, productId, sku"
    assert list(listed)[-5:] == ["plan", "year", "month", "day", "hour"]
    assert not cli.data.exists()


def test_a_column_of_another_type_is_told(shop: Cli, config: str) -> None:
    shop.out("load", shop.file([{"event_type": "e", "plan": "5"}], "more.jsonl"), "--config", config)
    shop.out("refine", "--once", "--config", config)
    assert "stored as" not in shop("schema", "--config", config).output
    Path(config).write_text(OWN.format(type="BIGINT"))
    assert "plan is stored as VARCHAR; `penstock rebuild` of everything" in shop("schema", "--config", config).output
    shop("load", shop.file([{"event_type": "e", "plan": "6"}], "other.jsonl"), "--config", config)
    refused = shop("refine", "--once", "--config", config)
    assert refused.exit_code == 2
    assert "the settings say BIGINT" in refused.output and "penstock rebuild" in refused.output
    shop.out("rebuild", "--config", config)
    assert "stored as" not in shop("schema", "--config", config).output
    assert shop.json("sql", "select plan from events where plan > 1 order by 1", "--config", config) == [
        {"plan": 5}, {"plan": 6},
    ]  # fmt: skip


@pytest.mark.parametrize(("engine", "views"), [("duckdb", 3), ("spark", len(ROLLUPS))])
def test_ddl(shop: Cli, engine: str, views: int) -> None:
    said = shop.out("schema", "--ddl", engine)
    assert said.count("create or replace view ") == views
    assert said.count("create table if not exists ") == (3 if engine == "spark" else 0)


def test_drift_gives_settings(shop: Cli) -> None:
    shop.out("load", shop.file([{"event_type": "e", "utm_id": "a", "price": "free"}] * 2, "more.jsonl"))
    told = shop.out("schema", "--drift")
    assert "utm_id" in told and "price: 2 values did not fit the column" in told
    start = told.index("[[columns]]")
    assert tomllib.loads(told[start:])["columns"] == [{"name": "utm_id", "type": "VARCHAR", "from": ["utm_id"]}]
    [row] = shop.json("schema", "--drift")
    assert (row["field"], row["events"], row["types"], row["in_silver"]) == ("utm_id", 2, "string", "no")


def test_one_question_at_a_time(shop: Cli) -> None:
    assert shop("schema", "--drift", "--ddl", "duckdb").exit_code == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[columns]]\nname = 'price'\ntype = 'DOUBLE'", "columns.0.name"),
        ("[[columns]]\nname = 'plan'\ntype = 'TEXT'", "columns.0.type"),
        ("[[columns]]\nname = 'plan'\ntype = 'DATE'\nfrom = 5", "columns.0.from"),
        ("[aliases]\nbrowser = 'a'", "aliases.browser"),
        ("[refine]\nbots = ['(']", "refine.bots.0"),
    ],
)
def test_wrong_settings_name_the_key(cli: Cli, config: str, text: str, told: str) -> None:
    Path(config).write_text(text)
    refused = cli("schema", "--config", config)
    assert refused.exit_code == 2
    assert told in refused.output
