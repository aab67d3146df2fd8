"""Through Kinesis and SQS with faults on the way: every event is in silver once, whatever came twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import aws_in_hand
from aws_in_hand import Faults
from penstock.collect import Request
from penstock.pipeline import Pipeline
from penstock.settings import load
from penstock.status import status
from penstock.verify import verify

CALLS = {"kinesis": ("PutRecords", "GetRecords"), "sqs": ("SendMessageBatch", "ReceiveMessage")}


@pytest.fixture(params=sorted(CALLS))
def way(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    with aws_in_hand.aws(monkeypatch):
        url = {"kinesis": aws_in_hand.new_stream, "sqs": aws_in_hand.new_queue}[request.param]()
        pipeline = Pipeline(load(data=tmp_path / "data", stream={"url": url}))
        yield pipeline
        pipeline.close()


def send(way: Pipeline, *, start: int, count: int) -> None:
    events = [
        {"event_type": "page_view", "session_id": f"session {n % 7}", "event_id": f"event {n}"}
        for n in range(start, start + count)
    ]
    intake = way.collector.receive(Request("POST", "/v1/events", "", {}, json.dumps(events).encode()))
    way.stream.append(intake.records)


@pytest.mark.heavy
def test_every_event_is_in_silver_exactly_once(way: Pipeline) -> None:
    put, get = CALLS[way.settings.stream_url.split(":")[0]]
    Faults(way.stream, put, "timeout_after_commit", "partial", "throttled", "none", "unavailable", "partial")
    Faults(way.stream, get, "unavailable", "none", "throttled")
    for start in range(0, 300, 100):
        send(way, start=start, count=100)
    assert way.stream.lag("bronze").records > 0
    way.drain()
    found = verify(way)
    assert found.problems == []
    assert (found.ledger.total("stored"), found.ledger.total("quarantined")) == (300, 0)
    assert found.ledger.total("duplicate") > 0, "or no fault was felt"
    assert status(way)[0].holds == ""
    assert way.stream.lag("bronze").records == 0
