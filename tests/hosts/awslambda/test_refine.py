"""One call of the function does what waits, from objects in a bucket to rollups in DynamoDB; the next finds nothing."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from penstock.gold.catalog import EVENT_COUNTS
from penstock.hosts.awslambda import deliver, refine
from penstock.pipeline import Pipeline
from penstock.settings import load
from support import LakeInHand

from .asked import NOON, kinesis, made
from .conftest import LAKE, Aws, Context


def test_from_bronze_to_gold_once(
    aws: Aws, hand: LakeInHand, tmp_path: Path, unset: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = Context(milliseconds=900_000)
    lines = hand.post([{"event_type": "x", "event_id": f"e{n}", "event_ts": NOON.isoformat()} for n in range(6)], NOON)
    deliver.handler(kinesis(*lines[:4]), long)
    firehose = aws.put(
        "some/prefix/bronze/year=2026/month=02/day=01/hour=12/events.gz", gzip.compress(b"\n".join(lines))
    )
    aws.make_table("gold")
    unset()
    for name, value in {"LAKE": LAKE, "GOLD": "dynamodb://gold", "DATA": str(tmp_path)}.items():
        monkeypatch.setenv(f"PENSTOCK_{name}", value)
    notice = made(firehose, "some/prefix/bronze/inbox/x", "some/prefix/silver/events/x.parquet", "elsewhere/y.gz")
    done = refine.handler(notice, long)
    assert done == {"batches": 1, "events": 10, "hours": 1, "days": 1}
    assert refine.handler(notice, long) == {"batches": 0, "events": 0, "hours": 0, "days": 0}
    pipeline = Pipeline(load())
    assert pipeline.gold.read(EVENT_COUNTS) == [(NOON, "x", 6, 0)]
    pipeline.close()


def test_without_time_it_leaves_the_rest_to_the_next(
    aws: Aws, hand: LakeInHand, tmp_path: Path, unset: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver.handler(kinesis(*hand.post([{"event_type": "x"}], NOON)), Context())
    unset()
    monkeypatch.setenv("PENSTOCK_LAKE", LAKE)
    monkeypatch.setenv("PENSTOCK_DATA", str(tmp_path))
    assert refine.handler({}, Context(milliseconds=59_000))["batches"] == 0
    assert refine.handler({}, Context(milliseconds=900_000))["batches"] == 1
