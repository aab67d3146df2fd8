"""What the adapters of AWS share: a client, and how often and how long a call is tried again.

Endpoint, region and credentials are the SDK's own affair: AWS_ENDPOINT_URL, AWS_DEFAULT_REGION, a profile, a role.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from ..errors import SettingsError, Transient

AwsError = (ClientError, BotoCoreError)
_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 3.0
_PASSING = {
    "InternalError",
    "InternalFailure",
    "InternalFailureException",
    "KMSThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "AWS.SimpleQueueService.InternalError",
}


def client(service: str) -> Any:
    """Tries nothing again by itself: what failed of a call, and for how long that may go on, only the caller knows."""
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=10, tcp_keepalive=True)
    try:
        return boto3.session.Session().client(service, config=config)
    except BotoCoreError as error:
        raise SettingsError(f"no client for {service}: {error}", hint="set AWS_DEFAULT_REGION, or a profile") from error


def name(url: str) -> str:
    """Of a stream, queue or table: `kinesis://NAME`. Raises SettingsError."""
    parts = urlsplit(url)
    found = unquote(parts.netloc)
    if not found or parts.path.strip("/") or parts.query or parts.fragment:
        raise SettingsError(f"{url!r} names nothing", hint=f"write {parts.scheme}://NAME")
    return found


def tries(seconds: float) -> Iterator[int]:
    """0, 1, 2 … with a pause between them, a random part of twice the one before, until the time is over."""
    end = time.monotonic() + seconds
    for nth in itertools.count():
        yield nth
        pause = random.uniform(0, min(_LONGEST_PAUSE_SECONDS, _SHORTEST_PAUSE_SECONDS * 2 ** min(nth, 10)))
        if time.monotonic() + pause > end:
            return
        time.sleep(pause)


def ask(call: Callable[..., Any], *, seconds: float, **what: Any) -> Any:
    """The answer, tried again while what is wrong may pass. Raises Transient, or what will not pass as it is."""
    error: Exception | None = None
    for _ in tries(seconds):
        try:
            return call(**what)
        except AwsError as failed:
            if not passing(failed):
                raise
            error = failed
    assert error is not None
    raise transient(error) from error


@contextmanager
def told() -> Iterator[None]:
    """Whatever AWS says against it is worth another try later: a stream may be made, a permission given."""
    try:
        yield
    except AwsError as error:
        raise transient(error) from error


def passing(error: Exception) -> bool:
    """Whether the same call may work in a moment."""
    if isinstance(error, ClientError):
        return code(error) in _PASSING or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
    return isinstance(error, ConnectionError | HTTPClientError)


def code(error: Exception) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def transient(error: Exception) -> Transient:
    """As whoever waits for the stream is told it."""
    hint = "" if passing(error) else "see that it exists, and that the role or key may use it"
    return Transient(f"AWS: {error}", hint=hint)
