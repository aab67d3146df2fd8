"""When to move from a queue to a stream and back; pure, and against moto's attributes and metrics."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

import aws_in_hand
from penstock.advise import Load, advise
from penstock.cost import Bill
from penstock.stream import Record, kinesis, sqs

from .cli.conftest import Cli, cli

__all__ = ["cli"]
BILL = Bill()


def verdict(kind: str, million: float, **more: float) -> tuple[str, str]:
    found = advise(Load(kind, million * 1e6, 600, **more), BILL)  # type: ignore[arg-type]
    return found.best, found.verdict.split(":")[0].split(" (")[0]


@pytest.mark.parametrize(
    ("kind", "million", "best", "words"),
    [
        ("sqs", 1, "sqs", "stay with SQS"),
        ("sqs", 8, "sqs", "stay with SQS"),
        ("sqs", 10, "kinesis provisioned", "move to Kinesis"),
        ("sqs", 1000, "kinesis provisioned", "move to Kinesis"),
        ("kinesis", 1, "sqs", "SQS would do"),
        ("kinesis", 8, "kinesis provisioned", "stay with Kinesis"),
        ("kinesis", 100, "kinesis provisioned", "stay with Kinesis"),
        ("sqlite", 1, "sqs", "sqs would cost least"),
    ],
)
def test_where_to_go(kind: str, million: float, best: str, words: str) -> None:
    assert verdict(kind, million) == (best, words)


def test_who_moved_does_not_move_back_at_the_same_rate() -> None:
    for million in range(1, 200):
        if verdict("sqs", million / 4)[1] == "move to Kinesis":
            assert verdict("kinesis", million / 4)[1] == "stay with Kinesis"


def test_what_waits_too_long_is_the_readers_affair() -> None:
    fine = advise(Load("sqs", 1e6, 600, waiting=3, oldest_seconds=60, retention_seconds=345_600), BILL)
    late = advise(Load("sqs", 1e6, 600, waiting=3, oldest_seconds=200_000, retention_seconds=345_600), BILL)
    assert not any("too slow" in reason for reason in fine.reasons)
    assert "too slow" in late.reasons[0] and "it is lost" in late.reasons[0]


def test_shards_that_the_peak_needs() -> None:
    found = advise(Load("kinesis", 2.628e9, 600, shards=1), BILL)
    assert found.reasons[-1] == "4 shards would bear 4 times the mean; there are 1"
    assert found.options[1].charges[0].quantity == 4 * 730


# measured


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with aws_in_hand.aws(monkeypatch):
        yield


def tell(namespace: str, dimension: str, name: str, **metrics: float) -> None:
    client = boto3.client("cloudwatch")
    for metric, value in metrics.items():
        client.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": metric.replace("__", "."),
                    "Dimensions": [{"Name": dimension, "Value": name}],
                    "Timestamp": datetime.now(UTC) - timedelta(minutes=1),
                    "Value": value,
                }
            ],
        )
    client.close()


def test_a_queue_is_measured(aws: None) -> None:
    url = aws_in_hand.new_queue(MessageRetentionPeriod="86400")
    stream = sqs.open(url, idle_seconds=0)
    for _ in range(3):
        stream.append([Record(b"{}")])
    stream.close()
    assert sqs.measure(url) == Load("sqs", waiting=3, retention_seconds=86_400)
    told = {"NumberOfMessagesSent": 480_000, "SentMessageSize": 700, "ApproximateAgeOfOldestMessage": 12}
    tell("AWS/SQS", "QueueName", url.removeprefix("sqs://"), **told)
    found = sqs.measure(url)
    assert (found.records_a_month, found.record_bytes, found.oldest_seconds) == (pytest.approx(14.6e6), 700, 12)


def test_a_stream_is_measured(aws: None) -> None:
    url = aws_in_hand.new_stream(shards=3)
    told = {"IncomingRecords": 1000, "IncomingBytes": 5e6, "GetRecords__IteratorAgeMilliseconds": 2500}
    tell("AWS/Kinesis", "StreamName", url.removeprefix("kinesis://"), **told)
    found = kinesis.measure(url)
    assert (found.shards, found.on_demand, found.retention_seconds) == (3, False, 86_400)
    assert (found.record_bytes, found.oldest_seconds) == (5000, 2.5)


def test_the_command(aws: None, cli: Cli) -> None:
    url = aws_in_hand.new_queue()
    refused = cli("advise", "--stream", url)
    assert refused.exit_code == 2
    assert "--events-per-month" in refused.stderr
    text = cli.out("advise", "--stream", url, "--events-per-month", "50e6")
    assert "move to Kinesis: $11.65 a month instead of $60.26" in text
    rows = cli.json("advise", "--stream", url, "--events-per-month", "50e6", "--together", "10")
    assert [row["stream"] for row in rows if row["advised"]] == ["sqs"]
    dear = ("--price", "kinesis_shard_hour=1", "--price", "kinesis_stream_hour=1")
    assert "stay with SQS" in cli.out("advise", "--stream", url, "--events-per-month", "50e6", *dear)


def test_prices_of_the_settings(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "penstock.toml").write_text("[prices]\nsqs_request = 400\n")
    rows = cli.json("advise", "--events-per-month", "1e6")
    assert rows[0]["usd_per_month"] > 1000
    refused = cli("advise", "--events-per-month", "1e6", "--price", "bread=1")
    assert (refused.exit_code, "bread" in refused.stderr) == (2, True)
    assert "is not on AWS" in cli("advise").stderr
