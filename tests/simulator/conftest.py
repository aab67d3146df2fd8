"""Simulations in hand: written to a folder, taken into a lake, asked."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.clock import iso
from penstock.simulator.plan import Plan
from penstock.simulator.write import write

START_MS = 1_769_979_600_000
"""2026-02-01T21:00Z, so that some hours reach into the next day."""
QUESTIONS = {
    "product_funnel": "",
    "revenue_hourly": "hour",
    "top_products": "",
    "category_performance": "day",
    "users_daily": "day",
}
"""Report → what the truth calls its buckets."""


@dataclass
class Simulated:
    folder: Path
    truth: dict[str, Any]

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.rglob("*.jsonl.gz"))

    def lines(self) -> list[bytes]:
        return [line for file in self.files for line in gzip.decompress(file.read_bytes()).splitlines()]

    def events(self) -> Iterator[dict[str, Any]]:
        """Of clean simulations, what the sender says."""
        for line in self.lines():
            found = json.loads(line)
            yield found.get("event", found)


@pytest.fixture
def simulate(tmp_path: Path) -> Callable[[str, Plan], Simulated]:
    return lambda name, plan: Simulated(tmp_path / name, write(plan, tmp_path / name))


class Asked:
    """The lake in a folder; answers in the words of `truth.json`."""

    def __init__(self, folder: Path, truth: dict[str, Any]) -> None:
        self._range = {name: datetime.fromisoformat(truth[name]) for name in ("since", "until")}
        self.lake = penstock.open(folder)

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        return self.lake.sql(sql, values).fetchall()

    def ask(self, sql: str) -> list[dict[str, Any]]:
        answer = self.lake.sql(sql)
        return [dict(zip(answer.columns, map(_worded, row), strict=True)) for row in answer.fetchall()]

    def report(self, name: str) -> list[dict[str, Any]]:
        """Without the buckets in which nothing happened."""
        rows = self.lake.report(name, **self._range).rows()
        found = ({QUESTIONS[name] if key == "bucket" else key: _worded(row[key]) for key in row} for row in rows)
        kept = (row for row in found if row.get("purchases", row.get("events", 1)) or "views" in row)
        return [{key: value for key, value in row.items() if key != "running"} for row in kept]


def _worded(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return str(value) if isinstance(value, date | Decimal) else value
