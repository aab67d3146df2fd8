"""An object without some of its lines; every other line keeps its number, and the object its name.

Only erasure does this. No other job may work on the lake meanwhile: it could write the old bytes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

import pyarrow as pa

from ..errors import BadFile, PermanentError
from ..objects import Objects
from .deliver import compress
from .layout import hour_of
from .lines import GZIP, ZSTD, Lines, decompress, read_lines
from .merged import MergedObject, intact, pieces, plan, write
from .store import Bronze


def rewrite(bronze: Bronze, drop_lines: Mapping[str, Set[int]]) -> None:
    """Make these lines of these objects (numbers from 1) empty, durably, in every copy. Repeatable after a crash.

    Raises FileNotFoundError, BadFile if an object is damaged and PermanentError if it has no such lines, or cannot be
    written without them; then it is as it was.
    """
    objects = bronze.objects
    missing = set(drop_lines)
    for key in sorted(drop_lines):
        if objects.exists(key):
            missing.discard(key)
            data = objects.get(key)
            if (new := without_lines(data, drop_lines[key])) != data:
                objects.put(key, new)
    for hour in sorted({hour for key in drop_lines if (hour := hour_of(key))}):
        copies = [merged for merged in bronze.merged(hour) if not drop_lines.keys().isdisjoint(merged.parts)]
        for merged in copies:
            missing.difference_update(merged.parts)
            _rewrite_merged(objects, hour, merged, drop_lines)
        if copies:
            objects.settle(hour)
    if missing:
        raise FileNotFoundError(min(missing))


def _rewrite_merged(objects: Objects, hour: str, old: MergedObject, drop_lines: Mapping[str, Set[int]]) -> None:
    """The new one beside the old one, then the old one is deleted."""
    body = objects.get(old.key)
    if not intact(old, body):
        raise BadFile("bad_gzip", f"{old.key} is damaged: it is not what its index says")
    parts = pieces(old, body)
    new = {key: without_lines(part, drop_lines[key]) if key in drop_lines else part for key, part in parts.items()}
    if new == parts:
        return
    write(objects, plan(hour, new), b"".join(new.values()))
    objects.delete(old.key)  # first: without it the index counts for nothing
    objects.delete(old.index)


def without_lines(data: bytes, drop_lines: Set[int]) -> bytes:
    """In the same packing. An array, or objects in a row, become JSON lines, of which the n-th is the n-th object."""
    before = read_lines(data)
    plain = bytes(decompress(data))
    rows = plain.split(b"\n")
    if not _are_lines(rows, before):
        if before.bad:
            raise BadFile("malformed_json", "the file is damaged: what follows its last good object cannot be told")
        rows = [text.encode() for text in before.text.to_pylist()]
    if not rows or rows[-1]:
        rows.append(b"")  # so that the last line, if it becomes empty, is one still
    count = len(rows) - 1
    if unknown := sorted(number for number in drop_lines if not 1 <= number <= count):
        raise PermanentError(f"it has {count} lines, none has number {unknown[0]}")
    if not any(rows[number - 1].strip() for number in drop_lines):
        return data
    rows = [b"" if number in drop_lines else row for number, row in enumerate(rows, 1)]
    new = _packed(b"\n".join(rows), like=data)
    if _numbered(read_lines(new)) != {n: line for n, line in _numbered(before).items() if n not in drop_lines}:
        raise PermanentError("without these lines the others would be read differently")
    return new


def _are_lines(rows: list[bytes], read: Lines) -> bool:
    """Whether the file was read line by line."""
    return all(
        number <= len(rows) and text.encode().rstrip(b"\r\n") == rows[number - 1].rstrip(b"\r")
        for number, text in zip(read.number.to_pylist(), read.text.to_pylist(), strict=True)
    ) and all(number <= len(rows) and rows[number - 1].startswith(raw) for number, _, raw in read.bad)


def _numbered(read: Lines) -> dict[int, object]:
    good = zip(read.number.to_pylist(), read.text.to_pylist(), strict=True)
    return {**{n: text.rstrip("\r\n") for n, text in good}, **{n: (reason, raw) for n, reason, raw in read.bad}}


def _packed(plain: bytes, *, like: bytes) -> bytes:
    if like.startswith(GZIP):
        return compress(plain)
    if like.startswith(ZSTD):
        packed: bytes = pa.Codec("zstd").compress(plain, asbytes=True)
        return packed
    return plain
