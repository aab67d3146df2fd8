"""The text of a JSON array or object → the texts of its elements or members, though some of them cannot be read.

A half emoji, a NaN or a thousand brackets in one event make a body that no strict reader takes as a whole. Its other
events are as good as ever, and they are found here by quotes, brackets and commas alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_NAME = msgspec.json.Decoder(str)
_STRING = rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)'
_TOKEN = re.compile(_STRING + rb"|[\[\]{},]", re.DOTALL)
_MEMBER = re.compile(rb"\s*(" + _STRING + rb")\s*:", re.DOTALL)
_CLOSER = {ord("["): ord("]"), ord("{"): ord("}")}
_QUOTE, _COMMA = ord('"'), ord(",")
_MOST_TOKENS = 250_000
"""More than a good batch has; bounds the time that a hostile one can take."""


def elements(array: bytes) -> Sequence[msgspec.Raw | bytes]:
    """The elements of an array. Raises what the strict reader does, if even their borders cannot be found."""
    try:
        return _RAWS.decode(array)
    except (msgspec.DecodeError, RecursionError):
        found = _parts(array, b"[")
        if found is None:
            raise
        return found


def members(text: bytes) -> dict[str, bytes] | None:
    """The members of an object, name → text, or None if their borders cannot be found."""
    found = {}
    for part in _parts(text, b"{") or ():
        name = _MEMBER.match(part)
        if name is None:
            return None
        try:
            found[_NAME.decode(name[1])] = part[name.end() :]
        except msgspec.DecodeError:
            return None
    return found or None


def _parts(text: bytes, opener: bytes) -> list[bytes] | None:
    """What stands between the outermost commas; None if brackets or quotes do not pair, or a part is blank."""
    text = text.strip()
    if not text.startswith(opener):
        return None
    found: list[bytes] = []
    closers = bytearray()
    start = 1
    for count, token in enumerate(_TOKEN.finditer(text)):
        at = token.start()
        mark = text[at]
        if mark == _QUOTE:
            continue
        if mark in _CLOSER:
            closers.append(_CLOSER[mark])
        elif mark != _COMMA and closers.pop() != mark:
            return None
        if not closers or (mark == _COMMA and len(closers) == 1):
            found.append(text[start:at].strip())
            start = at + 1
        if not closers or count > _MOST_TOKENS:
            break
    return found if not closers and start == len(text) and all(found) else None
