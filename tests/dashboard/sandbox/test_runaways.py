"""Queries that would never end, or eat everything: each is stopped at its deadline, is gone, and the next one works."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from penstock.dashboard.sandbox.playground import Playground
from penstock.dashboard.sandbox.process import Job, Process
from penstock.errors import QueryError
from penstock.settings import Settings

from .targets import Targets, confined, run

pytestmark = confined
SECONDS = 1.2

ENDLESS = (
    "select count(*) from range(1000000) as a, range(1000000) as b where (a.range + b.range) % 7 = 5",
    "select count(*) from events a, events b, events c, events d, events e, events f where a.price + f.price > 1e9",
    "with recursive t(n) as (select 1 union all select n + 1 from t) select count(*) from t",
    "select sum(range * 1.5) from range(1000000000000)",
    "select levenshtein(repeat('a', 200000), repeat('b', 200000))",
    "select max(md5(range::varchar)) from range(1000000000000)",
)
HUNGRY = (
    "select length(lpad('a', 2000000000, 'b'))",
    "select generate_series(1, 1000000000)",
    "select printf('%999999999d', 1)",
    "select list_sum(list_transform(range(100000000), lambda x: x + 1))",
    "select length(bitstring('1', 2000000000))",
    "select list(range) from range(1000000000)",
    "select map_from_entries(list((x, x))) from range(20000000) as t(x)",
    "select string_agg(a.event_id || b.range, ',') from events as a, range(100000000) as b",
    "select repeat('x', 500000000)",
    "select hash(list_sort(range(50000000)))",
)
STOPPED = ("query_timeout", "query_memory", "query_failed", "query_error", "too_large")


@pytest.fixture
def short(settings: Settings) -> Settings:
    return settings.model_copy(update={"dashboard": settings.dashboard.model_copy(update={"sql_seconds": SECONDS})})


async def code(playground: Playground, sql: str) -> str:
    try:
        await playground.run(sql)
    except QueryError as error:
        return error.code
    return "answered"


def children() -> set[int]:
    """Processes that this one has started and that are still there."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread may end meanwhile
            found |= set(map(int, (task / "children").read_text().split()))
    return found


@pytest.mark.heavy
def test_every_runaway_is_stopped_and_the_next_query_works(short: Settings) -> None:
    before = children()

    async def all_of_them() -> dict[str, str]:
        found = {}
        async with Playground(short) as playground:
            room = asyncio.Semaphore(4)

            async def one(sql: str) -> None:
                async with room:
                    found[sql] = await code(playground, sql)

            await asyncio.gather(*map(one, (*ENDLESS, *HUNGRY)))
            await one("select 1")
        return found

    found = run(all_of_them())
    assert {sql: found[sql] for sql in ENDLESS} == dict.fromkeys(ENDLESS, "query_timeout")
    assert [sql for sql in HUNGRY if found[sql] not in STOPPED] == []
    assert found["select 1"] == "answered"
    assert children() <= before  # those before may end meanwhile


def test_what_nothing_interrupts_is_killed(targets: Targets) -> None:
    """DuckDB looks at no interrupt within this; the gate would refuse none of it."""
    readable, shown = targets.shown()

    async def one() -> tuple[str, bool]:
        process = await Process.start(readable, strict=True)
        await process.ready()
        job = Job(ENDLESS[4], shown.views, shown.paths, 0.5, 0.5)
        try:
            async for _ in process.answer(job, {}):
                pass
        except QueryError as error:
            return error.code, Path(f"/proc/{process.pid}").exists()
        finally:
            await process.close()
            assert not Path(f"/proc/{process.pid}").exists()
        raise AssertionError("it came to an end")

    assert run(one()) == ("query_timeout", True)


def test_sleep_is_interrupted(targets: Targets) -> None:
    """The gate refuses it; without the gate it ends like the others."""
    [outcome] = targets.without_gate(["select sleep_ms(60000)"], seconds=0.5)
    assert outcome.said.startswith("query_timeout")


def test_a_caller_that_goes_away_takes_its_process_along(settings: Settings) -> None:
    before = children()

    async def leave() -> None:
        async with Playground(settings) as playground:
            asked = asyncio.create_task(playground.run(ENDLESS[0]))
            while len(children() - before) < 2:  # its own, and the one that waits for the next query
                await asyncio.sleep(0.01)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            assert len(children() - before) == 1
            assert await code(playground, "select 1") == "answered"

    run(leave())
    assert children() <= before  # those before may end meanwhile


def test_a_download_that_nobody_reads_on_takes_its_process_along(settings: Settings) -> None:
    before = children()

    async def leave() -> None:
        async with Playground(settings) as playground:
            pieces = await playground.export("select * from range(100000000000)", "csv")
            assert await anext(pieces) == b'"range"\n'
            await pieces.aclose()
            assert len(children() - before) == 1

    run(leave())
    assert children() <= before  # those before may end meanwhile


def test_readers_who_stop_reading_do_not_keep_others_out(short: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.dashboard.sandbox.playground.EXPORT_SECONDS", 1)

    async def stall() -> str:
        async with Playground(short) as playground:
            stalled = [await playground.export("select * from range(100000000000)", "json") for _ in range(2)]
            for pieces in stalled:
                await anext(pieces)
            answered = await code(playground, "select 1")
            for pieces in stalled:
                await pieces.aclose()
            return answered

    assert run(stall()) == "answered"


def test_two_at_once_two_wait_the_next_is_told_to_come_again(short: Settings) -> None:
    async def crowd() -> list[str]:
        async with Playground(short) as playground:
            return list(await asyncio.gather(*(code(playground, ENDLESS[3]) for _ in range(5))))

    assert sorted(run(crowd())) == ["busy", *["query_timeout"] * 4]
