"""AWS on loopback: moto in this process, with a clock in hand, and faults put into what the SDK sends."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
import moto.kinesis.models
import moto.sqs.models
import pytest
from botocore.awsrequest import AWSResponse
from moto.server import ThreadedMotoServer

from hand_clock import HandClock

Answer = Callable[[], AWSResponse]


@contextmanager
def aws(env: pytest.MonkeyPatch) -> Iterator[str]:
    """A server of every service, told to the SDK by its own variables."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settle(env, f"http://{host}:{port}")
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def settle(env: pytest.MonkeyPatch, endpoint: str) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
    }.items():
        env.setenv(name, value)


def keep_time(env: pytest.MonkeyPatch, clock: HandClock) -> None:
    """What arrives in moto's streams and queues arrives by this clock."""
    env.setattr(moto.kinesis.models, "utcnow", lambda: clock().replace(tzinfo=None))

    def mark_sent(message: Any, delay_seconds: int | None = None) -> None:
        message.sent_timestamp = int(clock().timestamp() * 1000)

    env.setattr(moto.sqs.models.Message, "mark_sent", mark_sent)
    # By that clock messages may be years old; the queue goes by the machine's, and would drop them.
    env.setattr(moto.sqs.models.SQSBackend, "is_message_valid_based_on_retention_period", lambda *_: True)


def new_stream(shards: int = 1) -> str:
    """The URL of a stream with a name of its own."""
    name = f"events-{uuid.uuid4().hex[:12]}"
    client = boto3.client("kinesis")
    client.create_stream(StreamName=name, ShardCount=shards)
    client.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    client.close()
    return f"kinesis://{name}"


def new_queue(**attributes: str) -> str:
    name = f"events-{uuid.uuid4().hex[:12]}"
    client = boto3.client("sqs")
    client.create_queue(QueueName=name, Attributes=attributes)
    client.close()
    return f"sqs://{name}"


def now() -> datetime:
    return datetime.now(UTC)
