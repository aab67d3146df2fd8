"""An event source mapping's event (Kinesis or SQS) → messages: bytes, an id to report it by, and when it came. Pure."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple


class Message(NamedTuple):
    """`id` is what Lambda knows it by. `shard` is empty if it came through a queue."""

    id: str
    data: bytes
    at: datetime
    shard: str = ""


def messages(event: Mapping[str, Any]) -> list[Message]:
    """In the order in which they came."""
    return [_kinesis(told) if "kinesis" in told else _sqs(told) for told in event["Records"]]


def failures(ids: Collection[str]) -> dict[str, list[dict[str, str]]]:
    """The answer that makes Lambda bring these again: of a queue only them, of a shard all from the first on."""
    return {"batchItemFailures": [{"itemIdentifier": each} for each in ids]}


def lines(message: Message) -> Sequence[bytes]:
    """The events in it, one line each."""
    return [line for line in message.data.split(b"\n") if line.strip()]


def _kinesis(told: Mapping[str, Any]) -> Message:
    record = told["kinesis"]
    shard = told["eventID"].partition(":")[0]
    at = datetime.fromtimestamp(record["approximateArrivalTimestamp"], UTC)
    return Message(record["sequenceNumber"], base64.b64decode(record["data"]), at, shard)


def _sqs(told: Mapping[str, Any]) -> Message:
    at = datetime.fromtimestamp(int(told["attributes"]["SentTimestamp"]) / 1000, UTC)
    return Message(told["messageId"], told["body"].encode(errors="surrogatepass"), at)
