"""What was seen of a place where others write: its folders and files, so that a look finds what is new, at little cost.

A SQLite file that may be lost: then everything is looked at again, and what bronze has is known by its content.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..objects import make_folder

_TABLES = """
    create table if not exists places (place text primary key, full_at real not null, known integer not null);
    create table if not exists folders (
        id integer primary key, place text not null, path blob not null, changed integer not null,
        inner integer not null, series blob, unique (place, path));
    create index if not exists by_change on folders (place, changed);
    create index if not exists with_folders on folders (place) where inner;
    create index if not exists by_series on folders (place, series, path);
    create table if not exists files (
        folder integer not null references folders (id) on delete cascade, name blob not null, stamp text not null,
        primary key (folder, name)) without rowid;
"""
_RECENT = 1000
_SERIES_TAIL = 100
OPEN = 0
"""`changed` of a folder that is to be looked at again, whether it says that it changed or not."""

Names = dict[str, str]
"""File name → stamp, which changes when the content may have changed."""


class Folder(NamedTuple):
    """A folder as it was seen; `inner` if it has folders in it."""

    path: str
    changed: int = OPEN
    inner: bool = False
    series: str | None = None


class Seen:
    """All that was seen of one place. Names are kept as bytes: on a disk they need not be text."""

    def __init__(self, path: Path, place: str) -> None:
        make_folder(path.parent)
        self._place = place
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")  # a power cut may undo the last looks, which are then repeated
        self._db.execute("pragma foreign_keys = on")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    # ask

    def last_full(self) -> tuple[float, int]:
        """When everything was looked at for the last time, seconds since 1970, and how many files there were then."""
        row = self._db.execute("select full_at, known from places where place = ?", [self._place]).fetchone()
        return row or (0.0, 0)

    def count(self) -> int:
        """How many files are known."""
        sql = "select count(*) from files where folder in (select id from folders where place = ?)"
        count: int = self._db.execute(sql, [self._place]).fetchone()[0]
        return count

    def restless(self) -> dict[str, int]:
        """Folder → `changed`, of those where something new is likely: with folders in them, or changed lately."""
        rows = self._db.execute(
            f"""
            select path, changed from folders where place = ?1 and inner
            union select path, changed from folders where place = ?1 and changed = {OPEN}
            union select * from (
                select path, changed from folders where place = ?1 order by changed desc limit {_RECENT})
            """,
            [self._place],
        )
        return {os.fsdecode(path): changed for path, changed in rows}

    def folders(self) -> dict[str, int]:
        """Folder → `changed`, of all."""
        rows = self._db.execute("select path, changed from folders where place = ?", [self._place])
        return {os.fsdecode(path): changed for path, changed in rows}

    def has(self, folder: str) -> bool:
        sql = "select 1 from folders where place = ? and path = ?"
        return self._db.execute(sql, [self._place, os.fsencode(folder)]).fetchone() is not None

    def tails(self) -> list[tuple[str, str]]:
        """(series, the folder from which on something new is likely), for each series of folders that sort by time."""
        sql = "select distinct series from folders where place = ? and series is not null"
        found = self._db.execute(sql, [self._place]).fetchall()
        return [(os.fsdecode(series), os.fsdecode(self._tail(series))) for (series,) in found]

    def _tail(self, series: bytes) -> bytes:
        sql = f"""
            select min(path) from (
                select path from folders where place = ? and series = ? order by path desc limit {_SERIES_TAIL})
        """
        path: bytes = self._db.execute(sql, [self._place, series]).fetchone()[0]
        return path

    def names(self, folder: str) -> Names:
        """The files of one folder."""
        sql = "select name, stamp from files where folder = (select id from folders where place = ? and path = ?)"
        rows = self._db.execute(sql, [self._place, os.fsencode(folder)])
        return {os.fsdecode(name): stamp for name, stamp in rows}

    # write down

    def record(
        self, folder: Folder, files: Iterable[tuple[str, str]], gone: Iterable[str] = (), folders: Iterable[str] = ()
    ) -> None:
        """This folder as it is now; of its files, those that are done with, and those that are no longer there.

        The `folders` in it that were never looked at are written down as open, so that none is forgotten.
        """
        series = None if folder.series is None else os.fsencode(folder.series)
        with self._transaction():
            (id_,) = self._db.execute(
                """
                insert into folders (place, path, changed, inner, series) values (?, ?, ?, ?, ?)
                on conflict do update set changed = excluded.changed, inner = excluded.inner, series = excluded.series
                returning id
                """,
                [self._place, os.fsencode(folder.path), folder.changed, folder.inner, series],
            ).fetchone()
            self._db.executemany(
                "insert or replace into files values (?, ?, ?)", ((id_, os.fsencode(name), s) for name, s in files)
            )
            self._db.executemany(
                "delete from files where folder = ? and name = ?", ((id_, os.fsencode(name)) for name in gone)
            )
            self._db.executemany(
                f"insert or ignore into folders (place, path, changed, inner) values (?, ?, {OPEN}, false)",
                ((self._place, os.fsencode(path)) for path in folders),
            )

    def forget(self, folder: str) -> None:
        """The folder is gone."""
        self._db.execute("delete from folders where place = ? and path = ?", [self._place, os.fsencode(folder)])

    def fully_seen(self, now: float) -> None:
        self._db.execute("insert or replace into places values (?, ?, ?)", [self._place, now, self.count()])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")
