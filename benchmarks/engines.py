"""Penstock's two engines of silver on the same bronze, in one run: how fast, how much memory, and whether they agree.

    python benchmarks/engines.py [--events 3000000] [--files 12] [--rounds 1] [--batch-mib 0]

The simulator writes the files, with dirt; an object of bronze is one task of Spark, so there are several. Each engine
refines them in a process of its own, into a lake of its own, by Penstock's own `refine`: DuckDB in batches as the
settings have them, Spark, local[2], in one batch, as it deals objects out; or both with `--batch-mib`. The first round
is shown as `cold` (that of Spark starts Java), the median of the others as `warm`. Memory is the peak of the process
with all its children, pages that they share counted once. Processor seconds, of the warm rounds, are what to believe
where others use the same machine.

Then the two lakes of the last round are compared: counts by outcome and reason, and for each of silver's tables a sum
over hashes of whole rows, in no order, without the number of the batch. It ends with 1 if they differ.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from penstock.bronze.load import load
from penstock.silver.batch import Engine
from penstock.silver.lake import Lake
from penstock.silver.refine import BATCH_BYTES, refine

ENGINES = {"duckdb": Engine(), "spark": Engine("spark", options={"spark.master": "local[2]"})}
BATCHES = {"duckdb": BATCH_BYTES, "spark": 1 << 40}
_LOOK_EVERY_SECONDS = 0.2
_LOADED = datetime(2026, 3, 1, tzinfo=UTC)
"""All lakes receive the files at this moment, so that their rows can be compared."""
_TABLES = {
    "events": "select * from events",
    "quarantine": "select * exclude (batch) from quarantine",
    "ledger": "select * exclude (batch) from ledger",
}


def measure(name: str, source: Path, lakes: Path, rounds: int, batch_bytes: int) -> None:
    """In a child: print JSON of seconds and processor seconds per round, and the number of batches; the lakes stay."""
    seconds, processors, batches = [], [], 0
    for number in range(rounds + 1):
        lake = Lake((lakes / f"{name}-{number}").as_uri())
        for file in sorted(source.rglob("*.jsonl.gz")):
            load(lake.bronze, file, _LOADED, below=source)
        started, used = time.perf_counter(), processor_seconds()  # the files lie in bronze
        batches = 0
        while refine(lake, batch_bytes=batch_bytes, engine=ENGINES[name]):
            batches += 1
        seconds.append(time.perf_counter() - started)
        processors.append(processor_seconds() - used)
    print(json.dumps({"seconds": seconds, "processors": processors, "batches": batches}))


def watched(command: list[str]) -> tuple[dict[str, Any], float]:
    """What a child says in its last line, and the peak of its memory in MB with that of its own children."""
    peak_kb = 0
    with tempfile.TemporaryFile("w+") as told, subprocess.Popen(command, stdout=told) as child:
        while child.poll() is None:
            peak_kb = max(peak_kb, sum(map(memory_kb, family(child.pid))))
            time.sleep(_LOOK_EVERY_SECONDS)
        if child.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
        told.seek(0)
        return json.loads(told.read().splitlines()[-1]), peak_kb / 1024


def family(pid: int) -> list[int]:
    """That process, its children, theirs, and so on."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        lists = []
    return [pid, *(each for child in " ".join(lists).split() for each in family(int(child)))]


def processor_seconds() -> float:
    """Of this process and its family; of those who have ended, only where somebody waited for them."""
    ticks = 0
    for pid in family(os.getpid()):
        with contextlib.suppress(OSError):
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def answers(folder: Path) -> dict[str, Any]:
    """Counts by outcome and reason, and of each table the number of rows, and sum and xor of their hashes."""
    with duckdb.connect() as db:
        for table, view in Lake(folder.as_uri()).silver.views().items():
            db.execute(f"create view {table} as {view}")
        counts = db.execute(
            "select outcome, coalesce(reason, ''), sum(events)::bigint from ledger group by all order by all"
        ).fetchall()
        digests = {
            table: db.execute(f"select count(*), sum(hash(t)), bit_xor(hash(t)) from ({rows}) as t").fetchall()
            for table, rows in _TABLES.items()
        }
    return {"counts": counts, **digests}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=3_000_000)
    arguments.add_argument("--files", type=int, default=12)
    arguments.add_argument("--rounds", type=int, default=1, help="after the first")
    arguments.add_argument("--batch-mib", type=int, default=0, help="of both; 0: as said above")
    arguments.add_argument("--only", choices=ENGINES, help=argparse.SUPPRESS)
    arguments.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.only:
        batch_bytes = options.batch_mib << 20 or BATCHES[options.only]
        measure(options.only, options.place / "files", options.place, options.rounds, batch_bytes)
        return
    with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=Path.cwd()) as name:
        simulated(Path(name) / "files", options.events, options.files)
        compare(Path(name), options)


def simulated(folder: Path, events: int, files: int) -> None:
    program = Path(sys.executable).with_name("penstock")
    told = ["--events", str(events // files), "--files", str(files), "--dirt", "--out", str(folder)]
    subprocess.run([program, "simulate", *told], check=True)


def compare(place: Path, options: argparse.Namespace) -> None:
    found = {}
    for name in ENGINES:
        told = ["--place", str(place), "--rounds", str(options.rounds), "--batch-mib", str(options.batch_mib)]
        found[name] = watched([sys.executable, __file__, "--only", name, *told])
    said = {name: answers(place / f"{name}-{options.rounds}") for name in ENGINES}
    lines = sum(count for *_, count in said["duckdb"]["counts"])
    sizes = [file.stat().st_size for file in (place / "files").rglob("*.jsonl.gz")]
    print(f"{lines:,} lines in {len(sizes)} objects, {sum(sizes) / 1e6:.1f} MB gz, {os.cpu_count()} cores")
    show(found, lines)
    for outcome, reason, count in said["duckdb"]["counts"]:
        print(f"  {count:>10,} {outcome} {reason}")
    different = [part for part, value in said["duckdb"].items() if said["spark"][part] != value]
    print(f"they differ in: {', '.join(different)}" if different else "counts and digests of all tables are equal:")
    for table in _TABLES:
        print(f"  {table}: {said['spark'][table][0]}")
    if different:
        raise SystemExit(1)


def show(found: dict[str, tuple[dict[str, Any], float]], lines: int) -> None:
    print(
        f"{'':8}{'lines/s':>10}{'warm s':>9}{'cold s':>9}{'of duckdb':>11}{'processor s':>13}{'of duckdb':>11}"
        f"{'batches':>9}{'peak MB':>9}"
    )
    base, base_used = warm(found["duckdb"][0])
    for name, (said, peak_mb) in found.items():
        seconds, used = warm(said)
        print(
            f"{name:8}{lines / seconds:>10,.0f}{seconds:>9.2f}{said['seconds'][0]:>9.2f}{seconds / base:>11.2f}"
            f"{used:>13.2f}{used / base_used:>11.2f}{said['batches']:>9}{peak_mb:>9,.0f}"
        )


def warm(said: dict[str, Any]) -> tuple[float, float]:
    """Seconds, and processor seconds, of a round that is not the first."""
    return statistics.median(said["seconds"][1:]), statistics.median(said["processors"][1:])


if __name__ == "__main__":
    main()
