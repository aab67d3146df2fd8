"""Silver is open: Delta's own reader, on Spark, finds the rows that Penstock finds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from maven_in_hand import copy, fetched
from penstock.silver import commit
from penstock.silver.commit import Table
from penstock.silver.compact import compact
from spark_in_hand import java_or_skip
from support import NOW, LakeInHand

pytestmark = pytest.mark.heavy
VERSION = "3.3.2"
"""The last of Delta for Spark 3.5."""
_TABLES = ("events", "quarantine", "ledger")

# In a process of its own: Spark takes jars only as it starts.
_READ = """
import sys
from pyspark.sql import SparkSession

jars, out, *tables = sys.argv[1:]
told = {
    "spark.jars": jars,
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
}
builder = SparkSession.builder.master("local[1]")
for name, value in told.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
for table in tables:
    name = table.rsplit("/", 1)[1]
    spark.read.format("delta").load(table).write.parquet(f"{out}/{name}")
"""


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LakeInHand, Path]]:
    """A lake with commits, a checkpoint, merged files and a commit after them; and what Delta read of it."""
    java_or_skip()
    goals = [copy(f"io.delta:{name}:{VERSION}") for name in ("delta-spark_2.12", "delta-storage")]
    jars = fetched(f"delta-{VERSION}", goals, "Delta's own reader")
    folder = tmp_path_factory.mktemp("delta")
    hand = LakeInHand(folder / "lake")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commit, "_CHECKPOINT_EVERY", 4)
        for number in range(6):
            hand.put(_lines(number), NOW + timedelta(hours=number // 4))
            hand.refine()
    _merge(hand.lake.silver.events)
    hand.put([_lines(6)[0]])
    hand.refine()
    tables = [getattr(hand.lake.silver, name).url.removeprefix("file://") for name in _TABLES]
    asked = [sys.executable, "-c", _READ, ",".join(map(str, jars.glob("*.jar"))), str(folder / "out"), *tables]
    env = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(asked, cwd=folder, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    yield hand, folder / "out"


def _lines(number: int) -> list[Any]:
    event = {"event_type": "page_view", "session_id": "a b", "page_path": "/ü%20=x", "price": "12.345"}
    events = [
        {**event, "event_id": f"{number}-{n}", "event_ts": f"2026-11-1{n}T10:0{number}:00.123456Z",
         "properties": {"n": n, "ü": None, f"p{number}": [1, {"a": 1}]}}
        for n in range(4)
    ]  # fmt: skip
    return [*events, {**event, "event_id": "0-0"}, {"no": "type"}, b"\xff{"]


def _merge(table: Table) -> None:
    assert compact(table, "event_ts", many=2).files_before > 0


@pytest.mark.parametrize("name", _TABLES)
def test_delta_reads_the_same_rows(read: tuple[LakeInHand, Path], name: str) -> None:
    hand, out = read
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute(f"create view ours as {hand.lake.silver.views()[name]}")
        db.execute(f"create view theirs as from read_parquet('{out}/{name}/*.parquet')")
        columns = [row[0] for row in db.execute("describe theirs").fetchall()]
        shown = ", ".join(f'"{column}"' for column in columns)
        ours, theirs = (db.execute(f"select {shown} from {who} order by all").fetchall() for who in ("ours", "theirs"))
    assert theirs == ours != []


def test_there_was_something_to_read(read: tuple[LakeInHand, Path]) -> None:
    hand, _ = read
    log = Path(hand.lake.silver.events.url.removeprefix("file://")) / "_delta_log"
    assert list(log.glob("*.checkpoint.parquet"))
    assert (log / "_last_checkpoint").exists()
    found = hand.sql("select outcome, sum(events) as n from ledger group by all order by all")
    assert [(row["outcome"], row["n"]) for row in found] == [("duplicate", 6), ("quarantined", 12), ("stored", 25)]
