"""Records → PutRecords: packed by key, each result looked at, and only what failed sent again.

A record of Kinesis holds lines of one key, up to the 25 KB that it is billed for at the least, so a browser's batch of
fifty events costs what one costs. Each ends with a newline, so that Firehose and others find plain JSON lines.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..errors import Transient
from . import Record
from ._aws import AwsError, passing, transient, tries
from ._packing import Payload, pack

MAX_RECORD_BYTES = (1 << 20) - 1025
"""Of Kinesis' 1 MiB, what a key of 256 characters and the newline leave."""
_UNIT_BYTES = 25 << 10
_KEY_CHARS = 256
_CALL_RECORDS = 500
_CALL_BYTES = 5 << 20
_SECONDS = 8.0


def put(client: Any, stream: str, records: Iterable[Record]) -> None:
    """Durable when it returns. Raises Transient when it is not, or may not be."""
    for call in _calls(pack(records, _UNIT_BYTES)):
        _put(client, stream, call)


def _calls(payloads: Iterable[Payload]) -> Iterator[list[dict[str, Any]]]:
    """What goes in one call each. A key comes once in it: of two, the second could be stored when the first failed."""
    call: list[dict[str, Any]] = []
    keys: set[str] = set()
    size = 0
    for key, data in payloads:
        partition = _partition_key(key)
        more = len(data) + len(partition.encode())
        if len(call) == _CALL_RECORDS or size + more > _CALL_BYTES or partition in keys:
            yield call
            call, keys, size = [], set(), 0
        call.append({"PartitionKey": partition, "Data": data})
        keys.add(partition)
        size += more
    if call:
        yield call


def _partition_key(key: str) -> str:
    """What belongs together goes to one shard; what belongs to nothing, to any."""
    if not key:
        return uuid.uuid4().hex
    return key if len(key) <= _KEY_CHARS else hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def _put(client: Any, stream: str, entries: Sequence[dict[str, Any]]) -> None:
    why: Transient | None = None
    for _ in tries(_SECONDS):
        try:
            answer = client.put_records(StreamName=stream, Records=entries)
        except AwsError as error:
            why = transient(error)
            if not passing(error):
                raise why from error
            continue
        results = zip(entries, answer["Records"], strict=True)
        failed = [(entry, result) for entry, result in results if result.get("ErrorCode")]
        if not failed:
            return
        entries = [entry for entry, _ in failed]
        told = failed[0][1]
        why = Transient(
            f"Kinesis did not take {len(failed)} records: {told['ErrorCode']}",
            hint="more shards, or the on-demand mode, take more" if "Throughput" in told["ErrorCode"] else "",
        )
    assert why is not None
    raise why
