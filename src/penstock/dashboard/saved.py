"""What people keep on the dashboard, `dashboard.db`: segments, annotations, funnels, queries, shared pages, tokens.

Everything of one kind is a typed row; all of them are in one table, as JSON. The file is made when something is first
kept; where the data folder cannot be written, what is there can be read.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from ..errors import PenstockError
from ..objects import make_folder

_TABLE = """
    create table if not exists saved (
        id integer primary key autoincrement, kind text not null, key text, body text not null, unique (kind, key))
"""
MOST = 500
"""Rows of one kind."""

Name = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*\Z")
]
Text = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]
Query = Annotated[str, Meta(max_length=8000, pattern=r"^[!-~]*\Z")]
"""The part of a URL after `?`."""
Filter = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class CannotSave(PenstockError):
    """It is not kept, and why; `status` is HTTP's, `code` is stable for programs."""

    def __init__(self, status: int, code: str, detail: str, *, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.status = status
        self.code = code


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`TAKES` are the fields that people fill in, `SECRET` those that nobody is shown."""

    KIND: ClassVar[str]
    TAKES: ClassVar[tuple[str, ...]]
    SECRET: ClassVar[tuple[str, ...]] = ()

    id: int = 0

    @property
    def key(self) -> str | None:
        """What no other row of the kind has."""
        return None

    def check(self) -> None:
        """Raises ValueError for what the types cannot say."""

    def shown(self) -> dict[str, Any]:
        """For people and programs, without what is secret."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in told.items() if name not in self.SECRET}


class Named(Row, frozen=True, kw_only=True):
    name: Name

    @property
    def key(self) -> str | None:
        return self.name


class Segment(Named, frozen=True, kw_only=True):
    """Filters, each as a URL says it: `source=linkedin`, `page~=/guides/*`."""

    KIND, TAKES = "segments", ("name", "filters")

    filters: Annotated[tuple[Filter, ...], Meta(min_length=1, max_length=50)]


class Annotation(Row, frozen=True, kw_only=True):
    """A note at a day (`2026-11-01`) or a moment (`2026-11-01T12:00:00Z`)."""

    KIND, TAKES = "annotations", ("at", "text")

    at: Annotated[str, Meta(max_length=40)]
    text: Text

    def check(self) -> None:
        if len(self.at) == 10:
            date.fromisoformat(self.at)
        elif datetime.fromisoformat(self.at).tzinfo is None:
            raise ValueError("a moment is to say its offset from UTC, for example 2026-11-01T12:00:00Z")


class Funnel(Named, frozen=True, kw_only=True):
    KIND, TAKES = "funnels", ("name", "query")

    query: Query


class SavedQuery(Named, frozen=True, kw_only=True):
    """SQL with a name; `pinned` ones are cards of the overview."""

    KIND, TAKES = "queries", ("name", "description", "sql", "pinned")

    description: Annotated[str, Meta(max_length=1000)] = ""
    sql: Annotated[str, Meta(min_length=1, max_length=20_000, pattern=r"\S")]
    pinned: bool = False


class Share(Row, frozen=True, kw_only=True):
    """A page with its filters and period, for whoever has the link; of the link only its hash is known."""

    KIND, TAKES, SECRET = "shares", ("name",), ("token", "password")

    name: Name
    page: Literal["overview", "events", "funnels", "retention", "experiments"]
    query: Query = ""
    expires: datetime
    token: str
    password: str | None = None

    @property
    def key(self) -> str | None:
        return self.token


class Token(Row, frozen=True, kw_only=True):
    """For programs: `read` asks /api/*.json, `annotate` adds notes. Only its hash is known."""

    KIND, TAKES, SECRET = "tokens", ("name",), ("token",)

    name: Name
    may: Literal["read", "annotate"]
    made: datetime
    token: str

    @property
    def key(self) -> str | None:
        return self.token


KINDS: dict[str, type[Row]] = {kind.KIND: kind for kind in (Segment, Annotation, Funnel, SavedQuery, Share, Token)}
R = TypeVar("R", bound=Row)


class Saved:
    """May be used by several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    # ask

    def all(self, kind: type[R]) -> list[R]:
        """Oldest first."""
        rows = self._ask("select id, body from saved where kind = ? order by id", kind.KIND)
        return [_row(kind, *row) for row in rows]

    def get(self, kind: type[R], id: int) -> R:
        """Raises CannotSave if there is none."""
        rows = self._ask("select id, body from saved where kind = ? and id = ?", kind.KIND, id)
        if not rows:
            raise CannotSave(404, "not_found", f"there is no such entry in {kind.KIND}")
        return _row(kind, *rows[0])

    def by_key(self, kind: type[R], key: str) -> R | None:
        rows = self._ask("select id, body from saved where kind = ? and key = ?", kind.KIND, key)
        return _row(kind, *rows[0]) if rows else None

    # change; each raises CannotSave

    def add(self, kind: type[R], told: Mapping[str, Any]) -> R:
        row = _checked(kind, told)
        with self._changing() as db:
            if db.execute("select count(*) from saved where kind = ?", [kind.KIND]).fetchone()[0] >= MOST:
                raise CannotSave(409, "too_many", f"there are {MOST} {kind.KIND}; delete some first")
            sql = "insert into saved (kind, key, body) values (?, ?, ?) returning id"
            ((id_,),) = db.execute(sql, [kind.KIND, row.key, _body(row)]).fetchall()
        return msgspec.structs.replace(row, id=id_)

    def change(self, kind: type[R], id: int, told: Mapping[str, Any]) -> R:
        """The same entry with other values."""
        with self._changing() as db:
            row = _checked(kind, {**msgspec.to_builtins(self.get(kind, id)), **told})
            db.execute("update saved set key = ?, body = ? where id = ?", [row.key, _body(row), id])
        return row

    def delete(self, kind: type[R], id: int) -> None:
        """It need not be there."""
        with self._changing() as db:
            db.execute("delete from saved where kind = ? and id = ?", [kind.KIND, id])

    # the file

    def _ask(self, sql: str, *given: Any) -> list[Any]:
        with self._lock:
            try:
                return self._read(sql, given)
            except sqlite3.Error as error:
                raise CannotSave(503, "cannot_read", f"{self._path.name} cannot be read: {error}") from error

    def _read(self, sql: str, given: tuple[Any, ...]) -> list[Any]:
        if self._db is None and not self._path.exists():
            return []
        try:
            self._db = self._db or self._open()
        except (OSError, sqlite3.OperationalError):
            # The folder cannot be written: nobody else writes there either, so the file stays as it is.
            with contextlib.closing(sqlite3.connect(f"{self._path.as_uri()}?immutable=1", uri=True)) as db:
                return db.execute(sql, given).fetchall()
        return self._db.execute(sql, given).fetchall()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing."""
        with self._lock:
            try:
                db = self._db = self._db or self._open()
                db.execute("begin immediate")
                try:
                    yield db
                    db.execute("commit")
                except BaseException:
                    db.execute("rollback")
                    raise
            except sqlite3.IntegrityError:
                raise CannotSave(409, "name_taken", "there is one of this name already") from None
            except (OSError, sqlite3.Error) as error:
                raise CannotSave(
                    503, "cannot_write", f"{self._path.name} cannot be written: {error}", hint="look at the data folder"
                ) from error

    def _open(self) -> sqlite3.Connection:
        make_folder(self._path.parent)
        # Hashes of passwords are in it.
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(self._path, isolation_level=None, timeout=10, check_same_thread=False)
        try:
            db.execute("pragma journal_mode = wal")
            db.execute(_TABLE)
        except BaseException:
            db.close()
            raise
        return db


def _checked(kind: type[R], told: Mapping[str, Any]) -> R:
    try:
        row = msgspec.convert({"id": 0, **told}, kind, strict=False)
        row.check()
        _body(row).encode()
    except msgspec.ValidationError as error:
        raise CannotSave(400, "bad_entry", str(error)) from None
    except UnicodeError:
        raise CannotSave(400, "bad_entry", "there are characters in it that are none") from None
    except ValueError as error:
        raise CannotSave(400, "bad_entry", str(error)) from None
    return row


def _body(row: Row) -> str:
    return msgspec.json.encode(row).decode()


def _row(kind: type[R], id: int, body: str) -> R:
    return msgspec.structs.replace(msgspec.json.decode(body, type=kind), id=id)
