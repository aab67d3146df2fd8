"""How many events a second become rows: Penstock, bare DuckDB and PySpark on the same file, in one run.

    python benchmarks/refine.py [--events 750000] [--rounds 4] [--dirt]

Each runs in a process of its own, round after round; the first round is shown as `cold` and not used for the medians,
because a worker lives long. All write Parquet in hive folders by hour.

- bare DuckDB reads the gz JSONL with `read_json` and a known schema, and copies: no check of the gzip sum, no judging,
  no quarantine, no deduplication, no ledger, no fsync.
- PySpark, local[2], does what the usual Glue job does: a known schema, casts, lower case, revenue, drop duplicates by
  event_id of this file alone; no quarantine, no ledger, nothing about earlier runs. It is left out, loudly, without
  pyspark and Java.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

_FIELDS = {
    "event_id": "VARCHAR", "timestamp": "TIMESTAMP", "user_id": "VARCHAR", "session_id": "VARCHAR",
    "event_type": "VARCHAR", "product_id": "VARCHAR", "quantity": "INTEGER", "price": "DECIMAL(18,2)",
    "category": "VARCHAR", "search_query": "VARCHAR",
}  # fmt: skip
_SPARK_TYPES = {"VARCHAR": "string", "TIMESTAMP": "string", "INTEGER": "int", "DECIMAL(18,2)": "decimal(18,2)"}


def penstock(source: Path, folders: Iterator[Path]) -> Iterator[int]:
    from penstock.bronze.load import load
    from penstock.silver.lake import Lake
    from penstock.silver.refine import refine

    for folder in folders:
        lake = Lake(folder.as_uri())
        load(lake.bronze, source, datetime.now(UTC))
        yield 0  # the clock starts here: the file lies in bronze
        done = refine(lake, batch_bytes=1 << 40)
        assert done is not None
        yield done.events["stored"]


def bare_duckdb(source: Path, folders: Iterator[Path]) -> Iterator[int]:
    import duckdb

    columns = ", ".join(f"{name}: '{kind}'" for name, kind in _FIELDS.items())
    for folder in folders:
        with duckdb.connect() as db:
            yield 0
            [(rows,)] = db.execute(
                f"""
                copy (select *, year(timestamp) as year, month(timestamp) as month, day(timestamp) as day,
                             hour(timestamp) as hour
                      from read_json('{source}', format = 'newline_delimited', ignore_errors = true,
                                     columns = {{{columns}}}))
                to '{folder}' (format parquet, partition_by (year, month, day, hour), compression zstd)
                """
            ).fetchall()
            yield rows


def pyspark(source: Path, folders: Iterator[Path]) -> Iterator[int]:
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as f

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "4g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    schema = ", ".join(f"`{name}` {_SPARK_TYPES[kind]}" for name, kind in _FIELDS.items())
    paid = f.col("event_type") == "purchase"
    for folder in folders:
        yield 0
        events = (
            spark.read.schema(schema).json(str(source))
            .withColumn("timestamp", f.to_timestamp("timestamp"))
            .withColumn("event_type", f.lower(f.trim("event_type")))
            .withColumn("category", f.lower(f.trim("category")))
            .withColumn("revenue", f.when(paid, f.col("price") * f.col("quantity")))
            .where(f.col("event_id").isNotNull() & f.col("timestamp").isNotNull())
            .dropDuplicates(["event_id"])
        )  # fmt: skip
        for part in ("year", "month", "day", "hour"):
            events = events.withColumn(part, getattr(f, {"day": "dayofmonth"}.get(part, part))("timestamp"))
        events.write.partitionBy("year", "month", "day", "hour").parquet(str(folder))
        yield -1  # counting would be a second job
    spark.stop()


CONTENDERS: dict[str, Callable[[Path, Iterator[Path]], Iterator[int]]] = {
    "penstock": penstock,
    "bare DuckDB": bare_duckdb,
    "PySpark": pyspark,
}


def measure(name: str, source: Path, rounds: int) -> None:
    """In a child: print JSON of seconds per round, rows, bytes of Parquet and peak memory."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=source.parent) as place:
        folders = [Path(place) / str(number) for number in range(rounds + 1)]
        seconds, rows, size = [], 0, 0
        run = CONTENDERS[name](source, iter(folders))
        for folder in folders:
            next(run)
            started = time.perf_counter()
            rows = next(run)
            seconds.append(time.perf_counter() - started)
            parquet = [path for path in folder.rglob("*.parquet") if "_delta_log" not in path.parts]
            size = sum(path.stat().st_size for path in parquet)
            shutil.rmtree(folder)
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + peak_of_children_kb()) / 1024
        next(run, None)
    print(json.dumps({"seconds": seconds, "rows": rows, "bytes": size, "peak_mb": peak}))


def peak_of_children_kb() -> int:
    """Spark works in a process of its own."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    found = [Path(f"/proc/{pid}/status") for pid in children.read_text().split()] if children.exists() else []
    lines = [line for status in found for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return sum(int(line.split()[1]) for line in lines)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=750_000)
    arguments.add_argument("--rounds", type=int, default=4)
    arguments.add_argument("--dirt", action="store_true", help="malformed lines, wrong types, duplicates, late, drift")
    arguments.add_argument("--only", choices=CONTENDERS, help=argparse.SUPPRESS)
    arguments.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.only:
        measure(options.only, options.source, options.rounds)
        return
    with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=Path.cwd()) as name:
        source = simulated(Path(name), options.events, options.dirt)
        print(f"{options.events:,} events, {source.stat().st_size / 1e6:.1f} MB gz JSONL, {os.cpu_count()} cores")
        compare(source, options.events, options.rounds)


def simulated(folder: Path, events: int, dirt: bool) -> Path:
    command = [
        Path(sys.executable).with_name("penstock"),
        "simulate",
        "--events",
        str(events),
        "--out",
        str(folder / "sim"),
    ]
    subprocess.run([*command, *(["--dirt"] if dirt else [])], check=True, stdout=subprocess.DEVNULL)
    return max((folder / "sim").rglob("*.jsonl.gz"), key=lambda path: path.stat().st_size)


def compare(source: Path, events: int, rounds: int) -> None:
    found = {}
    for name in CONTENDERS:
        command = [sys.executable, __file__, "--only", name, "--source", str(source), "--rounds", str(rounds)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            print(f"{name}: SKIPPED, it does not run here: {done.stderr.strip().splitlines()[-1]}")
            continue
        found[name] = json.loads(done.stdout.splitlines()[-1])
    ours = statistics.median(found["penstock"]["seconds"][1:])
    print(f"{'':12}{'events/s':>12}{'warm s':>9}{'cold s':>9}{'of penstock':>13}{'peak MB':>9}{'Parquet MB':>12}")
    for name, said in found.items():
        cold, *warm = said["seconds"]
        seconds = statistics.median(warm)
        print(
            f"{name:12}{events / seconds:>12,.0f}{seconds:>9.2f}{cold:>9.2f}{seconds / ours:>13.2f}"
            f"{said['peak_mb']:>9,.0f}{said['bytes'] / 1e6:>12.1f}"
        )


if __name__ == "__main__":
    main()
