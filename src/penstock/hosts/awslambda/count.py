"""S3 says that objects were made → the counter of each event and hour in DynamoDB grows by what is in them, once.

A file's counters and the mark that it was counted are written in one transaction, or, of a large file, in several, each
with a mark of its own: told of the file again, nothing is counted twice.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ...bronze.layout import origin, source
from ...errors import BadFile, Transient
from .clients import LOG, TROUBLE, cancelled, client, code, tries, worth_another_try
from .files import lines
from .messages import failures
from .notices import Made, made
from .reading import Event, Refused, event

_COUNTERS_AT_ONCE = 99
"""DynamoDB takes 100 in a transaction; one is the mark."""
_MARKS_KEPT_SECONDS = 400 * 86400
_COUNTED = "ConditionalCheckFailed"

Counters = dict[tuple[str, str], int]
"""(event type, hour) → how many. What was no event is counted as `quarantine#<reason>`."""


def handler(told: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """A file in trouble does not keep the others from being counted; by a queue it comes again alone."""
    troubled: list[Made] = []
    errors: list[Exception] = []
    for file in made(told):
        try:
            _count(file, context)
        except Exception as error:
            LOG.exception("%s/%s is not counted", file.bucket, file.key)
            troubled.append(file)
            errors.append(error)
    if errors and not all(file.message for file in troubled):
        raise errors[0]
    return failures(sorted({file.message for file in troubled}))


def _count(file: Made, context: Any) -> None:
    found = client("s3").get_object(Bucket=file.bucket, Key=file.key)
    counters = sorted(counted(found["Body"], file.key, found["LastModified"]).items())
    for number, start in enumerate(range(0, len(counters), _COUNTERS_AT_ONCE)):
        chunk = counters[start : start + _COUNTERS_AT_ONCE]
        _add(f"file#{file.bucket}/{file.key}", f"chunk#{number}", chunk, context)


def counted(body: Any, key: str, modified: datetime) -> Counters:
    """What is in an object; one that cannot be read is one event that is none."""
    told = origin(key)
    arrived, sender = told.at or modified, told.source or source(key)
    try:
        return _summed(event(line, arrived, sender) for line in lines(body))
    except BadFile as bad:
        return _summed([Refused(bad.reason, arrived)])


def _add(mark: str, chunk: str, counters: Sequence[tuple[tuple[str, str], int]], context: Any) -> None:
    """Raises Transient if it did not come about in the time there was."""
    table = os.environ["PENSTOCK_COUNTERS_TABLE"]
    expires = str(int(time.time()) + _MARKS_KEPT_SECONDS)
    first = {
        "TableName": table,
        "Item": {"pk": {"S": mark}, "sk": {"S": chunk}, "expires_at": {"N": expires}},
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    items = [{"Put": first}, *({"Update": _growth(table, *key, events)} for key, events in counters)]
    why = ""
    for _ in tries(context):
        try:
            client("dynamodb", retries=False).transact_write_items(TransactItems=items)
            return
        except TROUBLE as error:
            if cancelled(error)[:1] == [_COUNTED]:
                return
            if not worth_another_try(error):
                raise
            why = code(error)
    raise Transient(f"{mark} {chunk}: {why}")


def _growth(table: str, event_type: str, hour: str, events: int) -> dict[str, Any]:
    return {
        "TableName": table,
        "Key": {"pk": {"S": event_type}, "sk": {"S": hour}},
        "UpdateExpression": "ADD events :n",
        "ExpressionAttributeValues": {":n": {"N": str(events)}},
    }


def _summed(found: Iterable[Event | Refused]) -> Counters:
    """The same event twice in one file is one."""
    counters: Counter[tuple[str, str]] = Counter()
    seen: set[tuple[str, str]] = set()
    for each in found:
        if isinstance(each, Refused):
            counters[f"quarantine#{each.reason}", _hour(each.at)] += 1
        elif not each.event_id or (each.source, each.event_id) not in seen:
            seen.add((each.source, each.event_id))
            counters[each.event_type, _hour(each.at)] += 1
    return counters


def _hour(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H")
