"""Filters in words → conditions that find just what they say, whatever is in the words."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PenstockError
from penstock.reports.filters import Filter, Op, column_sql, condition, parse, parse_all

from .conftest import COLUMNS
from .rows_in_hand import RowsInHand

HOSTILE = (
    "'", "''", '"', "\\", "%", "_", "$", "$1", "$where_0", "?", ";", "--", "/*", "\n", "\t", "a=b", "a!=b", "a|b",
    "&", "~", "*",
    "' or '1'='1", "'; drop table silver.events; --", "x') or true --", "{{ 7 * 7 }}", "{% raw %}", "ünïcödé", "日本",
    "🦆",
    "a.b", ".*", "[a-z", "(", "^$", "null", "true", "0", " spaced ",
    "e\u0301",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("page_path=/pricing", Filter("page_path", Op.equal, "/pricing")),
        ("page_path!=/pricing", Filter("page_path", Op.differs, "/pricing")),
        ("page_url*=ref", Filter("page_url", Op.contains, "ref")),
        ("page_path~^/blog/", Filter("page_path", Op.matches, "^/blog/")),
        ("utm_source=", Filter("utm_source", Op.equal, "")),
        ("utm_source!=", Filter("utm_source", Op.differs, "")),
        ("search_query=a=b!=c~d", Filter("search_query", Op.equal, "a=b!=c~d")),
        ("search_query~a=b", Filter("search_query", Op.matches, "a=b")),
        ("properties.plan=pro", Filter("properties.plan", Op.equal, "pro")),
        (" page_path =/a", Filter("page_path", Op.equal, "/a")),
    ],
)
def test_words(text: str, expected: Filter) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["", "page_path", "=a", "~", "a\0=b", "page_path=\0", "page_path=" + "a" * 3000])
def test_what_is_no_filter(text: str) -> None:
    with pytest.raises(PenstockError, match="is no filter"):
        parse(text)


@pytest.mark.parametrize(
    "column",
    ["nothing", "page_path;", 'page_path"', "1", "event_ts; drop", "properties", "properties.", "properties..a",
     "properties.a'b", 'properties.a"b', "properties.a\\b", "properties.$", "properties.*", "year", "local_ts"],
)  # fmt: skip
def test_only_columns_that_there_are(column: str) -> None:
    if column == "properties":
        assert column_sql(column, COLUMNS) == '"properties"'
        return
    with pytest.raises(PenstockError, match="there is no column"):
        column_sql(column, COLUMNS)


def test_own_columns_are_known() -> None:
    assert column_sql("plan", {**COLUMNS, "plan": "VARCHAR"}) == '"plan"'


@pytest.fixture(scope="module")
def hostile() -> RowsInHand:
    """A row for each hostile text, and one without any."""
    values = [*HOSTILE, None]
    return RowsInHand(
        {"event_id": str(n), "event_type": "t", "event_ts": datetime(2026, 2, 1, tzinfo=UTC), "search_query": value}
        for n, value in enumerate(values)
    )


def found(silver: RowsInHand, *texts: str) -> set[str | None]:
    told = condition(parse_all(texts), COLUMNS)
    rows = silver.sql(f"select search_query from silver.events where {told.sql}", told.values).to_pylist()
    return {row["search_query"] for row in rows}


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_only_values(hostile: RowsInHand, value: str) -> None:
    everything = {*HOSTILE, None}
    assert found(hostile, f"search_query={value}") == {value}
    assert found(hostile, f"search_query!={value}") == everything - {value}
    assert found(hostile, f"search_query*={value}") == {other for other in HOSTILE if value in other}
    assert found(hostile, f"search_query={value}", "search_query=null") == {value, "null"}


@pytest.mark.parametrize("value", HOSTILE)
def test_a_report_with_a_hostile_filter(hostile: RowsInHand, value: str) -> None:
    """Also as it is shown, with its values in it."""
    answer = hostile.ask(
        "events", since="2026-02-01", until="2026-02-01", where=f"search_query={value}", by="search_query"
    )
    assert [(row["search_query"], row["events"]) for row in answer.rows()] == [(value, 1)]
    assert hostile.sql(answer.sql, {}).num_rows == 1


def test_null(hostile: RowsInHand) -> None:
    assert found(hostile, "search_query=") == {None}
    assert found(hostile, "search_query!=") == set(HOSTILE)
    assert found(hostile, "search_query=", "search_query=a.b") == {None, "a.b"}


def test_matches(hostile: RowsInHand) -> None:
    assert found(hostile, r"search_query~^a[.|]b$") == {"a.b", "a|b"}
    assert found(hostile, r"search_query~^\pL+$") == {"null", "true", "ünïcödé", "日本"}
    with pytest.raises(PenstockError, match="no regular expression"):
        found(hostile, "search_query~(")


def test_and(hostile: RowsInHand) -> None:
    several = ("search_query*=a", "search_query!=a|b", "search_query!=a.b", "event_type=t", "search_query~=")
    assert found(hostile, *several) == {"a=b", "a!=b"}
    assert found(hostile, "search_query=a.b", "event_type=other") == set()


@pytest.mark.parametrize("text", ["search_query*=", "search_query~"])
def test_what_needs_a_value(text: str) -> None:
    with pytest.raises(PenstockError, match="needs a value"):
        condition([parse(text)], COLUMNS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("screen_width=1920", 1920),
        ("price=29.90", Decimal("29.90")),
        ("first_day=2026-02-01", date(2026, 2, 1)),
        ("is_bot=true", True),
        ("event_ts=2026-02-01T12:00Z", datetime(2026, 2, 1, 12, tzinfo=UTC)),
        ("screen_width*=19", "19"),
    ],
)
def test_values_have_the_columns_type(text: str, value: Any) -> None:
    assert list(condition([parse(text)], COLUMNS).values.values()) == [value]


@pytest.mark.parametrize(
    "text",
    ["screen_width=wide", "price=much", "price=NaN", "first_day=today", "is_bot=maybe", "event_ts=2026-02-01T12:00"],
)
def test_values_that_do_not_fit(text: str) -> None:
    with pytest.raises(PenstockError, match="does not fit the column"):
        condition([parse(text)], COLUMNS)


def test_properties_and_variants() -> None:
    told = [
        ({"plan": "pro", "a b": {"ä-1": 5}}, {"headline": "B"}),
        ({"plan": "free"}, None),
    ]
    at = datetime(2026, 2, 1, tzinfo=UTC)
    silver = RowsInHand(
        {
            "event_id": str(n), "event_type": "t", "event_ts": at, "search_query": str(n),
            "properties": text_of(properties), "variants": text_of(variants),
        }
        for n, (properties, variants) in enumerate(told)
    )  # fmt: skip
    assert found(silver, "properties.plan=pro") == {"0"}
    assert found(silver, "properties.plan!=pro") == {"1"}
    assert found(silver, "properties.a b.ä-1=5") == {"0"}
    assert found(silver, "variants.headline=B") == {"0"}
    assert found(silver, "variants.headline=") == {"1"}


def text_of(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        told = condition([parse(text)], COLUMNS)
    except PenstockError:
        return
    assert all(value in told.sql for value in ("$where_0",) if told.values)


@given(st.text(min_size=1, max_size=40).filter(lambda text: "\0" not in text))
def test_a_value_never_becomes_sql(value: str) -> None:
    plain = condition([parse("search_query=a")], COLUMNS).sql
    assert condition([parse(f"search_query={value}")], COLUMNS).sql == plain
