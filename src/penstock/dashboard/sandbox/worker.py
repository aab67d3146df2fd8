"""The process of one query: confined first, then a fresh DuckDB in memory, one answer in batches, and the end.

Started by `process.py` and spoken to in frames, over standard input and output. Nothing in it is trusted afterwards.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa

from . import frames
from .confine import confine, limit_cpu

CONFIG: dict[str, Any] = {
    "threads": 1,
    "memory_limit": "512MB",
    "temp_directory": "",
    "python_enable_replacements": False,
    "python_scan_all_frames": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
}
_LOCKED: dict[str, Any] = {
    **{name: value for name, value in CONFIG.items() if value is False},
    "enable_external_access": False,
    "lock_configuration": True,
    "allowed_directories": [],
    "temp_directory": "",
}
_BATCH_ROWS = 8192
_BATCH_BYTES = 8 << 20
_MOST_COLUMNS = 1000
_EXPLAIN = "explain "
_FOLDERS = re.compile(r"/[^\"\n]*/(?=(silver|gold)/)")


def main() -> None:
    inbox, outbox = sys.stdin.buffer, _stdout_alone()
    _, payload = frames.read(inbox)
    place = json.loads(payload)
    try:
        _import_the_rest()
        confine(place["readable"], strict=place["strict"])
    except Exception as error:
        outbox.write(frames.told(frames.ERROR, str(error)))
        outbox.flush()
        os._exit(1)
    outbox.write(frames.packed(frames.READY, b""))
    outbox.flush()
    with contextlib.suppress(EOFError, BrokenPipeError):
        answer(inbox, outbox)
    # Without the ways of a usual end, which would wait for threads.
    os._exit(0)


def _stdout_alone() -> BinaryIO:
    """The way out, for frames only: what a library prints goes nowhere."""
    found = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return found


def _import_the_rest() -> None:
    """What is imported late, for nothing can be afterwards."""
    with duckdb.connect(config=CONFIG) as db:
        db.execute("set timezone = 'UTC'")
        db.sql("select now() as t, 1::decimal(3, 1) as d").to_arrow_reader(1).read_all()


def answer(inbox: BinaryIO, outbox: BinaryIO) -> None:
    loaded: dict[str, list[pa.RecordBatch]] = {}
    while (frame := frames.read(inbox))[0] == frames.TABLE:
        name, _, payload = frame[1].partition(b"\n")
        loaded.setdefault(name.decode(), []).append(frames.batch(payload))
    job = json.loads(frame[1])
    limit_cpu(job["total_seconds"])
    db = None
    try:
        db = opened(job, loaded)
        for piece in rows(db, job):
            outbox.write(piece)
            outbox.flush()
    except BrokenPipeError:
        raise
    except Exception as error:  # whatever it is, it is the query's
        outbox.write(frames.told(frames.ERROR, explained(db, job["sql"], error)))
        outbox.flush()


def opened(job: dict[str, Any], loaded: dict[str, list[pa.RecordBatch]]) -> duckdb.DuckDBPyConnection:
    """The tables of one moment, and then the doors shut."""
    db = duckdb.connect(config=CONFIG)
    db.execute("set timezone = 'UTC'")
    db.execute("set enable_progress_bar = false")
    db.execute("create schema silver; create schema gold")
    for schema, name, sql in job["views"]:
        db.execute(f"create view {schema}.{name} as {sql}")
        db.execute(f"create view {name} as from {schema}.{name}")
    for name, batches in loaded.items():
        db.register("loading", pa.Table.from_batches(batches))
        db.execute(f"create table gold.{name} as from loading")
        db.execute(f"create view {name} as from gold.{name}")
        db.unregister("loading")
    lock(db, job["paths"], job["total_seconds"])
    return db


def lock(db: duckdb.DuckDBPyConnection, paths: list[str], seconds: float) -> None:
    """Nothing but these files can be read from now on, and no setting changed; read back, so that we know."""
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    db.execute(f"set allowed_paths = [{listed}]")
    db.execute("set errors_as_json = true")
    db.execute(f"set max_execution_time = {int(seconds * 1000)}")
    db.execute("set enable_external_access = false")
    db.execute("set lock_configuration = true")
    for name, value in _LOCKED.items():
        [(found,)] = db.execute(f"select current_setting('{name}')").fetchall()
        if found != value:
            raise RuntimeError(f"the setting {name} is {found!r}, and should be {value!r}")


def rows(db: duckdb.DuckDBPyConnection, job: dict[str, Any]) -> Iterator[bytes]:
    """Frames of the answer; up to so many rows and bytes, if the job bounds them."""
    began = time.monotonic()
    timer = _interrupt_after(db, job["seconds"])
    relation = db.sql(job["sql"])
    if relation is None:
        raise ValueError("this gives no rows")
    if len(relation.columns) > _MOST_COLUMNS:
        raise OverflowError(f"the answer has {len(relation.columns)} columns; {_MOST_COLUMNS} are shown at most")
    types = [str(kind)[:1000] for kind in relation.types]
    yield frames.told(frames.COLUMNS, {"names": relation.columns, "types": types})
    reader = relation.to_arrow_reader(_BATCH_ROWS)
    first = next(reader, None)
    timer.cancel()
    timer = _interrupt_after(db, job["total_seconds"] - (time.monotonic() - began))
    yield frames.packed(frames.ROWS, frames.stored(frames.empty(reader.schema)))
    bound = Bound(job["rows"], job["bytes"])
    for batch in chain([first] if first is not None else [], reader):
        for part in split(batch):
            if (kept := bound.take(part)).num_rows:
                yield frames.packed(frames.ROWS, frames.stored(kept))
        if bound.is_reached:
            break
    timer.cancel()
    told = {"truncated": bound.is_reached, "milliseconds": round(1000 * (time.monotonic() - began))}
    yield frames.told(frames.DONE, told)


class Bound:
    """So many rows and bytes, no more; None is endless. It is reached when something was left out."""

    def __init__(self, rows: int | None, size: int | None) -> None:
        self._rows = rows
        self._bytes = size
        self.is_reached = False

    def take(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The first rows of it that still fit."""
        kept = batch.slice(0, 0) if self.is_reached else batch.slice(0, self._rows)
        if self._bytes is not None:
            counts = range(1, kept.num_rows + 1)
            kept = kept.slice(0, bisect_right(counts, self._bytes, key=lambda count: kept.slice(0, count).nbytes))
        self.is_reached = kept.num_rows < batch.num_rows
        if self._rows is not None:
            self._rows -= kept.num_rows
        if self._bytes is not None:
            self._bytes -= kept.nbytes
        return kept


def _interrupt_after(db: duckdb.DuckDBPyConnection, seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, db.interrupt)
    timer.daemon = True
    timer.start()
    return timer


def split(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """In parts of a bearable size, or of one row."""
    if batch.nbytes <= _BATCH_BYTES or batch.num_rows <= 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from split(batch.slice(0, half))
    yield from split(batch.slice(half))


def explained(db: duckdb.DuckDBPyConnection | None, sql: str, error: Exception) -> dict[str, Any]:
    """What went wrong, in words, and at which byte of the text, if DuckDB says so."""
    found = _told(error)
    unplaced = found["position"] is None and isinstance(error, duckdb.BinderException | duckdb.CatalogException)
    if unplaced and db is not None:
        # A relation's error does not say where; the same query, only explained, does.
        try:
            db.execute(_EXPLAIN + sql)
        except duckdb.Error as again:
            found = _told(again, len(_EXPLAIN))
    return found


def _told(error: Exception, before: int = 0) -> dict[str, Any]:
    kind, text = type(error).__name__, str(error)
    _, _, detail = text.partition(": ")
    try:
        known = json.loads(detail)
        text, position = known["exception_message"], known.get("position")
    except (ValueError, KeyError, TypeError):
        position = None
    text = _FOLDERS.sub("", text)  # where the lake lies is nothing for its readers
    return {"kind": kind, "message": text[:2000], "position": None if position is None else int(position) - before}
