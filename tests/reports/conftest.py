"""Silver in hand: a simulated, dirty shop and site over days on which clocks change, and odd events by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from penstock.reports.run import Answer, ask
from penstock.reports.statement import Statement
from penstock.silver.columns import EVENTS
from penstock.simulator.dirt import Dirt
from penstock.simulator.plan import Kind, Plan
from penstock.simulator.write import write
from spark_in_hand import spark
from support import LakeInHand, Rows

__all__ = ["spark"]

DIRT = Dirt(malformed=0.02, wrong_types=0.05, duplicates=0.05, late=0.05, skew=0.05, drift=0.3)
START = datetime(2026, 3, 27, tzinfo=UTC)
NOW = datetime(2026, 4, 10, 12, 30, tzinfo=UTC)
COLUMNS = {column.name: column.type for column in EVENTS}

SAME = {"event_type": "page_view", "session_id": "same", "event_ts": "2026-03-28T10:00:00Z"}
OHARA = {"session_id": "o'hara", "price": 1234.56}
ODD: list[dict[str, Any]] = [
    # of the same moment: `seq` decides, then the id
    {**SAME, "event_id": "b", "page_path": "/b"},
    {**SAME, "event_id": "a", "page_path": "/a"},
    {**SAME, "event_id": "c", "page_path": "/c", "seq": 2},
    # over midnight in every zone, and longer than a day
    *(
        {
            "event_type": "page_view", "event_id": f"long{n}", "session_id": "long", "page_path": f"/{n}",
            "event_ts": f"2026-03-{27 + n // 3}T{n % 3 * 8:02}:15:00Z", "first_day": "2026-03-27",
        }
        for n in range(9)
    ),
    # nobody's, hostile, and what the simulation lacks
    {
        "event_type": "download", "event_id": "none", "event_ts": "2026-03-28T01:30:00Z",
        "properties": {"file": "/it's \"a\" file.pdf"},
    },
    {
        **OHARA, "event_type": "purchase", "event_id": "buy", "event_ts": "2026-03-29T00:59:59.999Z", "quantity": 2,
        "category": "'; drop table events; --", "product_id": "ünï $code", "user_id": "u",
    },
    {
        **OHARA, "event_type": "order_completed", "event_id": "buy2", "event_ts": "2026-03-29T01:00:00Z",
        "anonymous_id": "a1", "properties": {"plan": "pro", "deep": {"a b": "x"}},
    },
    *(
        {
            "event_type": "experiment_view", "event_id": f"shown{n}", "user_id": f"u{n}", "session_id": f"shown{n}",
            "event_ts": f"2026-03-28T12:00:0{n}.123456Z", "variants": {"price tag": "a\"b", "hero": "AB"[n % 2]},
            "properties": {"experiment": "headline", "variant": "AB"[n % 2]},
        }
        for n in range(4)
    ),
    {"event_type": "cta_click", "event_id": "reached", "user_id": "u1", "event_ts": "2026-03-28T12:00:01.123457Z"},
    {
        "event_type": "odd", "event_id": "texts", "session_id": "odd", "event_ts": "2026-03-28T13:00:00Z",
        "properties": {
            "a/b": 1.50, "t~x": True, 'q"uote': None, "list": [1, 2.0, "x", None], "ü": "ü\n\"q\"", "": "empty",
            "dot.ted": 1e5, "deep": {"a": {"b": [1]}, "z": 1}, "large": 12345678901234567890, "$": "dollar", "it's": 1,
        },
    },
]  # fmt: skip


class Silver:
    """The rows, and reports on them; of nothing else but the SQL that the core of reports makes."""

    def __init__(self, hand: LakeInHand) -> None:
        self.folder = hand.folder
        self.events = hand.lake.silver.events
        self._db = duckdb.connect()
        self._db.execute("set timezone = 'UTC'; create schema silver; create schema gold")
        self._db.execute(f"create table silver.events as {hand.lake.silver.views()['events']}")
        names = [row[0] for row in self._db.execute("describe silver.events").fetchall()]
        self.rows: Rows = [
            dict(zip(names, row, strict=True)) for row in self._db.execute("from silver.events").fetchall()
        ]

    def run(self, told: Statement) -> pa.Table:
        return self.sql(told.sql, told.values)

    def sql(self, sql: str, values: Mapping[str, Any]) -> pa.Table:
        return self._db.sql(sql, params=dict(values)).to_arrow_table()

    def ask(self, name: str, now: datetime = NOW, **asked: Any) -> Answer:
        return ask(name, self.run, COLUMNS, now=now, **asked)

    def close(self) -> None:
        self._db.close()


def simulated(folder: Path, events: int, files: int) -> Silver:
    plan = Plan(events, 4 * 3_600_000, int(START.timestamp() * 1000), files, Kind.both, 7, DIRT)
    write(plan, folder / "files")
    hand = LakeInHand(folder / "lake")
    for file in sorted((folder / "files").rglob("*.jsonl.gz")):
        hand.put_bytes(file.relative_to(folder / "files").as_posix(), file.read_bytes())
    hand.put(ODD)
    hand.refine()
    return Silver(hand)


@pytest.fixture(scope="session")
def silver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Silver]:
    found = simulated(tmp_path_factory.mktemp("silver"), events=250, files=19)
    yield found
    found.close()
