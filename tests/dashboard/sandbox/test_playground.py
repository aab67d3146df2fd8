"""Answers: what comes back, within which bounds, from which moment, and what is said when something is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from penstock.api import OpenLake
from penstock.dashboard.sandbox.playground import MOST_BYTES, MOST_ROWS, Playground, Result
from penstock.errors import QueryError
from penstock.pipeline import Pipeline
from penstock.settings import Settings, load
from support import LakeInHand

from .ordinary import ORDINARY
from .targets import Targets, confined, run

pytestmark = confined
T = TypeVar("T")
Asks = Callable[[Callable[[Playground], Awaitable[T]]], T]


@pytest.fixture
def playing(settings: Settings) -> Asks[Any]:
    """Runs what it is given with an open playground."""

    def with_one(ask: Callable[[Playground], Awaitable[Any]]) -> Any:
        async def inside() -> Any:
            async with Playground(settings) as playground:
                return await ask(playground)

        return run(inside())

    return with_one


async def joined(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def error_of(asked: Awaitable[Any]) -> QueryError:
    with pytest.raises(QueryError) as found:
        await asked
    return found.value


def test_an_answer(playing: Asks[Result]) -> None:
    sql = "select event_type, count(*) as n, sum(price) as total from events group by 1 order by 1"
    found = playing(lambda playground: playground.run(sql))
    assert found.columns == ("event_type", "n", "total")
    assert found.types == ("VARCHAR", "BIGINT", "DECIMAL(38,2)")
    assert found.rows.column("n").to_pylist() == [20, 20, 20]
    assert found.cells()[0] == ["add_to_cart", 20, 595.0]
    assert (found.truncated, found.files > 0, found.bytes > 0) == (False, True, True)


@pytest.mark.heavy
def test_ordinary_queries_answer_as_python_users_get_it(settings: Settings) -> None:
    """Rows are compared where the query says the same each time."""

    async def all_of_them() -> dict[str, Result]:
        async with Playground(settings) as playground:
            return {sql: await playground.run(sql) for sql in ORDINARY}

    found = run(all_of_them())
    with OpenLake(Pipeline(settings)) as lake:
        for sql, result in found.items():
            expected = lake.sql(sql).to_arrow_table()
            assert (result.rows.num_rows, list(result.columns)) == (expected.num_rows, expected.column_names)
            if "order by" in sql.rsplit(")", 1)[-1] and "limit" not in sql:
                assert result.rows.to_pylist() == expected.to_pylist()


@pytest.mark.parametrize(
    ("sql", "rows", "truncated"),
    [
        ("select * from range(100000000000)", MOST_ROWS, True),
        (f"select * from range({MOST_ROWS})", MOST_ROWS, False),
        (f"select * from range({MOST_ROWS + 1})", MOST_ROWS, True),
        ("select repeat('x', 1000000) from range(12)", 10, True),
        ("select repeat('x', 20000000)", 0, True),
        ("select 1 where false", 0, False),
    ],
)
def test_bounds(sql: str, rows: int, truncated: bool, playing: Asks[Result]) -> None:
    found = playing(lambda playground: playground.run(sql))
    assert (found.rows.num_rows, found.truncated) == (rows, truncated)
    assert found.rows.nbytes <= MOST_BYTES


def test_fewer_rows_if_asked(playing: Asks[Result]) -> None:
    found = playing(lambda playground: playground.run("select * from events", rows=7))
    assert (found.rows.num_rows, found.truncated) == (7, True)


@pytest.mark.parametrize(
    ("sql", "code", "words", "line", "column"),
    [
        ("select nope\nfrom events", "query_error", '"nope" not found', 1, 8),
        ("select 'ü😀', foo(1)", "query_error", "foo does not exist", 1, 14),
        ("select 1,\n  cast('x' as int)", "query_error", "'x'", 2, 3),
        ("select\n  1 +", "syntax", "syntax error", 2, None),
        ("select error('mine')", "query_error", "mine", None, None),
        ("select * from range(1, 2, 0)", "query_error", "interval cannot be 0", None, None),
        ("select " + ", ".join(f"{n} as c{n}" for n in range(1001)), "too_large", "1001 columns", None, None),
        ("select " + "[" * 90 + "1" + "]" * 90, "query_error", "level", None, None),
        ("select * from read_text('x')", "not_allowed", "read_text", 1, 15),
    ],
)
def test_errors_say_what_and_where(
    sql: str, code: str, words: str, line: int | None, column: int | None, playing: Asks[QueryError]
) -> None:
    error = playing(lambda playground: error_of(playground.run(sql)))
    assert (error.code, error.line) == (code, line)
    assert words in str(error)
    assert column is None or error.column == column


def test_a_download_has_all_rows(playing: Asks[bytes]) -> None:
    sql = "select range as n, 'é' || range as word from range(123456)"

    async def download(playground: Playground) -> bytes:
        return await joined(await playground.export(sql, "csv"))

    lines = playing(download).decode().splitlines()
    assert (len(lines), lines[0], lines[-1]) == (123457, '"n","word"', '123455,"é123455"')


def test_a_download_says_what_is_wrong_before_it_begins(playing: Asks[list[str]]) -> None:
    async def download(playground: Playground) -> list[str]:
        sqls = ("select nope", "select * from '/x'", "select cast('x' as int)")
        return [(await error_of(playground.export(sql, "json"))).code for sql in sqls]

    assert playing(download) == ["query_error", "not_allowed", "query_error"]


def test_a_download_of_what_was_just_shown_is_not_asked_again(playing: Asks[None]) -> None:
    async def ask(playground: Playground) -> None:
        shown = await playground.run("select random() as r")
        again = json.loads(await joined(await playground.export("select random() as r", "json")))
        assert again == [{"r": shown.cells()[0][0]}]
        other = json.loads(await joined(await playground.export("select random()  as r", "json")))
        assert other != again

    playing(ask)


def test_a_download_after_new_events_is_asked_again(tmp_path: Path) -> None:
    hand = LakeInHand(tmp_path)
    event = {"event_type": "order", "session_id": "s"}
    hand.rows_of(event)
    sql = "select count(*) as n from events"

    async def ask() -> list[Any]:
        async with Playground(load(data=tmp_path)) as playground:
            before = (await playground.run(sql)).cells()
            await asyncio.to_thread(hand.rows_of, event)
            return [before, json.loads(await joined(await playground.export(sql, "json")))]

    assert run(ask()) == [[[1]], [{"n": 2}]]


def test_a_truncated_answer_is_downloaded_whole(playing: Asks[int]) -> None:
    async def ask(playground: Playground) -> int:
        sql = "select * from range(20000)"
        assert (await playground.run(sql)).truncated
        return len(json.loads(await joined(await playground.export(sql, "json"))))

    assert playing(ask) == 20000


def test_rollups_and_sessions_are_tables_as_in_python(settings: Settings, playing: Asks[Result]) -> None:
    sql = "select (select sum(events) from event_counts), (select count(*) from gold.sessions)"
    with OpenLake(Pipeline(settings)) as lake:
        expected = lake.sql(sql).fetchall()
    assert [tuple(row) for row in playing(lambda playground: playground.run(sql)).cells()] == expected


def test_times_are_utc(playing: Asks[Result]) -> None:
    found = playing(lambda playground: playground.run("select timestamptz '2026-02-01 12:00:00' as t"))
    assert found.rows.to_pylist() == [{"t": datetime(2026, 2, 1, 12, tzinfo=UTC)}]


def test_a_new_lake_is_empty(tmp_path: Path) -> None:
    async def ask() -> Result:
        async with Playground(load(data=tmp_path / "new")) as playground:
            return await playground.run("select count(*) from events, sessions, event_counts")

    assert run(ask()).cells() == [[0]]


def test_a_folder_with_an_odd_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's a [lake] 100%? ü"
    LakeInHand(folder).rows_of({"event_type": "order", "session_id": "s"})

    async def ask() -> Result:
        async with Playground(load(data=folder)) as playground:
            return await playground.run("select event_type from events")

    assert run(ask()).cells() == [["order"]]


def test_the_answer_is_of_one_query_alone(playing: Asks[list[Any]]) -> None:
    """Nothing is left for the next: each has a database and a process of its own."""

    async def ask(playground: Playground) -> list[Any]:
        sql = "select setseed(0.5), random()"
        return [(await playground.run(sql)).cells()[0][1], (await playground.run("select random()")).cells()[0][0]]

    first, second = playing(ask)
    assert first != second


def test_nothing_is_written_while_people_ask(targets: Targets, playing: Asks[Any]) -> None:
    async def ask(playground: Playground) -> None:
        await playground.run("select * from events, ledger, quarantine limit 5")
        await joined(await playground.export("select * from events", "parquet"))

    before = targets.state()
    playing(ask)
    assert targets.state() == before


def many_files(folder: Path) -> Settings:
    """A lake with a file for each of 300 hours."""
    hand = LakeInHand(folder / "data")
    hours = [(1 + nth // 24, nth % 24) for nth in range(300)]
    hand.put(
        [
            {"event_type": "a", "event_id": f"e{day}-{hour}", "event_ts": f"2026-11-{day:02}T{hour:02}:30:00Z"}
            for day, hour in hours
        ]
    )
    hand.refine()
    return load(data=folder / "data")


def test_many_files_and_one_that_is_gone(tmp_path: Path) -> None:
    settings = many_files(tmp_path)
    scans = " union all ".join(["select event_type from events"] * 4)

    async def inside() -> tuple[Result, QueryError]:
        async with Playground(settings) as playground:
            found = await playground.run(f"select count(*) as n from ({scans})")
            next((settings.data / "silver/events").rglob("*.parquet")).unlink()
            return found, await error_of(playground.run("select min(event_type) from events"))

    found, error = run(inside())
    assert found.cells() == [[1200]]
    assert "parquet" in str(error)
    assert str(tmp_path) not in str(error)
