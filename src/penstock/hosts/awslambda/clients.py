"""The SDK: one client per service and process. Where AWS is, is said by the SDK's own variables only."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

LOG = logging.getLogger("penstock")
TROUBLE = (BotoCoreError, ClientError)
"""All that a call of the SDK raises."""
_TRIES = 4
_AGAIN = {
    "InternalServerError", "ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException",
    "RequestLimitExceeded", "ThrottlingError", "ThrottlingException", "TransactionConflict",
    "TransactionInProgressException",
}  # fmt: skip
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0
_SPARE_SECONDS = 2.0


@cache
def client(service: str, *, retries: bool = True) -> Any:
    """Without `retries` the caller tries again itself: it knows for how long, and what a half done call did."""
    attempts = {"mode": "standard", "total_max_attempts": _TRIES if retries else 1}
    return boto3.client(service, config=Config(connect_timeout=3, read_timeout=10, retries=attempts))


def worth_another_try(error: Exception) -> bool:
    """Whether the same call may succeed a moment later: no answer came, or one of those that say so."""
    if not isinstance(error, ClientError):
        return True
    return bool(_AGAIN.intersection([code(error), *cancelled(error)]))


def cancelled(error: Exception) -> list[str]:
    """Of a transaction that did not come about, the reason for each of its items, in order."""
    told = error.response if isinstance(error, ClientError) else {}
    return [str(reason.get("Code")) for reason in told.get("CancellationReasons", ())]


def code(error: Exception) -> str:
    """What AWS calls the error; the exception's own name if no answer came."""
    told = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    return str(told)


def tries(context: Any, most: int = 12) -> Iterator[int]:
    """Counts tries, with a random and growing pause between them; ends when the function's own time nearly has."""
    for number in range(most):
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**number)
        yield number
        if seconds_left(context) < _SPARE_SECONDS + pause:
            return
        time.sleep(random.uniform(0, pause))


def seconds_left(context: Any) -> float:
    """Of the function's time; without a context, as in a test, there is enough."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return remaining() / 1000 if remaining else 60.0
