"""Stage 1: an HTTP request becomes durable records, then a 200. Pure up to the append, so a Lambda can share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..stream import Record


@dataclass(frozen=True)
class Request:
    """What a host hands over: header names in lower case, `query` without its `?`, `body` as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """`headers` are (name, value) pairs in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class Intake:
    """A request, judged. `reply` may be sent only when `records` are durable; if they are not, send `unavailable()`."""

    reply: Reply
    records: list[Record] = field(default_factory=list)
