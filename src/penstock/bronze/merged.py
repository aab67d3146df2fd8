"""Many objects in one: the same bytes, one behind the other, and beside them an index that says which are whose.

gzip files that follow each other are a gzip file, so the merged object is one for every other tool too. The index is
written first and counts from when the merged object is there; so a merge that was cut off can be done again from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from ..errors import LakeError
from ..objects import Objects
from .layout import index_key, merged_key


class Part(msgspec.Struct, frozen=True):
    """Where an original lies in the merged object, and its check sum."""

    offset: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class MergedObject:
    """`index` is the key of its index, `parts` the key of each original → where it lies."""

    index: str
    parts: Mapping[str, Part]

    @property
    def key(self) -> str:
        return merged_key(self.index)

    @property
    def encoded(self) -> bytes:
        return _encode(self.parts)


def plan(folder: str, pieces: Mapping[str, bytes]) -> MergedObject:
    """`pieces` one behind the other; the same pieces get the same name."""
    parts: dict[str, Part] = {}
    offset = 0
    for key, data in pieces.items():
        parts[key] = Part(offset, len(data), sha256(data))
        offset += len(data)
    return MergedObject(index_key(folder, sha256(_encode(parts))), parts)


def write(objects: Objects, merged: MergedObject, body: bytes) -> None:
    """Durable, and read back, when it returns. Raises LakeError if what is read is not what was written."""
    objects.put(merged.index, merged.encoded)
    objects.put(merged.key, body)
    if not intact(merged, objects.get(merged.key)):
        raise LakeError(f"{merged.key} reads differently than it was written", hint="is the disk in order?")


def read_index(objects: Objects, index: str) -> MergedObject:
    """Raises FileNotFoundError, and LakeError if it is damaged."""
    data = objects.get(index)
    try:
        return MergedObject(index, msgspec.json.decode(data, type=dict[str, Part]))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LakeError(f"{index} is damaged: {error}", hint="restore it from a backup") from error


def intact(merged: MergedObject, body: bytes) -> bool:
    """Whether every part is there as the index says."""
    return all(sha256(piece) == merged.parts[key].sha256 for key, piece in pieces(merged, body).items())


def pieces(merged: MergedObject, body: bytes) -> dict[str, bytes]:
    return {key: body[part.offset : part.offset + part.size_bytes] for key, part in merged.parts.items()}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _encode(parts: Mapping[str, Part]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(parts), indent=1)
