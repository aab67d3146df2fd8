"""The way with the lake in an S3 bucket: the answers of a lake on disk, also with two workers, faults and ends."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import failpoints
from penstock.api import OpenLake
from penstock.collect import Request
from penstock.dashboard.sandbox.playground import Playground
from penstock.errors import LakeError, SettingsError
from penstock.pipeline import Pipeline
from penstock.settings import load
from penstock.silver import rebuild
from penstock.silver.compact import compact
from penstock.verify import verify
from s3_in_hand import CONDITIONAL, SERVERS, Front, a_lake, environment, keys, serving
from support import NOW

LATER = NOW + timedelta(days=1)
_TRIES = 100


@contextmanager
def bucket(name: str, folder: Path) -> Iterator[str]:
    """A server of that name, which the environment tells of; gives its endpoint."""
    with serving(name, folder) as endpoint, pytest.MonkeyPatch.context() as patch:
        for variable, value in environment(endpoint).items():
            patch.setenv(variable, value)
        yield endpoint


@pytest.fixture(params=SERVERS)
def any_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with bucket(request.param, tmp_path) as endpoint:
        yield endpoint


@pytest.fixture(params=CONDITIONAL)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with bucket(request.param, tmp_path) as endpoint:
        yield endpoint


@pytest.fixture
def moto(tmp_path: Path) -> Iterator[str]:
    with bucket("moto", tmp_path) as endpoint:
        yield endpoint


def opened(folder: Path, lake: str | None = None, **more: Any) -> Pipeline:
    return Pipeline(load(data=folder, lake=lake, **more), clock=lambda: LATER)


def event(n: int) -> dict[str, Any]:
    return {
        "event_id": f"e{n}",
        "event_type": ("page_view", "purchase")[n % 5 == 0],
        "event_ts": (NOW + timedelta(minutes=11 * n)).isoformat(),
        "session_id": f"s{n // 3}",
        "page_path": f"/p/{n % 4}",
        "price": n,
        "product_id": "p",
    }


def post(way: Pipeline, *numbers: int, bad: int = 0) -> None:
    """Into its stream, with `bad` lines that are no events."""
    lines = [*(event(n) for n in numbers), *({"event_type": 7, "event_id": f"bad{n}"} for n in range(bad))]
    request = Request("POST", "/v1/events", "", {}, json.dumps(lines).encode())
    way.stream.append(way.collector.receive(request).records)


def questions(way: Pipeline) -> list[Any]:
    lake = OpenLake(way)
    period = {"since": "2026-11-19", "until": "2026-11-23"}
    return [
        lake.sql("select * exclude (received_at, bronze_file) from events order by event_id").fetchall(),
        lake.sql("select reason, count(*) from quarantine group by all order by all").fetchall(),
        lake.sql("select outcome, sum(events) from ledger group by all order by all").fetchall(),
        lake.sql("select * from sessions order by source, session_id").fetchall(),
        lake.sql("select * from event_counts order by all").fetchall(),
        *(lake.report(name, **period).rows() for name in ("overview", "top_pages", "top_products")),
        lake.report("overview", where=["page_path=/p/1"], **period).rows(),
    ]


def fill(way: Pipeline) -> None:
    for round in range(3):
        post(way, *range(round * 20, round * 20 + 25), bad=1)
        way.deliver()
        way.refine()
    way.drain()


def test_the_answers_are_those_of_a_lake_on_disk(any_server: str, tmp_path: Path) -> None:
    answers = []
    for name, lake in (("disk", None), ("bucket", a_lake())):
        with closing(opened(tmp_path / name, lake)) as way:
            fill(way)
            for table, order_by in way.lake.silver.tables:
                assert compact(table, order_by, many=2).files_after
            assert verify(way).problems == []
            answers.append(questions(way))
            assert way.rebuild(NOW, NOW + timedelta(hours=2)).none
            assert rebuild.forget(way.lake) == 1
            assert verify(way).problems == []
            assert questions(way) == answers[-1]
            receipt = way.erase("session_id", "s1")
            assert (receipt.stored, receipt.duplicate) == (3, 0)
            way.maintain()
            assert verify(way).problems == []
            assert "s1" not in {row[0] for row in OpenLake(way).sql("select session_id from events").fetchall()}
            answers.append(questions(way))
    assert answers[:2] == answers[2:]


def round_after_round(way: Pipeline, log: list[str]) -> None:
    """As a worker works: a job that fails is tried again, until there is nothing left to do."""
    quiet = 0
    for _ in range(_TRIES):
        try:
            done = [way.deliver(), way.refine(), way.rollup()]
            for table, order_by in way.lake.silver.tables:
                done.append(compact(table, order_by, many=4).files_after or None)
        except Exception as error:  # whatever it is, the next round has to cope with it
            log.append(repr(error))
            continue
        quiet = 0 if any(done) else quiet + 1
        if quiet == 2:
            return
    raise AssertionError(f"not done after {_TRIES} rounds: {log[-3:]}")


def assert_all_is_there_once(way: Pipeline, events: int, bad: int) -> None:
    way.drain()
    found = verify(way)
    assert found.problems == []
    assert (found.ledger.total("stored"), found.ledger.total("quarantined")) == (events, bad)
    lake = OpenLake(way)
    [(rows, ids)] = lake.sql("select count(*), count(distinct event_id) from events").fetchall()
    assert (rows, ids) == (events, events)
    assert lake.sql("select sum(events) from sessions").fetchall() == [(events,)]
    assert lake.sql("select sum(events) from event_counts").fetchall() == [(events,)]


def test_workers_that_race_commit_every_batch_once(server: str, tmp_path: Path) -> None:
    lake, log = a_lake(), list[str]()
    ways = [opened(tmp_path / name, lake) for name in ("one", "two")]
    start = threading.Barrier(len(ways))

    def work(nth: int, way: Pipeline) -> None:
        start.wait()
        for round in range(4):
            post(way, *range(round * 30 + nth * 10, round * 30 + nth * 10 + 20), bad=1)
            round_after_round(way, log)

    threads = [threading.Thread(target=work, args=each) for each in enumerate(ways)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for way in ways:
        assert_all_is_there_once(way, 120, 8)
        way.close()


def test_what_is_slow_or_fails_loses_nothing_and_doubles_nothing(moto: str, tmp_path: Path) -> None:
    """Every ninth request is refused, and of every seventh put the answer is lost after it was done."""
    puts = 0

    def disturb(nth: int, method: str, path: str) -> str:
        nonlocal puts
        puts += method == "PUT"
        return "lost" if method == "PUT" and puts % 7 == 0 else "503" if nth % 9 == 0 else ""

    with Front(moto, disturb) as front, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", front.endpoint)
        with closing(opened(tmp_path, a_lake())) as way:
            log: list[str] = []
            for round in range(3):
                post(way, *range(round * 10, round * 10 + 12), bad=1)
                round_after_round(way, log)
            front.disturb = lambda nth, method, path: ""
            assert front.disturbed > 20
            assert_all_is_there_once(way, 32, 3)


@pytest.mark.heavy
@pytest.mark.parametrize("job", ["deliver", "refine", "compact"])
def test_a_worker_that_ends_anywhere_is_gone_on_from_by_another(moto: str, tmp_path: Path, job: str) -> None:
    for step in range(1, 60, 5):
        lake = a_lake()
        first, second = tmp_path / f"{step}" / "first", tmp_path / f"{step}" / "second"
        with closing(opened(first, lake)) as way:
            for numbers in (range(6), range(4, 9)):
                post(way, *numbers, bad=1)
                if job != "deliver":
                    way.deliver()
                if job == "compact":
                    way.refine()
        ended = failpoints.run(job, first, step, {**environment(moto), "PENSTOCK_LAKE": lake})
        with closing(opened(second, lake)) as other:
            post(other, 8, 9, bad=1)
            other.drain()
            with closing(opened(first, lake)) as again:
                assert_all_is_there_once(again, 10, 3)
            assert_all_is_there_once(other, 10, 3)
        if not ended:
            break
    assert step > 10, "so many steps were crossed"


def test_a_quiet_round_costs_few_requests(moto: str, tmp_path: Path) -> None:
    with Front(moto) as front, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", front.endpoint)
        with closing(opened(tmp_path, a_lake())) as way:
            fill(way)
            round_after_round(way, [])
            del front.seen[:]
            for job in ("deliver", "refine", "rollup", "erase", "replay", "maintain"):
                way.jobs[job]()
            assert len(front.seen) <= 9, front.seen


def test_a_reader_asks_the_lake_and_writes_nothing_into_it(any_server: str, tmp_path: Path) -> None:
    lake = a_lake()
    with closing(opened(tmp_path / "worker", lake)) as way:
        fill(way)
        answers, before = questions(way), keys(lake)
    with closing(opened(tmp_path / "reader", lake, read_only=True)) as reader:
        assert questions(reader) == answers
        with pytest.raises(SettingsError, match="read_only"):
            _ = reader.jobs
    with pytest.raises(LakeError, match="no table"):
        OpenLake(opened(tmp_path / "other", a_lake(), read_only=True)).sql("from events")
    assert keys(lake) == before
    sql = "select event_type, count(*) from events join sessions using (session_id) group by all order by all"
    with closing(opened(tmp_path / "reader", lake, read_only=True)) as reader:
        found = asyncio.run(_played(reader, sql))
        assert found == [list(row) for row in OpenLake(reader).sql(sql).fetchall()]


async def _played(way: Pipeline, sql: str) -> list[list[Any]]:
    async with Playground(way.settings) as playground:
        return (await playground.run(sql)).cells()
