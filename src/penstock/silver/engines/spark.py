"""Silver on Spark: objects of bronze, dealt out to all its processes → the same files as DuckDB makes on one machine.

Spark deals out, gathers and tries again; what a line means is decided by the same code everywhere, DuckDB with
`clean.sql` in each process. Only all lines together tell which of several events is the first, so there are two passes.
In the first, tasks clean their objects and say who the events are, and Spark finds the repeated ones; in the second
they clean again, leave those out and write their files. Between processes go ids and line numbers, never rows: fifty
columns need not go from Python to Spark and back. Whether that is less work than cleaning twice was not measured.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from ...bronze.lines import Lines
from ...errors import SettingsError
from ...objects import Objects
from .. import snapshot
from ..batch import Engine, Read, read_object
from ..bookmark import Plan
from ..commit import Table
from ..lake import Lake, Silver
from ..schema import Schema
from . import Made
from .duckdb import DuckDB, write_ledger

_CHUNK_BYTES = 256 << 20
"""Of lines in memory, which a process cleans at once; at least one object."""
_MEMORY = "2GB"
"""For DuckDB in each process, where the settings do not say; by itself it would take most of the machine."""
_TASKS_A_CORE = 3
_OBJECTS_A_TASK = 64
_IDS = (
    "source string, event_id string, received_us long, bronze_file string, bronze_line long,"
    " event_hour long, client_hour long"
)
_KEY = ["source", "event_id"]
_PLACE = ["received_us", "bronze_file", "bronze_line"]
_ALONE = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.log.level": "ERROR",
}
"""Of a Spark that only we started, in this process."""


def make(lake: Lake, silver: Silver, plan: Plan, asked: Engine) -> Made:
    """A batch, by every process that Spark has."""
    spark = session(asked.options)
    work = _Work(lake.url, silver.generation, lake.schema, plan.batch, asked.memory_limit or _MEMORY)
    objects, count = _named(spark, plan.inputs), len(plan.inputs)
    ids = _dealt(objects, count).mapInArrow(work.ids, _IDS).persist(StorageLevel.DISK_ONLY)
    try:
        repeated = _repeated(ids, _known(spark, silver, ids, work))
        lines = repeated.groupBy("bronze_file").agg(F.collect_list("bronze_line").alias("lines"))
        told = objects.join(lines, F.col("key") == F.col("bronze_file"), "left").select("key", "lines")
        parts = _dealt(told, count).mapInArrow(work.write, "made binary").collect()
    finally:
        ids.unpersist()
    return _gathered(lake, silver, [msgspec.json.decode(row.made, type=Made) for row in parts])


def session(options: Mapping[str, str]) -> SparkSession:
    """The one that runs, or that `spark-submit` or Glue prepared; else one in this process, on all its cores."""
    if (running := SparkSession.getActiveSession()) is not None:
        return running
    builder = SparkSession.builder.appName("penstock")
    alone = "PYSPARK_GATEWAY_PORT" not in os.environ and options.get("spark.master", "local").startswith("local")
    if alone:
        _check_java()
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        builder = builder.master("local[*]")
    for name, value in {**(_ALONE if alone else {}), **options}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _check_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java") and not (home and Path(home, "bin", "java").exists()):
        raise SettingsError(
            "Spark needs Java, and there is none", hint="apt-get install default-jre-headless, or set JAVA_HOME"
        )


def _named(spark: SparkSession, keys: Sequence[str]) -> DataFrame:
    return spark.createDataFrame([(key,) for key in keys], "key string")


def _dealt(named: DataFrame, count: int) -> DataFrame:
    """`count` rows with a `key`; neighbours stay together, so that objects of an hour make few files of an hour."""
    cores = named.sparkSession.sparkContext.defaultParallelism
    tasks = max(cores * _TASKS_A_CORE, count // _OBJECTS_A_TASK)
    return named.repartitionByRange(max(1, min(count, tasks)), "key")


def _known(spark: SparkSession, silver: Silver, ids: DataFrame, work: _Work) -> DataFrame | None:
    """Who is in the files of silver that may hold copies; None without such files."""
    hours = ids.selectExpr("explode(array(event_hour, client_hour)) as hour").where("hour is not null").distinct()
    without = bool(ids.where("client_hour is null").limit(1).collect())
    moments = [datetime.fromtimestamp(row.hour // 1_000_000, UTC) for row in hours.collect()]
    paths = snapshot.may_hold(silver.events, moments, also_unplaced=without)
    if not paths:
        return None
    return _dealt(_named(spark, paths), len(paths)).mapInArrow(work.known, "source string, event_id string")


def _repeated(ids: DataFrame, known: DataFrame | None) -> DataFrame:
    """(bronze_file, bronze_line) of events that are not the first of their id, here or in silver."""
    place = F.struct(*_PLACE)
    first = ids.groupBy(*_KEY).agg(F.min(place).alias("first"), F.count("*").alias("n")).where("n > 1")
    found = ids.join(first, _KEY).where(place != F.col("first")).select("bronze_file", "bronze_line")
    if known is None:
        return found
    return found.union(ids.join(known, _KEY, "left_semi").select("bronze_file", "bronze_line")).distinct()


def _gathered(lake: Lake, silver: Silver, parts: Iterable[Made]) -> Made:
    """All that the tasks made, with the ledger of it."""
    made = Made([], [], [], [], 0)
    for part in parts:
        made = Made(
            [*made.quarantine, *part.quarantine], [], [*made.events, *part.events], [*made.counts, *part.counts],
            made.damaged + part.damaged,
        )  # fmt: skip
    engine = DuckDB(lake.schema)
    try:
        with TemporaryDirectory(prefix="penstock-") as stage:
            return replace(made, ledger=write_ledger(engine, silver, made.counts, Path(stage)))
    finally:
        engine.close()


@dataclass(frozen=True)
class _Work:
    """What a process is told; it opens the lake by itself."""

    url: str
    generation: str
    schema: Schema
    batch: int
    memory_limit: str

    @property
    def lake(self) -> Lake:
        return Lake(self.url, self.schema)

    def ids(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Objects by their keys → who the events are in them."""
        for cleaned, _, _ in self._cleaned((key, []) for batch in batches for key in batch["key"].to_pylist()):
            yield from cleaned.ids().to_batches()

    def known(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Files of silver → who is in them."""
        events = self.lake.generation(self.generation).events
        for path in (path for batch in batches for path in batch["key"].to_pylist()):
            with TemporaryDirectory(prefix="penstock-") as stage:
                file = _on_disk(events, path, Path(stage))
                found = pq.read_table(file, columns=_KEY, partitioning=None)  # folders' names are no columns here
            yield from found.to_batches()

    def write(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Objects, each with its lines that are repeated → what was made of them; the files are durable."""
        silver = self.lake.generation(self.generation)
        pairs = (pair for batch in batches for pair in zip(*(column.to_pylist() for column in batch), strict=True))
        for cleaned, chunk, damaged in self._cleaned((key, lines or []) for key, lines in pairs):
            cleaned.repeat(_repeated_in(chunk))
            with TemporaryDirectory(prefix="penstock-") as stage:
                made = replace(cleaned.write_made(silver, self.batch, Path(stage)), damaged=damaged)
            yield pa.record_batch({"made": pa.array([msgspec.json.encode(made)], pa.binary())})

    def _cleaned(self, objects: Iterable[tuple[str, list[int]]]) -> Iterator[tuple[DuckDB, list[_Object], int]]:
        """As many objects at a time as memory is meant for, and how many of them could not be read."""
        for chunk in self._chunks(objects):
            engine = DuckDB(self.schema, memory_limit=self.memory_limit, threads=1)
            try:
                damaged = sum(not engine.take(one.key, one.read) for one in chunk)
                engine.clean()
                yield engine, chunk, damaged
            finally:
                engine.close()

    def _chunks(self, objects: Iterable[tuple[str, list[int]]]) -> Iterator[list[_Object]]:
        bronze = self.lake.bronze
        chunk: list[_Object] = []
        size = 0
        for key, repeated in objects:
            read = read_object(bronze, key)
            chunk.append(_Object(key, read, repeated))
            size += read.text.nbytes if isinstance(read, Lines) else 0
            if size >= _CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk


def _on_disk(events: Table, path: str, stage: Path) -> str | Path:
    """Where a file of the table lies; of a bucket, a copy of it in `stage`."""
    if events.root is not None:
        return events.here([path])[0]
    Objects(events.url).fetch(path, stage / "events.parquet")
    return stage / "events.parquet"


class _Object(NamedTuple):
    """`repeated`: numbers of the lines whose events are not the first of their id."""

    key: str
    read: Read
    repeated: list[int]


def _repeated_in(chunk: Sequence[_Object]) -> pa.Table:
    pairs = [(one.key, line) for one in chunk for line in one.repeated]
    return pa.table(
        {
            "bronze_file": pa.array([key for key, _ in pairs], pa.string()),
            "bronze_line": pa.array([line for _, line in pairs], pa.int64()),
        }
    )
