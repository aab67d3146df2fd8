"""A request's body → plain bytes of JSON, whatever its headers claim; within limits, and never by trusting a length."""

from __future__ import annotations

import zlib

from ..errors import Refused
from ..event import BODY_BYTES, DECOMPRESSED_BYTES

_GZIP_MAGIC = b"\x1f\x8b"


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
    while data:
        member = zlib.decompressobj(wbits=31)
        try:
            part = member.decompress(data, room + 1)
        except zlib.error as error:
            raise Refused(400, "bad_gzip", "the gzip body is damaged") from error
        room -= len(part)
        if room < 0:
            raise Refused(413, "decompressed_too_large", f"a body may hold {limit} bytes after decompression")
        if not member.eof:
            raise Refused(400, "bad_gzip", "the gzip body is cut off")
        out.append(part)
        data = member.unused_data
    return b"".join(out)
