"""An object's bytes, as they come from S3 → its lines, one at a time and verified; bronze says how a file can look.

Memory holds a line, but for a file that is one array or has no line breaks: that is held as a whole.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, cast

from ...bronze.documents import elements, is_document
from ...errors import BadFile
from .reading import LINE_BYTES

_DOCUMENT_BYTES = 64 << 20
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_START_BYTES = 256
_BUFFER = 1 << 18


def lines(body: BinaryIO) -> Iterator[bytes]:
    """Blank ones are left out; one that is too long comes cut, to be no JSON. Raises BadFile for a damaged file."""
    start = io.BufferedReader(cast(io.RawIOBase, body), _BUFFER)
    magic = start.peek(4)[:4]
    if magic.startswith(_ZSTD):
        raise BadFile("zstd_not_read", "only silver reads zstd")
    if not magic.startswith(_GZIP):
        yield from _lines(start)
        return
    try:
        with gzip.GzipFile(fileobj=start) as file:
            yield from _lines(io.BufferedReader(cast(io.RawIOBase, file), _BUFFER))
    except EOFError as error:
        raise BadFile("gz_truncated", "the gzip file is cut off") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadFile("bad_gzip", f"the gzip file is damaged: {error}") from error


def _lines(plain: io.BufferedReader[Any]) -> Iterator[bytes]:
    starts = [plain.readline(LINE_BYTES + 1)]
    # As in bronze: what follows blank lines, or a single brace, also tells what the file is.
    while len(start := b"".join(starts)) < _START_BYTES and len(start.strip()) <= 1 and starts[-1]:
        starts.append(plain.readline(LINE_BYTES + 1))
    if start.startswith((_GZIP, _ZSTD)):
        raise BadFile("compressed_twice", "what the file holds is compressed once more")
    if is_document(start):
        yield from _document(start + plain.read(_DOCUMENT_BYTES + 1))
        return
    for line in chain(starts, iter(partial(plain.readline, LINE_BYTES + 1), b"")):
        if line.strip():
            yield line.rstrip(b"\r\n")
        if len(line) > LINE_BYTES and not line.endswith(b"\n"):
            _skip_line(plain)


def _document(whole: bytes) -> Iterator[bytes]:
    if len(whole) > _DOCUMENT_BYTES:
        raise BadFile("file_too_large", f"one document may have {_DOCUMENT_BYTES} bytes here")
    texts, rest = elements(whole)
    yield from (text.encode() for text in texts)
    if rest:
        yield rest.encode()[:LINE_BYTES]


def _skip_line(plain: io.BufferedReader[Any]) -> None:
    while (rest := plain.readline(_BUFFER)) and not rest.endswith(b"\n"):
        pass
