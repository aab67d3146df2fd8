"""Athena's API on loopback, for boto3, before whoever runs the SQL: a real Trino, or a function.

The statements of Hive's that Athena takes besides (create database, create external table) are noted, not run.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

Rows = tuple[list[dict[str, Any]], list[list[Any]]]
"""Columns and rows, as Trino's protocol has them."""
_ROWS_IN_A_PAGE = 7
"""Athena's has 1,000; the answers of tests are short."""
_HIVE = re.compile(r"create (database|external table)", re.IGNORECASE)


class AthenaInHand:
    """`scanned` is what it says of each query that it has read, in bytes."""

    def __init__(self, run: Callable[[str], Rows], scanned: int = 0) -> None:
        self._run = run
        self.scanned = scanned
        self.workgroups: dict[str, dict[str, Any]] = {}
        self.asked: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.never_done = False
        self._done: list[tuple[str, Rows]] = []

    def answer(self, operation: str, told: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = getattr(self, f"_{operation}")(told)
        return found

    def _GetWorkGroup(self, told: dict[str, Any]) -> dict[str, Any]:
        if told["WorkGroup"] not in self.workgroups:
            raise LookupError(f"WorkGroup {told['WorkGroup']} is not found.")
        return {"WorkGroup": {"Name": told["WorkGroup"], "Configuration": self.workgroups[told["WorkGroup"]]}}

    def _CreateWorkGroup(self, told: dict[str, Any]) -> dict[str, Any]:
        self.workgroups[told["Name"]] = told["Configuration"]
        return {}

    def _StartQueryExecution(self, told: dict[str, Any]) -> dict[str, Any]:
        if told["WorkGroup"] not in self.workgroups:
            raise LookupError(f"WorkGroup {told['WorkGroup']} is not found.")
        self.asked.append(told)
        try:
            self._done.append(("", ([], []) if _HIVE.match(told["QueryString"]) else self._run(told["QueryString"])))
        except Exception as error:  # whatever it is, the client is to be told
            self._done.append((str(error) or repr(error), ([], [])))
        return {"QueryExecutionId": str(len(self._done) - 1)}

    def _GetQueryExecution(self, told: dict[str, Any]) -> dict[str, Any]:
        trouble, _ = self._done[int(told["QueryExecutionId"])]
        status = {"State": "FAILED" if trouble else "SUCCEEDED", **({"StateChangeReason": trouble} if trouble else {})}
        return {
            "QueryExecution": {
                "QueryExecutionId": told["QueryExecutionId"],
                "Status": {"State": "RUNNING"} if self.never_done else status,
                "Statistics": {"DataScannedInBytes": self.scanned},
            }
        }

    def _GetQueryResults(self, told: dict[str, Any]) -> dict[str, Any]:
        _, (columns, rows) = self._done[int(told["QueryExecutionId"])]
        lines = [[column["name"] for column in columns], *([_text(value) for value in row] for row in rows)]
        start = int(told.get("NextToken", 0))
        page = [{"Data": [_cell(value) for value in line]} for line in lines[start : start + _ROWS_IN_A_PAGE]]
        more = {"NextToken": str(start + _ROWS_IN_A_PAGE)} if start + _ROWS_IN_A_PAGE < len(lines) else {}
        kinds = {"ColumnInfo": [_column(column) for column in columns]}
        return {"ResultSet": {"Rows": page, "ResultSetMetadata": kinds}, **more}

    def _StopQueryExecution(self, told: dict[str, Any]) -> dict[str, Any]:
        self.stopped.append(told["QueryExecutionId"])
        return {}


def _text(value: Any) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _cell(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}


def _column(column: dict[str, Any]) -> dict[str, Any]:
    kind = column["typeSignature"]
    found = {"Name": column["name"], "Type": kind["rawType"]}
    if kind["rawType"] == "decimal":
        precision, scale = (argument["value"] for argument in kind["arguments"])
        found |= {"Precision": precision, "Scale": scale}
    return found


@contextmanager
def serving(athena: AthenaInHand, env: pytest.MonkeyPatch) -> Iterator[None]:
    """Told to the SDK as Athena's address; other services stay where they are."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, answer = 200, athena.answer(self.headers["X-Amz-Target"].split(".")[1], told)
            except LookupError as error:
                status, answer = 400, {"__type": "InvalidRequestException", "Message": str(error.args[0])}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        assert urlsplit(url).port
        env.setenv("AWS_ENDPOINT_URL_ATHENA", url)
        for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
            env.setenv(name, value)
        env.setenv("AWS_DEFAULT_REGION", "us-east-1")
        try:
            yield
        finally:
            server.shutdown()
