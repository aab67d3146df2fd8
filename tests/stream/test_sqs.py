"""SQS: limits, faults on the way, what hides a message and what brings it back, and that nothing is counted twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

import aws_in_hand
from aws_in_hand import Faults
from hand_clock import NOON, HandClock
from penstock.errors import Transient
from penstock.stream import Batch, Record, sqs

ALL = 1 << 30


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as env, aws_in_hand.aws(env):
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    clock = HandClock()
    aws_in_hand.keep_time(monkeypatch, clock)
    return clock


@pytest.fixture
def stream(aws: None) -> Iterator[Any]:
    opened = sqs.open(aws_in_hand.new_queue(), idle_seconds=0)
    yield opened
    opened.close()


def another(stream: Any) -> Any:
    return sqs.open(f"sqs://{stream._queue}", idle_seconds=0)


def drain(stream: Any, limit: int = ALL) -> list[Batch]:
    found = []
    while (batch := stream.poll("c", limit)) is not None:
        found.append(batch)
        stream.commit("c", batch)
    return found


def texts(batches: list[Batch]) -> list[bytes]:
    return [text for batch in batches for text in batch.data.splitlines()]


def line(number: int) -> bytes:
    return b'{"n":%d}' % number


def records(*numbers: int) -> list[Record]:
    return [Record(line(n), key=str(n)) for n in numbers]


def show_again(stream: Any) -> None:
    """As if the time in which messages are hidden were over."""
    client = boto3.client("sqs")
    for message in stream._received.values():
        client.change_message_visibility(QueueUrl=stream._url, ReceiptHandle=message.receipt, VisibilityTimeout=0)
    client.close()


def test_lines_share_a_message_and_messages_a_call(stream: Any) -> None:
    sent = Faults(stream, "SendMessageBatch")
    stream.append(records(*range(1000)))
    assert sent.sizes == [1]
    stream.append([Record(b'{"x":"%s"}' % (b"x" * 40_000)) for _ in range(25)])
    assert sent.sizes == [1, 10, 10, 5]
    stream.append([Record(b"x" * stream.max_record_bytes), Record(b"y" * stream.max_record_bytes)])
    assert sent.sizes == [1, 10, 10, 5, 1, 1]
    assert len(texts(drain(stream))) == 1027


@pytest.mark.parametrize(
    ("faults", "twice"),
    [
        (["unavailable", "throttled"], False),
        (["partial", "partial"], False),
        (["timeout_after_commit"], True),
        (["partial", "timeout_after_commit"], True),
    ],
)
def test_nothing_is_lost_on_the_way(stream: Any, faults: list[str], twice: bool) -> None:
    sent = Faults(stream, "SendMessageBatch", *faults)
    many = [Record(b"%d %s" % (n, b"x" * 60_000)) for n in range(10)]
    stream.append(many)
    assert sent.calls == len(faults) + 1
    found = texts(drain(stream))
    assert set(found) == {record.data for record in many}
    assert (len(found) > 10) == twice


def test_what_is_refused_for_good_is_told_at_once(stream: Any) -> None:
    sent = Faults(stream, "SendMessageBatch", "denied")
    with pytest.raises(Transient) as raised:
        stream.append(records(1))
    assert (sent.calls, bool(raised.value.hint)) == (1, True)


def test_a_commit_deletes_what_failed_to_be_deleted_again(stream: Any) -> None:
    for n in range(25):
        stream.append(records(n))
    deleted = Faults(stream, "DeleteMessageBatch", "partial", "unavailable")
    assert len(texts(drain(stream))) == 25
    assert deleted.sizes == [10, 5, 5, 10, 5]
    assert stream.lag("c").records == 0


@pytest.mark.parametrize("limit", [1, 40, ALL])
def test_a_batch_is_of_one_minute_and_keeps_to_the_limit(stream: Any, clock: HandClock, limit: int) -> None:
    for n in range(12):
        clock.now = NOON + timedelta(seconds=20 * n)
        stream.append(records(n))
    batches = drain(stream, limit)
    assert sorted(texts(batches)) == sorted(line(n) for n in range(12))
    for batch in batches:
        assert len({int(json.loads(text)["n"]) // 3 for text in batch.data.splitlines()}) == 1
        assert len(batch.data) <= limit or len(batch) == 1
    assert len(batches) == {1: 12, 40: 4, ALL: 4}[limit]


def test_what_one_has_in_hand_another_does_not_get(stream: Any) -> None:
    stream.append(records(1))
    batch = stream.poll("c", ALL)
    assert another(stream).poll("c", ALL) is None
    assert another(stream).lag("c").records == 1
    assert stream.poll("c", ALL) == batch


def test_after_a_crash_all_comes_again(stream: Any) -> None:
    stream.append(records(1))
    stream.append(records(2))
    batch = stream.poll("c", ALL)
    show_again(stream)
    again = another(stream)
    stream.append(records(3))
    assert sorted(texts(drain(again))) == [line(1), line(2), line(3)]
    assert stream.poll("c", ALL) == batch, "in its hand it is the same still"


def test_the_same_messages_are_the_same_batch(stream: Any) -> None:
    stream.append(records(1))
    stream.append(records(2))
    batch = stream.poll("c", ALL)
    show_again(stream)
    assert another(stream).poll("c", ALL).first == batch.first


def test_a_message_that_comes_twice_is_one(stream: Any) -> None:
    stream.append(records(1))
    stream.append(records(2))
    batch = stream.poll("c", 1)
    show_again(stream)
    stream.commit("c", batch)
    assert sorted(texts([batch, *drain(stream)])) == [line(1), line(2)]


def test_it_stays_hidden_while_it_is_delivered(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stream.append(records(*range(3)))
    hidden = Faults(stream, "ChangeMessageVisibilityBatch")
    stream.poll("c", ALL)
    stream.poll("c", ALL)
    assert hidden.calls == 0
    at = sqs.monotonic()
    monkeypatch.setattr(sqs, "monotonic", lambda: at + 200)
    stream.poll("c", ALL)
    stream.poll("c", ALL)
    assert hidden.calls == 1


def test_poison_goes_where_the_queue_says(aws: None) -> None:
    dead = aws_in_hand.new_queue().removeprefix("sqs://")
    policy = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:123456789012:{dead}", "maxReceiveCount": 2}
    stream = sqs.open(aws_in_hand.new_queue(RedrivePolicy=json.dumps(policy)), idle_seconds=0)
    stream.append(records(1))
    for _ in range(2):
        crashing = another(stream)
        assert crashing.poll("c", ALL) is not None
        show_again(crashing)
    assert stream.poll("c", ALL) is None
    assert texts(drain(sqs.open(f"sqs://{dead}", idle_seconds=0))) == [line(1)]


def test_lag_tells_since_when_it_waits(aws: None, clock: HandClock) -> None:
    stream = sqs.open(aws_in_hand.new_queue(), clock=clock, idle_seconds=0)
    stream.append(records(1))
    clock.tick(10)
    assert stream.lag("c").oldest == NOON + timedelta(seconds=10), "who only looks knows no better"
    batch = stream.poll("c", ALL)
    assert stream.lag("c")[::2] == (1, NOON)
    stream.commit("c", batch)
    assert stream.lag("c") == (0, 0, None)
