"""How fast questions are answered: five of a shop, by Penstock, bare DuckDB and chdb; then every report.

A third of the events is a shop's, the others are a web site's.

    python benchmarks/query.py [--events 30000000] [--rounds 5] [--data FOLDER]

The same Parquet files for all three: silver as Penstock keeps it, made first (or given by --data). Penstock serves from
gold what is exact there, as it does for its users; the others know only the files. Each runs in its own process and
answers every question once unmeasured. chdb is left out, loudly, where it is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import penstock
from penstock.bronze.load import load
from penstock.errors import PenstockError
from penstock.pipeline import Pipeline
from penstock.reports.catalog import reports
from penstock.settings import Settings

PER_FILE = 750_000
DAYS = 30
START = datetime(2026, 10, 1, tzinfo=UTC)

_PURCHASES = "where event_type = 'purchase' group by 1 order by 1"
BARE = {
    "product_funnel": """
        select product_id, sum(v), sum(a), sum(p), count(*) filter (v > 0), count(*) filter (a > 0),
               count(*) filter (p > 0)
        from (select product_id, session_id, count(*) filter (event_type = 'page_view') as v,
                     count(*) filter (event_type = 'add_to_cart') as a, count(*) filter (event_type = 'purchase') as p
              from events where product_id is not null group by 1, 2)
        group by 1 order by 1
    """,
    "revenue_hourly": f"select date_trunc('hour', event_ts), count(*), sum(revenue) from events {_PURCHASES}",
    "top_products": """
        select product_id, count(*) as n from events where event_type = 'page_view' and product_id is not null
        group by 1 order by n desc, 1 limit 10
    """,
    "category_performance": """
        select date_trunc('day', event_ts), category, event_type, count(*), sum(revenue) from events
        where category is not null group by 1, 2, 3 order by 1, 2, 3
    """,
    "users_daily": """
        select date_trunc('day', event_ts), count(distinct user_id), count(distinct session_id) from events
        group by 1 order by 1
    """,
}


def _in_clickhouse(sql: str) -> str:
    """The few words that differ."""
    for ours, theirs in (
        ("date_trunc('hour', event_ts)", "toStartOfHour(event_ts)"),
        ("date_trunc('day', event_ts)", "toStartOfDay(event_ts)"),
        ("count(distinct user_id)", "uniqExact(user_id)"),
        ("count(distinct session_id)", "uniqExact(session_id)"),
        ("count(*) filter (", "countIf("),
    ):
        sql = sql.replace(ours, theirs)
    return sql


def make(data: Path, events: int) -> None:
    """Simulated files over DAYS, through the way, merged and counted."""
    count = max(1, events // PER_FILE)
    every = f"{int(timedelta(days=DAYS).total_seconds() // count)}s"
    program = Path(sys.executable).with_name("penstock")
    with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=data.parent) as folder:
        size = ["--events", str(min(events, PER_FILE)), "--files", str(count), "--every", every, "--profile", "both"]
        subprocess.run([program, "simulate", "--out", folder, "--start", START.isoformat(), *size], check=True)
        with closing(Pipeline(Settings(data=data))) as way:
            for path in sorted(Path(folder).rglob("*.jsonl.gz")):
                load(way.lake.bronze, path, way.clock())
            way.drain()
            way.maintain()


Ask = Callable[[], Any]


def ask_penstock(data: Path) -> dict[str, Ask]:
    lake = penstock.open(data)
    period = {"since": START, "until": START + timedelta(days=DAYS)}
    return {name: lambda name=name: lake.report(name, **period).rows() for name in BARE}


def ask_duckdb(data: Path) -> dict[str, Ask]:
    import duckdb

    db = duckdb.connect()
    db.execute("set timezone = 'UTC'")
    db.execute(f"create view events as from read_parquet('{data}/silver/events/*/*/*/*/*.parquet')")
    return {name: lambda sql=sql: db.execute(sql).fetchall() for name, sql in BARE.items()}


def ask_chdb(data: Path) -> dict[str, Ask]:
    import chdb

    source = f"file('{data}/silver/events/*/*/*/*/*.parquet', Parquet)"
    asked = {name: _in_clickhouse(sql).replace("from events", f"from {source}") for name, sql in BARE.items()}
    return {name: lambda sql=sql: chdb.query(sql, "TabSeparated").data() for name, sql in asked.items()}


CONTENDERS = {"penstock": ask_penstock, "bare DuckDB": ask_duckdb, "chdb": ask_chdb}


def measure(asked: dict[str, Ask], rounds: int) -> dict[str, list[float]]:
    """Seconds of each question, round by round; the first, unmeasured, fills the file cache."""
    found: dict[str, list[float]] = {}
    for name, ask in asked.items():
        ask()
        for _ in range(rounds):
            started = time.perf_counter()
            ask()
            found.setdefault(name, []).append(time.perf_counter() - started)
    return found


def every_report(data: Path, rounds: int) -> dict[str, Any]:
    """95th percentile of each report over all DAYS, its least processor time, and where it is served from."""
    lake = penstock.open(data)
    period = {"since": START, "until": START + timedelta(days=DAYS)}
    more: dict[str, dict[str, Any]] = {
        "funnel": {"steps": ["page_view", "add_to_cart", "purchase"]},
        "session": {"id": lake.sql("select any_value(session_id) from events").fetchall()[0][0]},
        "paths": {"page": "/"},
        "experiments": {"experiment": "headline"},
    }
    found: dict[str, Any] = {}
    for name in reports():
        try:
            answer = lake.report(name, **period, **more.get(name, {}))
        except PenstockError as error:
            found[name] = {"error": str(error)}
            continue
        busy: list[float] = []

        def asked(name: str = name, busy: list[float] = busy) -> None:
            before = time.process_time()
            lake.report(name, **period, **more.get(name, {})).rows()
            busy.append(time.process_time() - before)

        seconds = sorted(measure({name: asked}, rounds)[name])
        p95 = seconds[max(0, round(0.95 * len(seconds)) - 1)]
        found[name] = {"p95": p95, "best": seconds[0], "busy": min(busy), "from": answer.served_from}
    return found


def child(what: str, data: Path, rounds: int) -> dict[str, Any] | None:
    command = [sys.executable, __file__, "--only", what, "--data", str(data), "--rounds", str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"{what}: SKIPPED, it does not run here: {done.stderr.strip().splitlines()[-1]}")
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def show(data: Path, rounds: int) -> None:
    with penstock.open(data) as lake:
        [(events,)] = lake.sql("select count(*) from events").fetchall()
        files = len(lake.pipeline.lake.silver.events.sizes())
    print(f"{events:,} events in {files} Parquet files, {os.cpu_count()} cores; medians of {rounds} in seconds")
    found = {name: said for name in CONTENDERS if (said := child(name, data, rounds))}
    print(f"{'':24}" + "".join(f"{name:>14}" for name in found))
    for question in BARE:
        medians = [statistics.median(said["seconds"][question]) for said in found.values()]
        print(f"{question:24}" + "".join(f"{seconds:>14.3f}" for seconds in medians))
    print(f"{'peak MB':24}" + "".join(f"{said['peak_mb']:>14,.0f}" for said in found.values()))
    each = child("reports", data, rounds)
    for name, said in (each or {}).items():
        if "error" in said:
            print(f"{name:24}{said['error']}")
            continue
        p95, best, busy = (1000 * said[which] for which in ("p95", "best", "busy"))
        print(f"{name:24}{p95:8.0f} ms p95 {best:8.0f} ms best {busy:8.0f} ms of processors, from {said['from']}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=30_000_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--data", type=Path, help="a data folder that holds such events, from 2026-10-01 on")
    arguments.add_argument("--only", choices=[*CONTENDERS, "reports"], help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.only == "reports":
        print(json.dumps(every_report(options.data.absolute(), options.rounds)))
    elif options.only:
        seconds = measure(CONTENDERS[options.only](options.data.absolute()), options.rounds)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "peak_mb": peak}))
    elif options.data:
        show(options.data.absolute(), options.rounds)
    else:
        with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=Path.cwd()) as folder:
            make(Path(folder) / "data", options.events)
            show(Path(folder) / "data", options.rounds)


if __name__ == "__main__":
    main()
