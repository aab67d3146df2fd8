"""A request's body → plain bytes of JSON, whatever its headers claim; within limits, and never by trusting a length."""

from __future__ import annotations

import zlib

from ..errors import Refused
from ..event import BODY_BYTES, DECOMPRESSED_BYTES

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_BITS = 31
_CHUNK = 16 << 10
"""What is left behind a member is copied for each, so a body of many tiny ones is fed in small pieces."""


def decode(body: bytes, content_encoding: str) -> bytes:
    """The decompressed body. Raises Refused for what cannot be read."""
    if len(body) > BODY_BYTES:
        raise Refused(413, "body_too_large", f"a request may have {BODY_BYTES} bytes; send smaller batches")
    encoding = content_encoding.strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise Refused(415, "unsupported_encoding", "send gzip or plain JSON")
    if body.startswith(_GZIP_MAGIC):
        body = gunzip(body, DECOMPRESSED_BYTES)
        if body.startswith(_GZIP_MAGIC):
            raise Refused(415, "unsupported_encoding", "the body is compressed twice")
    elif encoding not in ("", "identity"):
        raise Refused(400, "bad_gzip", "the body is not gzip although Content-Encoding says so")
    return body


def gunzip(data: bytes, limit: int) -> bytes:
    """All members of a gzip body; the check sums are verified. Raises Refused beyond `limit` bytes or when damaged."""
    out: list[bytes] = []
    room = limit
    position = 0
    while position < len(data):
        member = zlib.decompressobj(_GZIP_BITS)
        while not member.eof:
            chunk = data[position : position + _CHUNK]
            if not chunk:
                raise Refused(400, "bad_gzip", "the gzip body is cut off")
            try:
                part = member.decompress(chunk, room + 1)
            except zlib.error as error:
                raise Refused(400, "bad_gzip", "the gzip body is damaged") from error
            room -= len(part)
            if room < 0:
                raise Refused(413, "decompressed_too_large", f"a body may hold {limit} bytes after decompression")
            out.append(part)
            position += len(chunk) - len(member.unused_data)
    return b"".join(out)
