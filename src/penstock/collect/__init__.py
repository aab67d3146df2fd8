"""Stage 1: an HTTP request becomes durable records, then a 200. Pure up to the append, so a Lambda can share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..stream import Record

REFUSALS = {
    "bad_gzip": 400,
    "empty_body": 400,
    "malformed_json": 400,
    "not_an_object": 400,
    "too_deep": 400,
    "too_many_keys": 400,
    "write_key_disabled": 401,
    "write_key_missing": 401,
    "write_key_unknown": 401,
    "origin_not_allowed": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "body_too_large": 413,
    "decompressed_too_large": 413,
    "event_too_large": 413,
    "too_many_events": 413,
    "unsupported_encoding": 415,
}
"""Every code a request can be refused with, and its HTTP status. Programs may rely on both."""


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
    """A request, judged. `reply` may be sent only when `records` are durable; if they are not, send `unavailable()`.

    `quarantined` of the records are known to be no events; `refused` is the error code, if nothing was taken.
    """

    reply: Reply
    records: list[Record] = field(default_factory=list)
    quarantined: int = 0
    refused: str = ""
