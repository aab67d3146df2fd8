"""A lake in hand: the shortest words to put events in and to get rows out, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from penstock.bronze.deliver import announce, compress
from penstock.bronze.layout import batch_key
from penstock.collect import Request
from penstock.collect.app import Collector
from penstock.silver.lake import Lake
from penstock.silver.refine import Refined, refine

NOW = datetime(2026, 11, 20, 12, 30, 15, tzinfo=UTC)

Rows = list[dict[str, Any]]


class LakeInHand:
    """A lake, and the shortest words to fill and to ask it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lake = Lake(folder.as_uri())
        self._offset = 0

    def put(self, lines: Sequence[bytes | str | dict[str, Any]], at: datetime = NOW, name: str | None = None) -> str:
        """Lines as an object of bronze; returns its key."""
        data = b"".join(_line(line) + b"\n" for line in lines)
        key = batch_key("test", self._offset, self._offset + len(lines) - 1, at)
        if name is not None:
            key = key.rsplit("/", 1)[0] + "/" + name
        else:
            self._offset += len(lines)
        return self.put_bytes(key, compress(data))

    def put_bytes(self, key: str, data: bytes) -> str:
        announce(self.lake.bronze, key, len(data))
        self.lake.bronze.put(key, data)
        return key

    def post(self, body: Any, at: datetime = NOW, **headers: str) -> list[bytes]:
        """What the collector would write for this body."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        path, query = headers.pop("path", "/v1/events"), headers.pop("query", "")
        request = Request("POST", path, query, {k.replace("_", "-"): v for k, v in headers.items()}, raw)
        intake = Collector(clock=lambda: at).receive(request)
        assert intake.reply.status == 200, intake.reply
        return [record.data for record in intake.records]

    def refine(self) -> Refined:
        done = refine(self.lake)
        assert done is not None
        return done

    def sql(self, query: str) -> Rows:
        with duckdb.connect() as db:
            db.execute("set timezone = 'UTC'")
            for name, view in self.lake.silver.views().items():
                db.execute(f"create view {name} as {view}")
            answer = db.execute(query)
            names = [column[0] for column in answer.description or ()]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def rows_of(self, *events: Any, at: datetime = NOW, **headers: str) -> Rows:
        """Post, refine, and read back from silver in the order sent."""
        self.put(self.post(list(events), at, **headers), at)
        self.refine()
        return self.sql("select * from events order by bronze_file, bronze_line")


def _line(line: bytes | str | dict[str, Any]) -> bytes:
    if isinstance(line, dict):
        return json.dumps(line).encode()
    return line if isinstance(line, bytes) else line.encode()
