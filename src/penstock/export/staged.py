"""Rows → a folder to upload: one Parquet file for each day, and a manifest that says which files count.

    FOLDER/events/manifest.json
    FOLDER/events/day=2026-02-01/events-20260202T030000000000Z.parquet

A day that did not change keeps its file, so no loader takes it twice. One that did gets a file with a new name, by the
time of the export, for loaders skip names that they know; when the manifest names it, the old one is deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from ..errors import PenstockError
from ..objects import make_folder, sweep, sync_folder, write_durably
from .files import PARQUET, copy, put, temporary_in
from .rows import Rows, in_utc

MANIFEST = "manifest.json"
_NAME = "%Y%m%dT%H%M%S%fZ"
_SWEEP_AFTER = timedelta(days=1)


class StagedFile(msgspec.Struct, frozen=True):
    """`path` is relative to the manifest."""

    path: str
    day: date
    rows: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """`columns` is name → DuckDB's type; the files' folders add `day`. `exported_at` is when it was last written."""

    table: str
    exported_at: datetime
    columns: dict[str, str]
    files: list[StagedFile]


class Staged(NamedTuple):
    days: int
    rows: int
    changed: int
    """Of the days, those that have another file than before."""


def stage(rows: Rows, root: Path, now: datetime) -> Staged:
    """Days of the period are replaced, others stay. Raises PenstockError for a period that cuts a day."""
    if rows.time is not None and not rows.is_of_whole_days():
        raise PenstockError("a stage has a file for each day of UTC, and this time cuts one", hint="give whole days")
    folder = root / rows.name
    make_folder(folder)
    sweep(folder, now - _SWEEP_AFTER)
    before = read_manifest(folder)
    there = {(file.day, file.sha256): file for file in before if (folder / file.path).exists()}
    new = [_write(rows, folder, day, now, there) for day in rows.days()]
    kept = [file for file in before if not _is_replaced(rows, file.day)]
    files = sorted([*kept, *new], key=lambda file: file.path)
    manifest = Manifest(rows.name, now, dict(rows.columns), files)
    write_durably(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    _delete_others(folder, {file.path for file in files})
    known = {file.path for file in before}
    return Staged(len(new), sum(file.rows for file in new), sum(file.path not in known for file in new))


def read_manifest(folder: Path) -> list[StagedFile]:
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest).files
    except FileNotFoundError:
        return []


def _is_replaced(rows: Rows, day: date) -> bool:
    if rows.period is None:
        return True
    since, until = (moment.date() for moment in in_utc(rows.period))
    return day == since if rows.time is None else since <= day < until


def _write(
    rows: Rows, folder: Path, day: date, now: datetime, there: Mapping[tuple[date, str], StagedFile]
) -> StagedFile:
    name = f"day={day}"
    make_folder(folder / name)
    temporary = temporary_in(folder / name)
    try:
        count = copy(rows.db, rows.sql(day=day), PARQUET, temporary)
        with temporary.open("rb") as file:
            mark = hashlib.file_digest(file, "sha256").hexdigest()
        if (same := there.get((day, mark))) is not None:
            return same
        path = folder / name / f"{rows.name}-{now.astimezone(UTC):{_NAME}}.parquet"
        size = temporary.stat().st_size
        put(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return StagedFile(path.relative_to(folder).as_posix(), day, count, size, mark)


def _delete_others(folder: Path, wanted: set[str]) -> None:
    for path in folder.glob("day=*/*.parquet"):
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
