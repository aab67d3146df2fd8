"""A job in a process of its own that ends, without a word, at its n-th step that leaves a trace on disk."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from penstock.objects import Objects
from penstock.pipeline import Pipeline
from penstock.settings import Settings
from penstock.silver import bookmark, rebuild
from penstock.silver.commit import Table
from penstock.silver.compact import compact
from penstock.stream.sqlite import SqliteStream
from support import NOW

ENDED = 77
STEPS = (
    (SqliteStream, "commit"),
    (Objects, "put"),
    (Objects, "put_file"),
    (Objects, "delete"),
    (Objects, "delete_all"),
    (Objects, "delete_folder"),
    (Table, "make_durable"),
    (Table, "link"),
    (Table, "_write"),
    (Table, "_sync_commit"),
    (bookmark, "forget"),
)


def opened(folder: Path) -> Pipeline:
    return Pipeline(Settings(data=folder), clock=lambda: NOW + timedelta(days=1))


def _compact(way: Pipeline) -> None:
    for table, order_by in way.lake.silver.tables:
        compact(table, order_by, many=2)


def _rebuild(way: Pipeline) -> None:
    way.rebuild(NOW + timedelta(hours=1), NOW + timedelta(hours=2))
    rebuild.forget(way.lake)


JOBS: dict[str, Callable[[Pipeline], Any]] = {
    "deliver": Pipeline.deliver,
    "refine": Pipeline.refine,
    "compact": _compact,
    "rebuild": _rebuild,
}

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["failpoints"])


def run(job: str, folder: Path, end_at: int, environment: Mapping[str, str] = {}) -> bool:
    """Whether it was still running at step `end_at`, and so was ended there. Raises AssertionError if it failed."""
    process = _forks.Process(target=_child, args=(job, folder, end_at, dict(environment)))
    process.start()
    process.join(120)
    code = process.exitcode
    process.kill()
    process.close()
    assert code in (0, ENDED), f"{job} ended with {code}"
    return code == ENDED


def _child(job: str, folder: Path, end_at: int, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    left = end_at

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os._exit(ENDED)

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            step()
            done = original(*args, **options)
            step()
            return done

        return call

    for owner, name in STEPS:
        setattr(owner, name, counted(getattr(owner, name)))
    with closing(opened(folder)) as way:
        JOBS[job](way)
