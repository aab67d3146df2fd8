"""Records → payloads of many lines each: what a service bills or takes by the request is sent in few of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from . import Record

_NOT_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What a message of SQS must not hold."""


class Payload(NamedTuple):
    """Lines of records of one key, each with its newline."""

    key: str
    data: bytes


def pack(records: Iterable[Record], room_bytes: int) -> Iterator[Payload]:
    """As many records of a key together as there is room for, in their order; a larger one alone."""
    open_lines: dict[str, list[bytes]] = {}
    sizes: dict[str, int] = {}
    for record in records:
        key, size = record.key, len(record.data) + 1
        if key in open_lines and sizes[key] + size > room_bytes:
            yield Payload(key, _joined(open_lines.pop(key)))
        if key not in open_lines:
            open_lines[key], sizes[key] = [], 0
        open_lines[key].append(record.data)
        sizes[key] += size
    for key, lines in open_lines.items():
        yield Payload(key, _joined(lines))


def _joined(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n"


def ended(data: bytes) -> bytes:
    """A payload that somebody else may have written: its last line also has a newline."""
    return data if data.endswith(b"\n") else data + b"\n"


def text(data: bytes) -> str:
    """Lines of JSON as text that any queue takes: the same JSON, with what is no character of XML escaped."""
    return _NOT_TEXT.sub(lambda found: f"\\u{ord(found[0]):04x}", data.decode(errors="backslashreplace"))


def lines(data: bytes) -> list[bytes]:
    """Without their newlines."""
    return data.split(b"\n")[:-1]
