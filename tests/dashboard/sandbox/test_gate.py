"""What the gate lets through, what it says about the rest, and where."""

from __future__ import annotations

import pytest

from penstock.dashboard.sandbox.gate import MOST_BYTES, Gate
from penstock.dashboard.sandbox.tables import NAMES
from penstock.errors import QueryError

from .ordinary import ORDINARY

GATE = Gate(NAMES)


def refused(sql: str) -> QueryError:
    with pytest.raises(QueryError) as found:
        GATE.check(sql)
    return found.value


@pytest.mark.parametrize("sql", ORDINARY)
def test_ordinary_queries_pass(sql: str) -> None:
    GATE.check(sql)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("select 1", set()),
        ("from events", {"events"}),
        ('select * from silver."EVENTS", gold.sessions', {"events", "sessions"}),
        ("with a as (from ledger) select (select count(*) from quarantine) from a", {"ledger", "quarantine"}),
        ("with events as (select 1) from events", set()),
        ("select * from event_counts union all from gold.event_counts", {"event_counts"}),
    ],
)
def test_which_tables_it_needs(sql: str, tables: set[str]) -> None:
    assert GATE.check(sql) == tables


@pytest.mark.parametrize(
    ("sql", "code", "words"),
    [
        ("", "empty", "no query"),
        (" ;\n", "empty", "no query"),
        ("-- nothing", "empty", "no query"),
        ("/* nothing */", "empty", "no query"),
        (f"select '{'x' * MOST_BYTES}'", "too_long", "20,0"),
        ("select 'é" + "é" * (MOST_BYTES // 2) + "'", "too_long", "20,0"),
        ("select '\0'", "not_text", "NUL"),
        ("select '\ud800'", "not_text", "Unicode"),
        ("select 1; select 2", "one_statement", "2 statements"),
        ("select " + "[" * 600 + "1" + "]" * 600, "too_deep", "deep"),
        ("select " + "(" * 6000 + "1" + ")" * 6000, "syntax", "depth"),
        ("select " + "- " * 5000 + "1", "syntax", "depth"),
        ("selct 1", "syntax", "selct"),
        ("select * from nowhere", "not_allowed", "'nowhere'"),
        ("select $1", "not_allowed", "parameters"),
        ("delete from events", "not_allowed", "not DELETE"),
    ],
)
def test_refusals_say_what_is_wrong(sql: str, code: str, words: str) -> None:
    error = refused(sql)
    assert (error.status, error.code) == (400, code)
    assert words in str(error)


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("select * from read_text('x')", 1, 15),
        ("select 'ünï😀',\n  * from nowhere", 2, 10),
        ("select 1 as a,\n\ncurrent_setting('x')", 3, 1),
        ("select a\nfrom events\nwhere where", 3, 7),
    ],
)
def test_refusals_say_where(sql: str, line: int, column: int) -> None:
    error = refused(sql)
    assert (error.line, error.column) == (line, column)


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("describe events", "beside the editor"),
        ("SUMMARIZE events", "approx_quantile"),
        ("pivot events on event_type", "filter"),
        ("select * from (pivot events on event_type)", "filter"),
        ("-- first\nshow tables", "beside the editor"),
        ("explain select 1", "time a query took"),
        ("copy events to 'x'", "download"),
        ("select * from other", "events, ledger"),
    ],
)
def test_refusals_say_what_to_do_instead(sql: str, hint: str) -> None:
    assert hint in refused(sql).hint


def test_a_name_of_with_is_no_table_outside_of_it() -> None:
    assert refused("select * from (with pg_views as (select 1) from pg_views), pg_views").column == 60
