"""A lake to take out, of three days and with hostile text; and a PostgreSQL server of our own, ended with the tests."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

import penstock
from penstock.api import OpenLake
from penstock.bronze.load import load
from penstock.pipeline import Pipeline

INSTALL = "Debian and Ubuntu: apt install postgresql"
EVENTS: tuple[Any, ...] = (
    {
        "event_type": "purchase",
        "event_id": "e1",
        "session_id": "s1",
        "price": 29.99,
        "event_ts": "2026-02-01T12:00:00Z",
    },
    {"event_type": "page_view", "event_id": "e2", "session_id": "s1", "event_ts": "2026-02-01T23:59:59Z"},
    {"event_type": "page_view", "event_id": "e3", "page_path": "=1+1", "event_ts": "2026-02-02T00:00:00Z"},
    {"event_type": "page_view", "event_id": "e4", "page_title": "a\u0000b\t\\N", "event_ts": "2026-02-03T10:00:00Z"},
    "not JSON",
)
LATE: Any = {"event_type": "page_view", "event_id": "e5", "session_id": "s2", "event_ts": "2026-02-02T09:00:00Z"}


class Shop:
    """A lake with EVENTS in all its stages, and the words to add more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.lake: OpenLake = penstock.open(self.data)
        self.add(*EVENTS)

    @property
    def way(self) -> Pipeline:
        return self.lake.pipeline

    def add(self, *events: Any) -> None:
        lines = (event if isinstance(event, str) else json.dumps(event) for event in events)
        path = self.folder / "events.jsonl"
        path.write_text("".join(line + "\n" for line in lines))
        load(self.way.lake.bronze.objects, path, self.way.clock())
        self.way.drain()

    def count(self, table: str) -> int:
        [(found,)] = self.lake.sql(f"select count(*) from {table}").fetchall()
        return int(found)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.lake.close()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """URL of a database on a socket in a temporary folder. PostgreSQL does not run as root, so then another does."""
    programs = _programs()
    user = _user()
    folder = Path(mkdtemp(prefix="pg-"))
    data = folder / "data"
    try:
        if user is not None:
            shutil.chown(folder, user)
        _run(user, programs / "initdb", "-D", data, "-U", "penstock", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        _run(user, programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql://penstock@/postgres?host={folder}"
        finally:
            _run(user, programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    found = shutil.which("initdb") or max(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), default=None)
    if found is None:
        pytest.skip(f"no PostgreSQL server here. {INSTALL}")
    return Path(found).resolve().parent


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _run(user: str | None, *command: Any) -> None:
    done = subprocess.run(
        list(map(str, command)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        user=user,
        cwd="/",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
