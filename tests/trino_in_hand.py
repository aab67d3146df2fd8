"""A real Trino on this machine, whose SQL is Athena's: from Maven Central, with tables in memory.

It is fetched once, by Maven, into a folder of the user's cache. Without Maven and a Java of 24 or newer its tests are
skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from maven_in_hand import copy, fetched
from penstock.hosts.supervisor import free_port

VERSION = "476"
_JAVA = 24
_PARTS = (f"io.trino:trino-server-core:{VERSION}:tar.gz", f"io.trino:trino-memory:{VERSION}:zip")
_START_SECONDS = 120
_TYPES = {
    "VARCHAR": "varchar", "TIMESTAMPTZ": "timestamp(6) with time zone", "INTEGER": "integer", "BIGINT": "bigint",
    "DOUBLE": "double", "DATE": "date", "BOOLEAN": "boolean", "DECIMAL(18,2)": "decimal(18,2)",
}  # fmt: skip
_AS_TEXT = ("TIMESTAMPTZ", "DATE", "DECIMAL(18,2)")


class Refused(Exception):
    """Trino's own words."""


def java() -> str:
    """One that is new enough. Skips, loudly, where there is none."""
    homes = [os.environ.get("JAVA_HOME"), *sorted(map(str, Path("/usr/lib/jvm").glob("*")), reverse=True)]
    for found in [shutil.which("java"), *(f"{home}/bin/java" for home in homes if home)]:
        if found and Path(found).exists() and _version(found) >= _JAVA:
            return found
    pytest.skip(f"no Java {_JAVA} here, so Athena's SQL was not tested: install a JDK {_JAVA} or newer")


def _version(program: str) -> int:
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


def home() -> Path:
    """The folder that holds it. Skips, loudly, where it cannot be had."""
    return fetched(f"trino-{VERSION}", [*map(copy, _PARTS)], "Athena's SQL", unpack=_unpack)


def _unpack(folder: Path) -> None:
    with tarfile.open(next(folder.glob("*.tar.gz"))) as packed:
        packed.extractall(folder, filter="data")
    with zipfile.ZipFile(next(folder.glob("trino-memory-*.zip"))) as packed_plugin:
        packed_plugin.extractall(folder / "plugin")
    for spent in [*folder.glob("*.tar.gz"), *folder.glob("*.zip")]:
        spent.unlink()


class Trino:
    """One node, with the catalog `memory`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program, self._home = java(), home()
        self.url = f"http://127.0.0.1:{free_port()}"
        told = {
            "coordinator": "true",
            "node-scheduler.include-coordinator": "true",
            "http-server.http.port": self.url.rsplit(":", 1)[1],
            "discovery.uri": self.url,
            "node.environment": "test",
            "node.internal-address": "127.0.0.1",
            "node.bind-ip": "127.0.0.1",
            "query.max-length": 100_000_000,
            "catalog.config-dir": folder / "catalog",
            "plugin.dir": self._home / "plugin",
        }
        (folder / "catalog").mkdir(parents=True)
        (folder / "catalog" / "memory.properties").write_text("connector.name=memory\n")
        (folder / "config.properties").write_text("".join(f"{name}={value}\n" for name, value in told.items()))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        [core] = self._home.glob("trino-server-core-*")
        options = ["-Xmx2G", "-XX:TieredStopAtLevel=1", "-Djdk.attach.allowAttachSelf=true"]
        asked = [*options, "-Dconfig=config.properties", "-cp", f"{core}/lib/*", "io.trino.server.TrinoServer"]
        with (self._folder / "server.txt").open("wb") as out:
            self._process = subprocess.Popen([self._program, *asked], cwd=self._folder, stdout=out, stderr=out)
        until = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "server.txt").read_text()[-2000:]
            assert time.monotonic() < until, "Trino does not start"
            time.sleep(0.3)

    def _answers(self) -> bool:
        try:
            return bool(self.query("select 1")[1])
        except (OSError, Refused, json.JSONDecodeError):
            return False

    def query(self, sql: str) -> tuple[list[dict[str, Any]], list[list[Any]]]:
        """Columns and rows, as Trino's own protocol has them. Raises Refused."""
        headers = {
            "X-Trino-User": "test",
            "X-Trino-Catalog": "memory",
            "X-Trino-Schema": "penstock",
            "X-Trino-Time-Zone": "UTC",
            "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",
        }
        answer = _answer(urllib.request.Request(f"{self.url}/v1/statement", sql.encode(), headers))
        columns, rows = answer.get("columns"), []
        while "nextUri" in answer:
            answer = _answer(urllib.request.Request(answer["nextUri"], headers=headers))
            columns = answer.get("columns", columns)
            rows += answer.get("data", [])
        if "error" in answer:
            raise Refused(answer["error"]["message"])
        return columns or [], rows

    def load(self, name: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        """A table of these rows; `columns`: name → DuckDB's type."""
        defined = ", ".join(f'"{column}" {_TYPES[kind]}' for column, kind in columns.items())
        self.query(f"create table {name} ({defined})")
        sent = ", ".join(
            f'"{column}" {"varchar" if kind in _AS_TEXT else _TYPES[kind]}' for column, kind in columns.items()
        )
        read = ", ".join(f'cast("{column}" as {_TYPES[kind]})' for column, kind in columns.items())
        names = ", ".join(f'"{column}"' for column in columns)
        for start in range(0, len(rows), 1000):
            some = [[_plain(row[column]) for column in columns] for row in rows[start : start + 1000]]
            text = json.dumps(some).replace("'", "''")
            self.query(
                f"insert into {name} select {read}"
                f" from unnest(cast(json_parse('{text}') as array(row({sent})))) as sent({names})"
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)


@pytest.fixture(scope="session")
def trino(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trino]:
    made = Trino(tmp_path_factory.mktemp("trino"))
    try:
        made.start()
        made.query("create schema if not exists penstock")
        yield made
    finally:
        made.kill()


def _answer(request: urllib.request.Request) -> dict[str, Any]:
    with urllib.request.urlopen(request, timeout=120) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    return str(value) if isinstance(value, date | Decimal) else value
