"""AWS on loopback: moto in this process, with a clock in hand, and faults put into what the SDK sends."""

from __future__ import annotations

import json
import logging
import os
import select
import shutil
import subprocess
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import moto.kinesis.models
import moto.sqs.models
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError
from moto.server import ThreadedMotoServer

from hand_clock import HandClock

KINESALITE = Path(os.environ.get("PENSTOCK_TEST_CACHE", Path.home() / ".cache" / "penstock-test"))
"""`npm install --prefix` there what is asked for in `kinesalite`: an independent Kinesis, strict about shards."""
_SERVE = """
require('kinesalite')({createStreamMs: 1, updateStreamMs: 1, shardLimit: 1000})
    .listen(0, '127.0.0.1', function () { console.log(this.address().port) })
"""
_LISTEN_SECONDS = 20


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


@contextmanager
def kinesalite(env: pytest.MonkeyPatch) -> Iterator[str]:
    """Where it is installed; else the test is skipped and says how."""
    node = shutil.which("node")
    if node is None or not (KINESALITE / "node_modules" / "kinesalite").is_dir():
        pytest.skip(f"no kinesalite: npm install --prefix {KINESALITE} kinesalite@3.3.3")
    with subprocess.Popen([node, "-e", _SERVE], cwd=KINESALITE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], _LISTEN_SECONDS)[0], "kinesalite does not begin"
            endpoint = f"http://127.0.0.1:{int(process.stdout.readline())}"
            settle(env, endpoint)
            yield endpoint
        finally:
            process.kill()


class Faults:
    """What happens to the next calls of an operation, in this order; then they go through. `calls` counts all."""

    def __init__(self, stream: Any, operation: str, *faults: str) -> None:
        self.calls = 0
        self.sizes: list[int] = []
        self._left = list(faults)
        client = stream._client
        client.meta.events.register(f"before-send.{client.meta.service_model.service_name}.{operation}", self)

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        self.calls += 1
        body = json.loads(request.body)
        self.sizes.append(len(body.get("Records", body.get("Entries", ()))))
        fault = self._left.pop(0) if self._left else "none"
        return getattr(self, f"_{fault}")(request, body)

    def _none(self, request: AWSPreparedRequest, body: Any) -> None:
        return None

    def _throttled(self, request: AWSPreparedRequest, body: Any) -> AWSResponse:
        return _answer(request, 400, {"__type": "ProvisionedThroughputExceededException", "message": "slower"})

    def _unavailable(self, request: AWSPreparedRequest, body: Any) -> AWSResponse:
        return _answer(request, 503, {"__type": "ServiceUnavailable", "message": "later"})

    def _denied(self, request: AWSPreparedRequest, body: Any) -> AWSResponse:
        return _answer(request, 400, {"__type": "AccessDeniedException", "message": "no"})

    def _timeout_after_commit(self, request: AWSPreparedRequest, body: Any) -> AWSResponse:
        _sent(request, body)
        raise ReadTimeoutError(endpoint_url=request.url)

    def _partial(self, request: AWSPreparedRequest, body: Any) -> AWSResponse:
        """Every other record or entry is not taken; the others are."""
        if "Records" in body:
            done = iter(_sent(request, {**body, "Records": body["Records"][::2]})["Records"])
            refused = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slower"}
            results = [refused if nth % 2 else next(done) for nth in range(len(body["Records"]))]
            return _answer(request, 200, {"FailedRecordCount": len(results) // 2, "Records": results})
        done = _sent(request, {**body, "Entries": body["Entries"][::2]})
        failed = [{"Id": each["Id"], "Code": "InternalError", "SenderFault": False} for each in body["Entries"][1::2]]
        return _answer(request, 200, {**done, "Failed": failed})


def _sent(request: AWSPreparedRequest, body: Any) -> Any:
    headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
    del headers["Content-Length"]
    asked = urllib.request.Request(request.url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked, timeout=10) as reply:
        return json.load(reply)


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body


def _answer(request: AWSPreparedRequest, status: int, body: Any) -> AWSResponse:
    headers = {"content-type": "application/x-amz-json-1.1"}
    return AWSResponse(request.url, status, headers, _Raw(json.dumps(body).encode()))
