"""The contract of the engines: from the same bronze each makes the same rows, quarantine and ledger, cell by cell."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sysconfig
from datetime import timedelta
from pathlib import Path

import pytest

from faults import Crash, crash_at
from penstock import adapters
from penstock.bronze.layout import INBOX
from penstock.errors import LakeError
from penstock.silver import claim, engines, rebuild
from penstock.silver.batch import Engine
from penstock.silver.compare import compare
from penstock.silver.lake import Lake
from penstock.silver.refine import Refined, refine
from penstock.silver.schema import Extra, Schema
from penstock.simulator.dirt import Dirt
from penstock.simulator.plan import Kind, Plan
from penstock.simulator.write import write
from s3_in_hand import a_lake, environment, serving
from silver.test_clean import REASONS
from silver.test_real_payloads import CART, SEGMENT, SHOP, TRACKER
from simulator.conftest import START_MS
from spark_in_hand import java_or_skip, spark
from support import NOW, LakeInHand, Rows

pytestmark = [
    pytest.mark.heavy,
    # PySpark leaves the sockets, over which it asks its Java process, to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning"),
]
__all__ = ["spark"]

OTHERS = [name for name in adapters.names(engines) if name != "duckdb"]
DIRT = Dirt(malformed=0.05, wrong_types=0.2, duplicates=0.2, late=0.2, skew=0.2, drift=0.5)
SCHEMA = Schema(
    (Extra("plan", "VARCHAR"), Extra("score", "DOUBLE"), Extra("tries", "INTEGER", strict=True)),
    {"search_query": ("properties.q",)},
    ("Penstock-Test",),
)
OUTCOMES = "select outcome, sum(events)::bigint as n from ledger group by outcome"
TABLES = ("events", "quarantine", "ledger")


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest) -> Engine:
    """An engine that can run here; those that cannot are skipped by their fixtures, aloud."""
    request.getfixturevalue(request.param)
    return Engine(request.param)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of which nothing is refined: simulated days with much dirt, hostile events, every dialect, damage."""
    folder = tmp_path_factory.mktemp("golden")
    write(Plan(1200, 4 * 3_600_000, START_MS, 4, Kind.both, 4, DIRT), folder / "files")
    hand = LakeInHand(folder / "lake")
    for file in sorted((folder / "files").rglob("*.gz")):
        hand.put_bytes(file.relative_to(folder / "files").as_posix(), file.read_bytes())
    hand.put(hand.post([sent for sent, _ in REASONS]))
    hand.put(
        [TRACKER, CART, SHOP, SEGMENT, SEGMENT, "", "[1]", "nonsense", '{"a":1', b"\xff\xfe", '{"event_type":"x"}']
    )
    own = {"event_type": "own", "session_id": "s", "properties": {"q": "shoes", "plan": "pro", "score": 1.5}}
    tries: list[object] = [1, "2", 2.5, "many", None]
    hand.put(hand.post([{**own, "tries": each} for each in tries], user_agent="Penstock-Test/1"))
    good = gzip.compress(json.dumps(TRACKER).encode())
    hand.put_bytes("year=2026/month=11/day=20/hour=12/minute=31/cut-0-0.jsonl.gz", good[:-5])
    return hand.folder


@pytest.fixture
def pair(first: Path, tmp_path: Path) -> tuple[LakeInHand, LakeInHand]:
    """Two lakes with the same bronze; the first is for DuckDB."""
    hands = []
    for name in ("here", "there"):
        shutil.copytree(first, tmp_path / name)
        hands.append(LakeInHand(tmp_path / name))
        hands[-1].lake = Lake((tmp_path / name).as_uri(), SCHEMA)
    return hands[0], hands[1]


def more(hand: LakeInHand) -> None:
    """What comes later: an object again, events again with another receipt, late ones, further columns."""
    key = min(entry.key for entry in hand.lake.bronze.list("year=2026") if entry.key.endswith(".gz"))
    again = NOW + timedelta(hours=1)
    hand.put_bytes(
        f"year=2026/month=11/day=20/hour=13/minute=00/again-{key.rsplit('/', 1)[1]}", hand.lake.bronze.get(key)
    )
    hand.put([TRACKER, {**TRACKER, "page_path": "/other"}, SEGMENT], again)
    late = (NOW - timedelta(days=20)).isoformat()
    sent = {
        "event_type": "late",
        "session_id": "l",
        "event_ts": late,
        "properties": {"plan": "free", "new": {"deep": 1}},
    }
    hand.put(hand.post([{**sent, "event_id": f"late{n % 3}"} for n in range(5)], again), again)


def done(hand: LakeInHand, engine: Engine, batch_bytes: int = 1 << 30) -> list[Refined]:
    found = []
    while one := refine(hand.lake, batch_bytes=batch_bytes, engine=engine):
        found.append(one)
    return found


def rows(hand: LakeInHand, table: str) -> Rows:
    return hand.sql(f"select * from {table} order by all")


def assert_same(here: LakeInHand, there: LakeInHand) -> None:
    for table in TABLES:
        expected, found = rows(here, table), rows(there, table)
        assert len(expected) > 0
        assert found == expected, table


def test_the_same_rows_from_the_same_bronze(pair: tuple[LakeInHand, LakeInHand], other: Engine) -> None:
    here, there = pair
    expected, found = done(here, Engine()), done(there, other)
    assert found == expected
    assert {"stored", "duplicate", "quarantined"} == expected[0].events.keys()
    assert len(expected[0].reasons) > 10
    assert expected[0].damaged == 1
    assert_same(here, there)


def test_the_next_run_takes_only_what_is_new_and_knows_the_rest(
    pair: tuple[LakeInHand, LakeInHand], other: Engine
) -> None:
    here, there = pair
    for hand, engine in ((here, Engine()), (there, other)):
        assert len(done(hand, engine)) == 1
        assert done(hand, engine) == []
        more(hand)
    expected, found = done(here, Engine()), done(there, other)
    assert found == expected
    assert expected[0].events["duplicate"] > 100, "an object came again"
    assert_same(here, there)


def test_small_batches_end_as_one_does(pair: tuple[LakeInHand, LakeInHand], other: Engine) -> None:
    here, there = pair
    size = sum(entry.size_bytes for entry in here.lake.bronze.list("year=2026")) // 2
    assert len(done(here, Engine(), size)) == len(done(there, other, size)) > 1
    assert_same(here, there)


@pytest.mark.parametrize("call", [2, 4, 6, 8, 10, 12])
def test_a_run_that_was_killed_is_done_again(hand: LakeInHand, other: Engine, call: int) -> None:
    hand.put([TRACKER, TRACKER, SHOP, "nonsense"])
    with crash_at(call), pytest.raises(Crash):
        refine(hand.lake, engine=other)
    hand.lake = Lake(hand.lake.url)
    done(hand, other)
    assert {row["outcome"]: row["n"] for row in hand.sql(OUTCOMES)} == {"stored": 2, "duplicate": 1, "quarantined": 1}
    assert len(rows(hand, "events")) == 2
    assert len(rows(hand, "quarantine")) == 1


def test_a_rebuild_by_another_engine_differs_in_nothing(pair: tuple[LakeInHand, LakeInHand], other: Engine) -> None:
    here, _ = pair
    done(here, Engine())
    more(here)
    done(here, Engine())
    begun = rebuild.begin(here.lake, NOW)
    told: list[tuple[int, int]] = []
    rebuild.fill(here.lake, begun, batch_bytes=1 << 30, engine=other, progress=lambda *at: told.append(at))
    found = compare(here.lake.generation(begun.old), here.lake.generation(begun.generation))
    assert found.none and found.new_events > 1000
    assert told[-1][0] == told[-1][1] > 0
    rebuild.show(here.lake, begun)
    assert done(here, Engine()) == [], "DuckDB goes on where it was"


def test_one_engine_at_a_time(pair: tuple[LakeInHand, LakeInHand], other: Engine) -> None:
    _, there = pair
    assert claim.owner(there.lake) is None
    done(there, other)
    more(there)
    with pytest.raises(LakeError, match=f"filled by the engine '{other.name}'") as refused:
        refine(there.lake)
    assert "--take-over" in refused.value.hint
    assert list(there.lake.bronze.list(INBOX)) != [], "nothing is lost, it waits"
    claim.take_over(there.lake, "duckdb")
    assert refine(there.lake) is not None
    with pytest.raises(LakeError, match="filled by the engine 'duckdb'"):
        there.put([TRACKER])
        refine(there.lake, engine=other)


@pytest.mark.parametrize("name", ["spark"])
def test_a_lake_in_a_bucket(name: str, tmp_path: Path) -> None:
    """As a person would do it, in a process of its own: what Spark's processes reach, the environment says."""
    java_or_skip()
    program = Path(sysconfig.get_path("scripts"), "penstock")

    with serving("moto", tmp_path) as endpoint:
        told = {**os.environ, **environment(endpoint), "PENSTOCK_LAKE": a_lake(), "PENSTOCK_DATA": str(tmp_path / "d")}
        told["PENSTOCK_REFINE__SPARK"] = json.dumps({"spark.master": "local[2]"})

        def penstock(*arguments: str) -> str:
            return subprocess.run(
                [program, *arguments], env=told, cwd=tmp_path, check=True, capture_output=True, text=True
            ).stdout

        for number, events in enumerate(([TRACKER, SHOP, TRACKER], [TRACKER, CART])):
            (tmp_path / f"{number}.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))
            penstock("load", f"{number}.jsonl")
            done = penstock("refine", "--once", "--engine", name)
            assert f" {2 - number} stored, 1 duplicate, 0 quarantined" in done, done
