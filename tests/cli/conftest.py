"""The command line in hand, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from penstock.cli import app

SHOP = (
    {
        "event_type": "purchase",
        "event_id": "e1",
        "session_id": "s1",
        "price": 29.99,
        "quantity": 2,
        "event_ts": "2026-02-01T12:00:00Z",
    },
    {"event_type": "purchase", "event_id": "e1", "session_id": "s1", "event_ts": "2026-02-01T12:00:00Z"},
    {"event_type": "=1+1", "event_id": "e2", "event_ts": "2026-02-01T13:30:00Z", "page_title": "\x1b[31mred"},
    "not JSON",
)
"""Two events, a duplicate, and a line that is none."""


class Cli:
    """Runs `penstock ...` on the data in `data`; a Python trace fails the test, whatever the exit code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    def __call__(self, *arguments: str, input: str | None = None) -> Result:
        result = CliRunner().invoke(app, arguments, input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def out(self, *arguments: str) -> str:
        """What a command that goes well prints."""
        result = self(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out(*arguments, "--format", "json").splitlines()]

    def file(self, lines: Sequence[Any], name: str = "events.jsonl") -> str:
        path = self.folder / name
        path.write_text("".join(line if isinstance(line, str) else json.dumps(line) for line in _ended(lines)))
        return str(path)


def _ended(lines: Sequence[Any]) -> Iterator[Any]:
    for line in lines:
        yield line
        yield "\n"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    for name in list(os.environ):
        if name.startswith("PENSTOCK_") or name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PENSTOCK_DATA", str(tmp_path / "data"))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield Cli(tmp_path)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def shop(cli: Cli) -> Cli:
    """With SHOP in silver and gold."""
    cli.out("load", cli.file(SHOP))
    cli.out("refine", "--once")
    cli.out("rollup", "--once")
    return cli
