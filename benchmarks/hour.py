"""What it costs that nothing is counted twice: refine of equal batches into one hour, while the hour fills.

    python benchmarks/hour.py [--events 1000000] [--files 12]

Each batch is one object of five minutes. To know repeated events, refine reads the ids that silver has of the same
hour, so a batch costs more the fuller its hour is: `of the first` is processor time; the peak is of the process so far.
The slope is what one id that is read again costs; the reference is the last batch into a lake that has nothing else.
It sets `ID_SECONDS` of `penstock capacity`.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from penstock.bronze.load import load
from penstock.silver.lake import Lake
from penstock.silver.refine import Refined, refine


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=1_000_000, help="in a batch")
    arguments.add_argument("--files", type=int, default=12, help="batches; twelve are an hour")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=Path.cwd()) as name:
        place = Path(name)
        program = Path(sys.executable).with_name("penstock")
        told = ["--events", str(options.events), "--files", str(options.files), "--out", str(place / "files")]
        subprocess.run([program, "simulate", *told], check=True)
        show(place, sorted((place / "files").rglob("*.jsonl.gz")))


def show(place: Path, files: list[Path]) -> None:
    once(Lake((place / "warm").as_uri()), files[0], place)  # what is loaded and compiled once is not to count
    lake, there, found = Lake((place / "lake").as_uri()), 0, []
    print(f"{'there already':>14}{'batch':>11}{'s':>8}{'processor s':>13}{'of the first':>14}{'peak MB':>9}")
    for file in files:
        seconds, used, done = once(lake, file, place)
        found.append((there, used))
        print(
            f"{there:>14,}{done.read:>11,}{seconds:>8.2f}{used:>13.2f}{used / found[0][1]:>14.2f}{peak():>9,.0f}",
            flush=True,
        )
        there += done.events["stored"]
    seconds, used, done = once(Lake((place / "alone").as_uri()), files[-1], place)
    print(f"{'alone':>14}{done.read:>11,}{seconds:>8.2f}{used:>13.2f}{used / found[0][1]:>14.2f}")
    slope, _ = statistics.linear_regression(*zip(*found, strict=True))
    print(f"an id that is read again: {slope * 1e9:.0f} ns of a processor; an event: {used / done.read * 1e6:.2f} µs")


def once(lake: Lake, file: Path, place: Path) -> tuple[float, float, Refined]:
    """Seconds, processor seconds of this process, and what was done, with the object in bronze already."""
    load(lake.bronze, file, datetime.now(UTC), below=place / "files")
    started, used = time.perf_counter(), time.process_time()
    done = refine(lake, batch_bytes=1 << 40)
    assert done is not None
    return time.perf_counter() - started, time.process_time() - used, done


def peak() -> float:
    """Megabytes that this process held at most, until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
