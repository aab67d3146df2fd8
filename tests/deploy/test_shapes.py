"""The five shapes, by the template, on MiniStack with IAM enforced: events in, numbers out; a right less, and not."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy import ministack
from deploy.stack import Cloud, Stack, event, until, without
from penstock.hosts.awslambda.package import build
from penstock.month import UNITS

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("aws")
    with ministack.running(folder / "ministack.log") as url:
        yield Cloud(url, build(folder, arch=None).read_bytes())


@pytest.fixture(scope="module")
def files(cloud: Cloud) -> Stack:
    return cloud.deploy("files", Collect="false", Stream="none", Athena="false")


@pytest.fixture(scope="module")
def stream(cloud: Cloud) -> Stack:
    """Everything that a stream can have: bronze, counters, page views, Athena."""
    return cloud.deploy("stream", PageViews="true")


@pytest.fixture(scope="module")
def queue(cloud: Cloud) -> Stack:
    made = cloud.deploy("queue", Stream="sqs", BronzeWriter="none", PageViews="true", Counters="false")
    # On AWS the right to SendMessage covers its batches; the emulator asks for a right that AWS does not have.
    _, policy = made.role("collect")
    made.may(
        "collect",
        json.loads(json.dumps(policy).replace('"sqs:SendMessage"', '"sqs:SendMessage", "sqs:SendMessageBatch"')),
    )
    url = cloud("sqs").get_queue_url(QueueName="queue-events")["QueueUrl"]
    # So that a message that fails comes back within the test; else it is 11 minutes.
    cloud("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    return made


def penstock(stack: Stack, folder: Path, *arguments: str, **settings: str) -> str:
    """The command, with the lake in the bucket."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    where = {"AWS_ENDPOINT_URL": stack.cloud.url, "AWS_ALLOW_HTTP": "true", "PENSTOCK_LAKE": stack.outputs["Lake"]}
    code = "from penstock.cli import app; app()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **keys, **where, "PENSTOCK_DATA": str(folder), **settings},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_1_files_to_counters(files: Stack, tmp_path: Path) -> None:
    """Segment's layout, a key that has to be decoded; every record of it; redelivered, nothing twice."""
    sent = [{"type": "track", "event": "Signed Up", "messageId": f"m{n}", "timestamp": f"2026-02-01T12:{n:02}:00Z"}
            for n in range(30)]  # fmt: skip
    key = "segment-logs/a source+1/1769947200000/x=1.gz"
    files.drop(key, sent)
    until(lambda: sum(files.counts().values()) == 30)
    before = files.counts()
    assert list(before.values()) == [30]
    again = files.put("segment-logs/a+source%2B1/1769947200000/x%3D1.gz")
    answer, failed = files.call("count", {"Records": 2 * again["Records"]})
    assert not failed, answer
    assert files.counts() == before
    asked = ("counts", "signed_up", "--last", "3650d", "--by", "day", "--format", "json")
    told = penstock(files, tmp_path, *asked, PENSTOCK_COUNTERS_TABLE=files.outputs["CountersTable"])
    assert sum(json.loads(line)["events"] for line in told.splitlines()) == 30


def test_2_beacons_to_a_queue_to_a_table_to_a_daily_aggregate(queue: Stack) -> None:
    sent = [event("page_view", n, page_path=f"/p{n % 2}") for n in range(40)]
    assert queue.post(sent) == 200
    until(lambda: len(queue.items("PageViewsTable")) == 40)
    for _ in range(2):
        answer, failed = queue.call("aggregate", {"day": "2026-02-01"})
        assert not failed, answer
        found = {item["pk"]: (item["sk"], item["views"]) for item in queue.items("AggregatesTable")}
        assert found == {"/p0": ("2026-02-01", "20"), "/p1": ("2026-02-01", "20")}


def test_2_poison_goes_to_the_dead_letter_queue_and_costs_nobody_else(queue: Stack) -> None:
    url = queue.cloud("sqs").get_queue_url(QueueName="queue-events")["QueueUrl"]
    queue.cloud("sqs").send_message(QueueUrl=url, MessageBody="no event at all")
    assert queue.post([event("page_view", 41, page_path="/beside")]) == 200
    until(lambda: any(item["pk"] == "/beside" for item in queue.items("PageViewsTable")))
    dead = until(lambda: queue.messages("events-dead"))
    assert [message["Body"] for message in dead] == ["no event at all"]


def test_2_the_same_by_kinesis(stream: Stack) -> None:
    before = len(stream.items("PageViewsTable"))
    assert stream.post([event("page_view", n, page_path="/k") for n in range(10)]) == 200
    until(lambda: len(stream.items("PageViewsTable")) == before + 10)


def test_3_api_to_stream_to_bronze_to_silver_here(stream: Stack, tmp_path: Path) -> None:
    """The image of refine needs docker, which is not here: the same code as a command, on the same bucket."""
    for start in range(0, 200, 50):
        assert stream.post([event("signup", n) for n in range(start, start + 50)]) == 200
    until(lambda: stream.counts()["signup"] == 200)
    assert sum(line.get("event_type") == "signup" for line in stream.lines()) == 200
    penstock(stream, tmp_path, "refine", "--once")
    asked = "select count(*) as n, count(distinct event_id) as ids from events where event_type = 'signup'"
    row = json.loads(penstock(stream, tmp_path, "sql", asked, "--format", "json"))
    assert row == {"n": 200, "ids": 200}
    # 5: silver, asked by Athena as by us.
    answered = stream.athena("select count(*) as n from events where event_type = 'signup'")
    assert answered == [["200"]]


def test_3_without_a_stream_the_collector_writes_bronze(cloud: Cloud, tmp_path: Path) -> None:
    direct = cloud.deploy("direct", Stream="none", Athena="false")
    assert direct.post([event("click", n) for n in range(20)]) == 200
    until(lambda: direct.counts()["click"] == 20)
    penstock(direct, tmp_path, "refine", "--once")
    row = json.loads(penstock(direct, tmp_path, "sql", "select count(*) as n from events", "--format", "json"))
    assert row == {"n": 20}


def test_4_shop_events_by_command_to_the_stream_to_athena(stream: Stack, tmp_path: Path) -> None:
    shop = tmp_path / "shop.jsonl"
    shop.write_text("".join(json.dumps(event("add_to_cart", n, category="toys")) + "\n" for n in range(25)))
    penstock(stream, tmp_path, "send", "--stream", stream.outputs["StreamUrl"], f"@{shop}")
    until(lambda: stream.counts()["add_to_cart"] == 25)
    penstock(stream, tmp_path, "refine", "--once")
    asked = "select category, count(*) as n from events where event_type = 'add_to_cart' group by category"
    assert stream.athena(asked) == [["toys", "25"]]


def test_replay_of_a_batch_writes_the_same_object(stream: Stack) -> None:
    """Kinesis hands a batch again after a crash: the same key, so nothing is counted or kept twice."""
    assert stream.post([event("replayed", n) for n in range(5)]) == 200
    until(lambda: stream.counts()["replayed"] == 5)
    keys, counts = stream.keys("bronze/year="), stream.counts()
    data = base64.b64encode(json.dumps(event("again", 1)).encode()).decode()
    record = {
        "eventSource": "aws:kinesis",
        "eventID": "shardId-000000000000:49650000000000000000000000000000000000000000000000000001",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/stream-events",
        "kinesis": {"sequenceNumber": "49650000000000000000000000000000000000000000000000000001",
                    "partitionKey": "s", "data": data, "approximateArrivalTimestamp": 1769947200.0},
    }  # fmt: skip
    for _ in range(3):
        answer, failed = stream.call("deliver", {"Records": [record]})
        assert not failed, answer
    until(lambda: stream.counts()["again"] == 1)
    assert len(stream.keys("bronze/year=")) == len(keys) + 1
    assert stream.counts() == counts + type(counts)({"again": 1})


def test_an_event_takes_about_what_penstock_cost_says(stream: Stack) -> None:
    """Ids are random, as real ones are: they hardly get smaller by gzip."""
    sent = [
        {**event("page_view", n, page_path=f"/posts/{n % 7}"), "event_id": str(uuid4()), "session_id": str(uuid4())}
        for n in range(400)
    ]
    before = set(stream.keys("bronze/year="))
    assert stream.post(sent) == 200
    fresh: list[bytes] = []

    def came() -> bool:
        keys = set(stream.keys("bronze/year=")) - before
        fresh[:] = [stream.cloud("s3").get_object(Bucket=stream.bucket, Key=key)["Body"].read() for key in keys]
        return sum(gzip.decompress(data).count(b"\n") for data in fresh) == len(sent)

    until(came)
    stored, packed = sum(len(gzip.decompress(data)) for data in fresh), sum(map(len, fresh))
    assert UNITS.record_bytes / 1.5 < stored / len(sent) < UNITS.record_bytes * 1.5
    assert UNITS.bronze_bytes / 1.5 < packed / len(sent) < UNITS.bronze_bytes * 1.5


_NEEDED = {
    ("count", "s3:GetObject"), ("count", "dynamodb:PutItem"), ("count", "dynamodb:UpdateItem"),
    ("aggregate", "dynamodb:Query"), ("aggregate", "dynamodb:BatchWriteItem"),
    ("page-views", "dynamodb:BatchWriteItem"), ("deliver", "s3:PutObject"), ("collect", "kinesis:PutRecords"),
}  # fmt: skip


@pytest.mark.parametrize(("task", "action"), sorted(_NEEDED))
def test_with_a_right_less_it_fails_and_counts_nothing(task: str, action: str, stream: Stack) -> None:
    _, policy = stream.role(task)
    if task == "count":
        _quietly(stream)
    if task == "aggregate":
        assert stream.post([event("page_view", n, page_path=f"/{action}") for n in range(3)]) == 200
        until(lambda: any(item["pk"] == f"/{action}" for item in stream.items("PageViewsTable")))
    stream.may(task, without(policy, action))
    try:
        before = stream.counts(), stream.items("AggregatesTable"), len(stream.items("PageViewsTable"))
        if task == "collect":
            assert stream.post([event("forbidden", 1)]) == 503
        else:
            answer, failed = stream.call(task, _work(stream, task))
            assert failed or answer.get("batchItemFailures"), answer
        assert before == (stream.counts(), stream.items("AggregatesTable"), len(stream.items("PageViewsTable")))
    finally:
        stream.may(task, policy)


_UNTOLD = "segment-logs/s/1769947200000/untold.gz"


def _quietly(stream: Stack) -> None:
    """A file where the function may read, of which it is not told."""
    s3 = stream.cloud("s3")
    told = s3.get_bucket_notification_configuration(Bucket=stream.bucket)
    told.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=stream.bucket, NotificationConfiguration={})
    stream.drop(_UNTOLD, [event("forbidden", 1)])
    s3.put_bucket_notification_configuration(Bucket=stream.bucket, NotificationConfiguration=told)


def _work(stream: Stack, task: str) -> dict[str, Any]:
    """What that function would do something with."""
    if task == "aggregate":
        return {"day": "2026-02-01"}
    if task == "count":
        return stream.put(_UNTOLD)
    data = base64.b64encode(json.dumps(event("page_view", 99, page_path="/forbidden")).encode()).decode()
    return {"Records": [{
        "eventSource": "aws:kinesis", "eventID": "shardId-000000000000:7",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/stream-events",
        "kinesis": {"sequenceNumber": "7", "partitionKey": "s", "data": data,
                    "approximateArrivalTimestamp": 1769947200.0},
    }]}  # fmt: skip
