"""`send`: events to a running collector, or, stamped here as it would, straight into a stream."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..bronze.lines import read_lines
from ..collect import Intake, Request
from ..collect.app import Collector
from ..errors import BadFile, PenstockError, SettingsError
from ..event import BODY_BYTES
from ..pipeline import Pipeline
from ..settings import Settings
from ..settings import load as load_settings
from ..stream import Stream
from .options import Config
from .output import fail, progress, say

_AGENT = "penstock-send"
_ROUTE = "/v1/events"
_MANY = 500
Tell = Callable[[int, int], None]


def add_to(app: typer.Typer) -> None:
    app.command()(send)


def send(
    events: Annotated[
        str, typer.Argument(metavar="JSON", help="One event or an array; @FILE; - reads standard input.")
    ],
    url: Annotated[
        str | None, typer.Option("--url", help="The collector.", show_default="http://127.0.0.1:8787")
    ] = None,
    stream: Annotated[
        str | None,
        typer.Option("--stream", help="Instead of to a collector, into this stream: kinesis://NAME, sqs://NAME."),
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="Write key of the source.")] = None,
    config: Config = None,
) -> None:
    """Send events to a running collector, or into a stream; ends with 1 unless all were taken.

    A file holds lines of JSON or an array, plain, .gz or .zst. A collector takes 1 MiB at once, a stream any number.
    """
    if stream is None:
        _post(_read(events), url or load_settings(config).collect.address, key)
    elif url is not None:
        raise SettingsError("events go to --url or into --stream, not both")
    else:
        _append(_read(events), load_settings(config, stream={"url": stream}), key)


def _read(events: str) -> bytes:
    if events == "-":
        return typer.get_binary_stream("stdin").read()
    return Path(events[1:]).read_bytes() if events.startswith("@") else events.encode()


# to a collector


def _post(body: bytes, url: str, key: str | None) -> None:
    base = url.rstrip("/")
    base = base if "://" in base else f"http://{base}"
    request = urllib.request.Request(f"{base}{_ROUTE}", body, {"user-agent": _AGENT}, method="POST")
    if key:
        request.add_header("x-write-key", key)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            say(reply.read().decode())
    except urllib.error.HTTPError as refused:
        with refused:
            fail(f"the collector answered {refused.code}: {_reason(refused.read())}")
        raise typer.Exit(1) from None
    except OSError as error:
        why = getattr(error, "reason", error)
        raise PenstockError(f"no collector answers at {base}: {why}", hint="start one with `penstock up`") from error


def _reason(body: bytes) -> str:
    """`code: detail` of our own errors; of whoever else answered, the start of what it said."""
    try:
        answer = json.loads(body)
        return f"{answer['error']}: {answer['detail']}"
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace")


# into a stream


def _append(data: bytes, settings: Settings, key: str | None) -> None:
    pipeline = Pipeline(settings)
    try:
        lines = _lines(data)
        with progress("sending") as tell:
            counts = _send_all(lines, pipeline.collector, pipeline.stream, key, tell)
    finally:
        pipeline.close()
    quarantined = f", {counts['quarantined']} of them to quarantine" if counts["quarantined"] else ""
    say(f"{counts['sent']} events sent{quarantined}")
    for reason in sorted(counts.keys() - {"sent", "quarantined"}):
        fail(f"{counts[reason]} refused: {reason}")
    if counts.keys() - {"sent", "quarantined"}:
        raise typer.Exit(1)


def _lines(data: bytes) -> list[bytes]:
    try:
        found = read_lines(data)
    except BadFile as error:
        raise PenstockError(f"this cannot be read: {error}") from error
    return [line.encode() for line in found.text.to_pylist()] + [raw for _, _, raw in found.bad]


def _send_all(
    lines: Sequence[bytes], collector: Collector, stream: Stream, key: str | None, tell: Tell
) -> Counter[str]:
    counts: Counter[str] = Counter()
    done = 0
    for chunk in _chunks(lines):
        for intake in _intakes(collector, chunk, key):
            stream.append(intake.records)
            counts["sent"] += len(intake.records)
            counts["quarantined"] += intake.quarantined
            counts[intake.refused] += 1
        done += len(chunk)
        tell(done, len(lines))
    del counts[""]
    return +counts


def _chunks(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    """What one request may hold."""
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        if chunk and (len(chunk) == _MANY or size + len(line) > BODY_BYTES // 2):
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line)
    if chunk:
        yield chunk


def _intakes(collector: Collector, lines: Sequence[bytes], key: str | None) -> Iterator[Intake]:
    """All lines in one request; if one of them spoils it, each by itself."""
    together = _receive(collector, b"[" + b",".join(lines) + b"]", key)
    if not together.refused and len(together.records) == len(lines):
        yield together
    else:
        for line in lines:
            yield _receive(collector, line, key)


def _receive(collector: Collector, body: bytes, key: str | None) -> Intake:
    headers = {"user-agent": _AGENT, **({"x-write-key": key} if key else {})}
    return collector.receive(Request("POST", _ROUTE, "", headers, body))
