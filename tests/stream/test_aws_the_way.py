"""Through Kinesis and SQS with faults on the way: every event is in silver once, whatever came twice."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

import aws_in_hand
import penstock
from aws_in_hand import Faults
from penstock.collect import Request
from penstock.dashboard.live.tail import Live
from penstock.pipeline import Pipeline
from penstock.settings import load
from penstock.status import status
from penstock.verify import verify

CALLS = {"kinesis": ("PutRecords", "GetRecords"), "sqs": ("SendMessageBatch", "ReceiveMessage")}


@pytest.fixture(params=sorted(CALLS))
def way(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    with aws_in_hand.aws(monkeypatch):
        url = {"kinesis": aws_in_hand.new_stream, "sqs": aws_in_hand.new_queue}[request.param]()
        pipeline = Pipeline(load(data=tmp_path / "data", stream={"url": url}, deliver={"bytes": 10_000}))
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


@pytest.mark.heavy
@pytest.mark.parametrize("make", [aws_in_hand.new_stream, aws_in_hand.new_queue], ids=["kinesis", "sqs"])
def test_collector_and_worker_over_aws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[], str]
) -> None:
    with aws_in_hand.aws(monkeypatch):
        settings = {"stream": {"url": make()}, "collect": {"processes": 1}, "deliver": {"seconds": 0.2}}
        with penstock.collector(tmp_path / "data", **settings) as running:
            events = [{"event_type": "page_view", "session_id": f"s{n}"} for n in range(10)]
            asked = urllib.request.Request(running.events_url, json.dumps(events).encode(), method="POST")
            with urllib.request.urlopen(asked, timeout=30) as reply:
                assert (reply.status, json.load(reply)["accepted"]) == (200, 10)
            with running.stop() as lake:
                assert lake.sql("select count(*) from events").fetchall() == [(10,)]


def test_a_queue_has_no_live_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with aws_in_hand.aws(monkeypatch):
        live = Live(load(data=tmp_path / "data", stream={"url": aws_in_hand.new_queue()}))
        with structlog.testing.capture_logs() as logs:
            live._run()
        assert [log["event"] for log in logs] == ["there is no live view"]
        assert not live.seen.reading
