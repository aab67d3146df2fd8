"""Into PostgreSQL: types, hostile text, replacement by period, all or nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from penstock.errors import PenstockError
from penstock.export.postgres import send
from penstock.export.rows import TABLES, of_report, of_table
from penstock.reports.period import Period, period

from .conftest import LATE, Shop

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def url(server: str) -> str:
    """An empty schema."""
    ask(server, "drop schema public cascade; create schema public")
    return server


def ask(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        connection.execute("set time zone 'UTC'")
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def day(number: int) -> Period:
    return period(f"2026-02-0{number}", f"2026-02-0{number}", now=NOW)


def put(shop: Shop, url: str, name: str = "events", when: Period | None = None, table: str | None = None) -> int:
    rows = of_table(shop.way, name, when)
    try:
        return send(rows, url, table)
    finally:
        rows.close()


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_there_with_all_its_rows(shop: Shop, url: str, name: str) -> None:
    assert put(shop, url, name) == shop.count(name)
    assert put(shop, url, name) == shop.count(name)
    assert ask(url, f"select count(*) from {name}") == [(shop.count(name),)]


def test_values_keep_their_types(shop: Shop, url: str) -> None:
    put(shop, url)
    put(shop, url, "quarantine")
    assert ask(url, "select price, event_ts, is_bot, user_id from events where event_id = 'e1'") == [
        (Decimal("29.99"), datetime(2026, 2, 1, 12, tzinfo=UTC), False, None)
    ]
    assert ask(url, "select raw from quarantine") == [(b"not JSON",)]


def test_text_that_postgres_cannot_hold_does_not_stop_the_rest(shop: Shop, url: str) -> None:
    put(shop, url)
    assert ask(url, "select page_title from events where event_id = 'e4'") == [("a\ufffdb\t\\N",)]


def test_a_period_is_replaced_and_the_others_stay(shop: Shop, url: str) -> None:
    put(shop, url)
    ask(url, "update events set source = 'kept'")
    shop.add(LATE)
    assert put(shop, url, when=day(2)) == 2
    assert ask(url, "select event_id, source from events order by 1") == [
        ("e1", "kept"), ("e2", "kept"), ("e3", "default"), ("e4", "kept"), ("e5", "default"),
    ]  # fmt: skip


def test_a_rollup_by_day_is_replaced_by_day(shop: Shop, url: str) -> None:
    put(shop, url, "users_daily")
    ask(url, "update users_daily set events = 99")
    put(shop, url, "users_daily", day(2))
    assert ask(url, "select bucket::text, events from users_daily order by 1") == [
        ("2026-02-01", 99), ("2026-02-02", 1), ("2026-02-03", 99),
    ]  # fmt: skip


def test_a_report_says_of_which_time_it_is_and_is_replaced(shop: Shop, url: str) -> None:
    for number in (1, 2, 2):
        asked = f"2026-02-0{number}"
        rows = of_report(shop.way, shop.lake.report("events", since=asked, until=asked), with_period=True)
        send(rows, url, "answers")
        rows.close()
    assert ask(url, "select period_since::date::text, events from answers order by 1") == [
        ("2026-02-01", 2), ("2026-02-02", 1),
    ]  # fmt: skip


def test_a_table_that_lacks_a_column_gets_it(shop: Shop, url: str) -> None:
    ask(url, "create table events (event_id text, mine text default 'x')")
    put(shop, url)
    assert ask(url, "select event_type, mine from events where event_id = 'e1'") == [("purchase", "x")]


def test_a_table_in_a_schema(shop: Shop, url: str) -> None:
    ask(url, 'drop schema if exists "My" cascade; create schema "My"')
    put(shop, url, table='My.the "events"')
    assert ask(url, 'select count(*) from "My"."the ""events"""') == [(4,)]


def test_who_reads_keeps_nobody_waiting(shop: Shop, url: str) -> None:
    put(shop, url)
    with psycopg.connect(url) as reader:
        before = reader.execute("select count(*) from events").fetchall()
        shop.add(LATE)
        put(shop, f"{url}&options=-c%20lock_timeout%3D5s")
        assert (before, reader.execute("select count(*) from events").fetchall()) == ([(4,)], [(5,)])


def test_when_it_fails_everything_is_as_before(shop: Shop, url: str) -> None:
    put(shop, url)
    ask(url, "alter table events add constraint no_e5 check (event_id <> 'e5')")
    shop.add(LATE)
    with pytest.raises(PenstockError, match="no_e5"):
        put(shop, url)
    assert ask(url, "select count(*) from events") == [(4,)]


def test_errors_do_not_tell_the_password(shop: Shop, url: str) -> None:
    with pytest.raises(PenstockError) as caught:
        put(shop, re.sub("penstock@", "penstock:hush@", url) + "x")
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is not None
