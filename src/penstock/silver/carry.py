"""What a rebuild of a range leaves as it is → batch 1 of the new generation: files linked, or at its ends rewritten.

Every file says, in its statistics, from which objects its rows come; most hold rows of one side only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from . import snapshot
from .columns import LEDGER_PARTITIONS, Column
from .commit import DataFile, Table
from .engines.duckdb import DuckDB
from .lake import Silver

_BATCH = 1
_IS_OUTSIDE = "not (bronze_file >= '{r.since}' and bronze_file < '{r.until}')"


class Range(Protocol):
    """Objects with `since` <= key < `until` are not carried over."""

    @property
    def since(self) -> str: ...
    @property
    def until(self) -> str: ...


def carry(old: Silver, new: Silver, left_out: Range) -> None:
    """Does nothing if it was done."""
    if new.events.batch() >= _BATCH:
        return
    old.events.check()
    views = old.views()
    outside = _IS_OUTSIDE.format(r=left_out)
    engine = DuckDB()
    try:
        with TemporaryDirectory(prefix="penstock-") as temporary:
            stage = Path(temporary)
            others: list[tuple[Table, str, tuple[Column, ...]]] = [
                (new.quarantine, "quarantine", ()),
                (new.ledger, "ledger", LEDGER_PARTITIONS),
            ]
            for table, name, partitions in others:
                sql = f"select * replace ({_BATCH}::bigint as batch) from ({views[name]}) where {outside}"
                files = engine.write(sql, table.folder(stage), table.columns, partitions)
                table.make_durable(files, stage)
                table.commit(_BATCH, files)
            files = [
                *_linked(old.events, new.events, left_out),
                *_rewritten(old.events, new.events, left_out, engine, stage),
            ]
            new.events.make_durable(files, stage)
            new.events.commit(_BATCH, files)
    finally:
        engine.close()


def _linked(old: Table, new: Table, left_out: Range) -> list[DataFile]:
    """Files with no row of the range, which both generations then share."""
    found = [file for file in old.files() if _outside(file, left_out)]
    for file in found:
        new.link(old, file.path)
    return found


def _rewritten(old: Table, new: Table, left_out: Range, engine: DuckDB, stage: Path) -> Iterator[DataFile]:
    """Files with rows of the range and of others → new ones with the others."""
    for file in old.files():
        if not _outside(file, left_out) and not _inside(file, left_out):
            sql = snapshot.rows_sql(old, new.columns, only=[file.path])
            kept = f"select * from ({sql}) where {_IS_OUTSIDE.format(r=left_out)}"
            yield from engine.write_partition(kept, new.folder(stage), new.columns, file.partition)


def _outside(file: DataFile, left_out: Range) -> bool:
    low, high = _bounds(file)
    return low is not None and (high < left_out.since or low >= left_out.until)


def _inside(file: DataFile, left_out: Range) -> bool:
    low, high = _bounds(file)
    return low is not None and left_out.since <= low and high < left_out.until


def _bounds(file: DataFile) -> tuple[str | None, str]:
    """The first and the last object that rows of this file are from; None if its writer did not say."""
    return file.stats["minValues"].get("bronze_file"), file.stats["maxValues"].get("bronze_file", "")
