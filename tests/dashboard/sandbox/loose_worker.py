"""A query with nothing between it and the machine but Landlock: DuckDB as it comes, no filter of calls, no limits.

Arguments: the folders that it may read. The query is read from standard input.
"""

from __future__ import annotations

import sys

import duckdb

from penstock.dashboard.sandbox import landlock
from penstock.dashboard.sandbox.confine import MACHINE


def main() -> None:
    landlock.restrict([*sys.argv[1:], *MACHINE])
    db = duckdb.connect(config={"threads": 1, "memory_limit": "512MB"})
    db.execute("create table events as select 1 as a, 'x' as event_type")
    try:
        for statement in db.extract_statements(sys.stdin.read()):
            rows = db.execute(statement).fetchmany(1000)
            sys.stdout.write(f"rows {rows}\n")
    except Exception as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")


if __name__ == "__main__":
    main()
