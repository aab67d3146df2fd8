"""The SQL playground's engine: anybody's text → rows, and nothing else. `playground.py` is its face.

    1 gate.py       text → one SELECT over our tables only, or a refusal                      in the dashboard's process
    2 process.py    a process of its own for each query, killed when its time is over          "
    3 confine.py    what that process may do at all: landlock.py (files), seccomp.py (calls), limits   in the child
    4 worker.py     a fresh DuckDB in memory over the files of one snapshot, locked             "
    5 playground.py who may ask when, what comes back; formats.py downloads            in the dashboard's process

Each layer holds by itself; tests/dashboard/sandbox/ attacks them together and one by one.
"""
