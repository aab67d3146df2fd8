"""API Gateway's request → the collector → the stream, or straight an object of bronze → the collector's answer."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any

import msgspec

from ... import __version__, adapters
from ... import stream as stream_port
from ...bronze.layout import minute_folder
from ...clock import utc_now
from ...collect import Reply
from ...collect.app import Collector, unavailable
from ...collect.keys import Source
from ...errors import SettingsError, Transient
from ...stream import Record, Stream
from . import gateway, objects
from .clients import LOG, TROUBLE, code

_HEALTHY = b'{"status":"ok","version":"' + __version__.encode() + b'"}'
_OWN_PAGES = {
    "/health": Reply(200, [("content-type", "application/json"), ("cache-control", "no-store")], _HEALTHY),
    "/metrics": Reply(404, [], b""),
}
"""As the server answers strangers; CloudWatch has the function's metrics."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answers 200 only when the records are durable."""
    request = gateway.request(event)
    if request.path in _OWN_PAGES:
        return gateway.response(_OWN_PAGES[request.path])
    intake = _collector().receive(request)
    try:
        if intake.records:
            _store(intake.records, context, gateway.came(event) or utc_now())
    except Transient as error:
        LOG.error("not stored: %s", error)
        return gateway.response(unavailable(request))
    return gateway.response(intake.reply)


def _store(records: Sequence[Record], context: Any, at: datetime) -> None:
    """Raises Transient."""
    stream = _stream()
    if stream is not None:
        stream.append(records)
        return
    # The invocation's id: Lambda repeats an invocation under the same one.
    key = f"{minute_folder(at)}request-{context.aws_request_id}.jsonl.gz"
    try:
        objects.put(key, b"".join(record.data + b"\n" for record in records))
    except TROUBLE as error:
        raise Transient(f"{key}: {code(error)}") from error


@cache
def _collector() -> Collector:
    prefix = os.environ.get(_PREFIX, "/a")
    if not _FOLDERS.fullmatch(prefix):
        raise SettingsError(f"{_PREFIX} is {prefix!r}", hint="write for example /a")
    return Collector(sources(os.environ.get("PENSTOCK_SOURCES", "")), prefix=prefix)


@cache
def _stream() -> Stream | None:
    """None if it is switched off."""
    if os.environ.get(_ENABLED, "true").strip().lower() in ("false", "0", "no", "off"):
        objects.bronze()
        return None
    if not (url := os.environ.get("PENSTOCK_STREAM__URL")):
        raise SettingsError("PENSTOCK_STREAM__URL is not set", hint=f"or set {_ENABLED} to false")
    opened: Stream = adapters.load(stream_port, url).open(url, clock=utc_now)
    return opened


def sources(text: str) -> list[Source]:
    """Of the JSON that `PENSTOCK_SOURCES` holds; as strict as the settings. Raises SettingsError."""
    try:
        found = msgspec.json.decode(text or "[]", type=list[_Source])
    except msgspec.DecodeError as error:
        raise SettingsError(f"PENSTOCK_SOURCES cannot be read: {error}", hint="see docs/settings.md") from error
    if len({source.write_key for source in found}) < len(found):
        raise SettingsError("PENSTOCK_SOURCES: two sources have the same write_key")
    return [Source(source.name, source.write_key, source.enabled, source.origins) for source in found]


class _Source(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    write_key: Annotated[str, msgspec.Meta(min_length=8)]
    enabled: bool = True
    origins: tuple[str, ...] = ()


_FOLDERS = re.compile(r"(/[A-Za-z0-9_.~-]+)+")
_PREFIX, _ENABLED = "PENSTOCK_COLLECT__PREFIX", "PENSTOCK_STREAM_ENABLED"

if "AWS_LAMBDA_RUNTIME_API" in os.environ:  # while a function starts it has more of a processor than later
    _collector()
    _stream()
