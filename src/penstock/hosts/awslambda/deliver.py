"""A batch of a stream or queue → one gz JSONL object of bronze; the same batch again rewrites the same object.

What is no JSON goes in as it is: silver sets it aside with a reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ...bronze.layout import minute_folder
from . import objects
from .clients import LOG
from .messages import Message, failures, messages

_DIGITS = 56
"""Of Kinesis' sequence numbers. So long, a name is not taken for one of a stream that counts from 0 without a gap."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """All of the batch or, by raising, nothing of it."""
    batch = messages(event)
    if not batch[0].shard:  # a queue brings the same in another order
        batch.sort(key=lambda message: (message.at, message.id))
    data = b"".join(_ended(message.data) for message in batch if message.data.strip())
    if data:
        LOG.info("%s: %d records", objects.put(key(batch), data), len(batch))
    return failures(())


def key(batch: Sequence[Message]) -> str:
    """By arrival of the first; a shard's by its sequence numbers, a queue's by the ids of its messages, in order."""
    first, last = batch[0], batch[-1]
    if first.shard:
        name = f"{first.shard}-{int(first.id):0{_DIGITS}}-{int(last.id):0{_DIGITS}}"
        return f"{minute_folder(first.at)}{name}.jsonl.gz"
    ids = "\n".join(message.id for message in batch)
    digest = hashlib.sha256(ids.encode()).hexdigest()[:32]
    return f"{minute_folder(first.at)}queue-{digest}.jsonl.gz"


def _ended(data: bytes) -> bytes:
    """Its lines, the last one also with a newline."""
    return data if data.endswith(b"\n") else data + b"\n"
