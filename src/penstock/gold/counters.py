"""The counters that the AWS function `count` keeps in a table of DynamoDB → how often an event happened, by hour."""

from __future__ import annotations

from datetime import UTC, datetime

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ..errors import PenstockError

_HOUR = "%Y-%m-%dT%H"


def read(table: str, event_type: str, since: datetime, until: datetime) -> list[tuple[datetime, int]]:
    """(hour, how many) from `since` to `until`, both inclusive; without hours that had none. Raises PenstockError."""
    low, high = (at.astimezone(UTC).strftime(_HOUR) for at in (since, until))
    asked = {
        "TableName": table,
        "KeyConditionExpression": "pk = :event and sk between :low and :high",
        "ExpressionAttributeValues": {":event": {"S": event_type}, ":low": {"S": low}, ":high": {"S": high}},
    }
    try:
        pages = list(boto3.client("dynamodb").get_paginator("query").paginate(**asked))
    except (BotoCoreError, ClientError) as error:
        raise PenstockError(
            f"the counters cannot be read: {error}", hint="see AWS_DEFAULT_REGION and counters_table"
        ) from error
    return [(_moment(item["sk"]["S"]), int(item["events"]["N"])) for page in pages for item in page["Items"]]


def _moment(hour: str) -> datetime:
    return datetime.strptime(hour, _HOUR).replace(tzinfo=UTC)
