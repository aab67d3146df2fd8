"""Snowflake's DDL, as sqlglot reads it: every column, every statement."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from penstock.export.rows import TABLES, of_table
from penstock.export.snowflake import STAGE, ddl

from .conftest import Shop

_PIPE = "auto_ingest = true as\n"


def statements(sql: str) -> list[exp.Expression]:
    """sqlglot has no word for a pipe, so what it does is read by itself."""
    head, _, rest = sql.partition("create pipe")
    pipe, _, after = rest.partition(";")
    assert _PIPE in pipe
    return [
        one for text in (head, pipe.partition(_PIPE)[2], after) for one in sqlglot.parse(text, read="snowflake") if one
    ]


@pytest.mark.parametrize("name", TABLES)
def test_every_statement_is_understood_and_names_every_column(shop: Shop, name: str) -> None:
    rows = of_table(shop.way, name)
    found = [one for one in statements(ddl(name, rows.columns)) if not isinstance(one, exp.Semicolon)]
    rows.close()
    assert [type(one) for one in found] == [exp.Create, exp.Create, exp.Copy, exp.Copy, exp.Create]
    external, table, copy, pipe, view = found
    for made, added in ((external, ["staged_day"]), (table, ["staged_day", "staged_at"])):
        names = [column.name for column in made.find_all(exp.ColumnDef)]
        assert sorted(names) == sorted([*rows.columns, *added])
    assert (copy, view.this.name) == (pipe, name)
    [select] = copy.find_all(exp.Select)
    assert len(select.expressions) == len(copy.this.expressions) == len(rows.columns) + 2


def test_the_stage_is_understood() -> None:
    assert [type(one) for one in sqlglot.parse(STAGE, read="snowflake")] == [exp.Create, exp.Create]


def test_a_column_that_is_a_word_of_snowflakes_is_quoted() -> None:
    assert '"START" varchar as (value:"start"::varchar)' in ddl("t", {"start": "VARCHAR"})
