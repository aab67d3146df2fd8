"""How many events a second become rows, beside a bare DuckDB COPY of the same file, in one run.

    python benchmarks/refine.py [--events 750000] [--rounds 4]

The reference reads the same gz JSONL with read_json and writes Parquet in the same hive folders, and nothing more: no
check of the gzip sum, no validation, no quarantine, no deduplication, no ledger, no fsync. The first round of both
is shown but not used for the medians: a worker lives long.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import resource
import shutil
import statistics
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from penstock.bronze.load import load
from penstock.silver.lake import Lake
from penstock.silver.refine import refine

_BARE = """
    copy (select *, year(timestamp) as year, month(timestamp) as month, day(timestamp) as day, hour(timestamp) as hour
          from read_json('{source}', format = 'newline_delimited', columns = {{
              event_id: 'VARCHAR', timestamp: 'TIMESTAMP', user_id: 'VARCHAR', session_id: 'VARCHAR',
              event_type: 'VARCHAR', product_id: 'VARCHAR', quantity: 'INTEGER', price: 'DECIMAL(18,2)',
              category: 'VARCHAR', search_query: 'VARCHAR'}}))
    to '{target}' (format parquet, partition_by (year, month, day, hour), compression zstd)
"""


def write_shop_events(path: Path, count: int) -> None:
    """Five minutes of a busy shop, as one gz JSONL file; seeded."""
    chance = random.Random(1)
    start = datetime(2026, 11, 20, 10, tzinfo=UTC)
    kinds = ["page_view"] * 70 + ["add_to_cart"] * 12 + ["search"] * 10 + ["purchase"] * 5 + ["remove_from_cart"] * 3
    with gzip.open(path, "wt", compresslevel=6) as file:
        for number in range(count):
            kind = chance.choice(kinds)
            search, paid = kind == "search", kind in ("add_to_cart", "remove_from_cart", "purchase")
            moment = start + timedelta(seconds=300 * number / count)
            file.write(
                json.dumps(
                    {
                        "event_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
                        "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                        "user_id": f"u_{chance.randrange(100_000)}",
                        "session_id": f"s_{chance.randrange(200_000)}",
                        "event_type": kind,
                        "product_id": None if search else f"p_{chance.randrange(5_000)}",
                        "quantity": chance.randrange(1, 5) if paid else None,
                        "price": round(chance.uniform(1, 500), 2) if paid else None,
                        "category": None if search else f"category {chance.randrange(20)}",
                        "search_query": f"query {chance.randrange(1_000)}" if search else None,
                    }
                )
                + "\n"
            )


def penstock_seconds(source: Path, folder: Path, count: int) -> float:
    lake = Lake(folder.as_uri())
    load(lake.bronze, source, datetime.now(UTC))
    started = time.perf_counter()
    done = refine(lake, batch_bytes=1 << 40)
    seconds = time.perf_counter() - started
    assert done is not None
    assert done.events == {"stored": count}, done
    return seconds


def bare_seconds(source: Path, folder: Path) -> float:
    with duckdb.connect() as db:
        started = time.perf_counter()
        db.execute(_BARE.format(source=source, target=folder))
        return time.perf_counter() - started


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=750_000)
    arguments.add_argument("--rounds", type=int, default=4)
    options = arguments.parse_args()
    ours, bare = [], []
    with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=Path.cwd()) as name:
        source = Path(name) / "events.jsonl.gz"
        write_shop_events(source, options.events)
        print(f"{options.events:,} events, {source.stat().st_size / 1e6:.1f} MB gz JSONL, {os.cpu_count()} cores")
        for number in range(options.rounds + 1):
            for seconds, run in (
                (ours, lambda to: penstock_seconds(source, to, options.events)),
                (bare, lambda to: bare_seconds(source, to)),
            ):
                target = Path(name) / "out"
                seconds.append(run(target))
                shutil.rmtree(target)
            print(f"round {number}: penstock {ours[-1]:.2f} s, bare DuckDB COPY {bare[-1]:.2f} s")
    ours, bare = ours[1:], bare[1:]
    ratio = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"penstock  {options.events / statistics.median(ours):>12,.0f} events/s, {ratio:.2f} times the bare COPY's time"
    )
    print(f"bare COPY {options.events / statistics.median(bare):>12,.0f} events/s")
    print(f"peak memory of the process, both together: {peak:,.0f} MB")


if __name__ == "__main__":
    main()
