"""An object's bytes → its lines, verified: gzip's check sum, zstd's, or plain; JSONL, an array, or objects in a row.

DuckDB would read a damaged gzip as good, so nothing is handed on that was not checked here.
"""

from __future__ import annotations

import io
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from isal import igzip
from isal.igzip_lib import IsalError

from ..errors import BadFile
from .documents import elements, is_document
from .layout import from_firehose

FILE_BYTES = 2 << 30
LINE_BYTES = 2 << 20
_CHUNK = 1 << 20
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BLANK = np.isin(np.arange(256), np.frombuffer(b" \t\r\n\v\f", dtype=np.uint8))
"""Byte → whether `bytes.strip` takes it away."""
_READABLE = (".jsonl", ".ndjson", ".json", ".gz", ".zst", ".zstd")


@dataclass(frozen=True)
class Lines:
    """`text` holds the good lines (Arrow large_string), `number` their 1-based line numbers.

    `bad` are the others: (line number, reason, the bytes). Blank lines are in neither.
    """

    text: pa.LargeStringArray
    number: pa.Int64Array
    bad: list[tuple[int, str, bytes]]

    def __len__(self) -> int:
        return len(self.text) + len(self.bad)


def readable(name: str, start: bytes) -> bool:
    """Whether a file of this name is one that we read; if the name has no ending, its first bytes tell."""
    if name.lower().endswith(_READABLE):
        return True
    return may_be_readable(name) and (start.startswith((GZIP, ZSTD)) or start.lstrip()[:1] in (b"{", b"["))


def may_be_readable(name: str) -> bool:
    """The same as far as the name alone can tell."""
    return name.lower().endswith(_READABLE) or "." not in name or from_firehose(name)


def read_lines(data: bytes) -> Lines:
    """The lines of an object. Raises BadFile if it is damaged as a whole."""
    plain = decompress(data)
    if is_document(bytes(plain[: LINE_BYTES + 1])):
        return _elements(plain)
    ends = _newlines(plain)
    if len(plain) and (not len(ends) or ends[-1] != len(plain) - 1):
        ends = np.append(ends, len(plain) - 1)  # the last line has no line break
    return _split(plain, ends)


def decompress(data: bytes) -> memoryview:
    """By the first bytes, not by the name.

    Raises BadFile: bad_gzip, gz_truncated, bad_zstd, compressed_twice, file_too_large.
    """
    if data.startswith(GZIP):
        return _once(_gunzip(data))
    if data.startswith(ZSTD):
        return _once(_unzstd(data))
    if len(data) > FILE_BYTES:
        raise _too_large()
    return memoryview(data)


def _once(plain: memoryview) -> memoryview:
    if plain[:4].tobytes().startswith((GZIP, ZSTD)):
        raise BadFile("compressed_twice", "what the file holds is compressed once more")
    return plain


def _gunzip(data: bytes) -> memoryview:
    """All members, check sums verified, into one array that numpy takes in huge pages: half the time of bytes."""
    hint = int.from_bytes(data[-4:], "little")
    out = np.empty(min(max(hint, len(data)) + 1, FILE_BYTES + 1), np.uint8)
    size = 0
    try:
        with igzip.IGzipFile(fileobj=io.BytesIO(data)) as file:  # type: ignore[no-untyped-call]
            while count := file.readinto(out.data[size : size + _CHUNK]):
                size += count
                if size > FILE_BYTES:
                    raise _too_large()
                if size == len(out):
                    out = np.resize(out, min(2 * size, FILE_BYTES + 1))
    except EOFError as error:
        raise BadFile("gz_truncated", "the gzip file is cut off") from error
    except (OSError, IsalError, zlib.error) as error:  # type: ignore[misc]
        raise BadFile("bad_gzip", f"the gzip file is damaged: {error}") from error
    return out.data[:size]


def _unzstd(data: bytes) -> memoryview:
    try:
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
            plain = stream.read(FILE_BYTES + 1)
    except OSError as error:
        raise BadFile("bad_zstd", f"the zstd file is damaged: {error}") from error
    if len(plain) > FILE_BYTES:
        raise _too_large()
    return memoryview(plain)


def _too_large() -> BadFile:
    return BadFile("file_too_large", f"a file may hold {FILE_BYTES} bytes after decompression")


def _elements(plain: memoryview) -> Lines:
    """Each object of an array or of a row of objects as one line; what cannot be read is one bad line."""
    texts, rest = elements(bytes(plain))
    bad = [(len(texts) + 1, "malformed_json", rest[:LINE_BYTES].encode())] if rest else []
    return Lines(pa.array(texts, pa.large_string()), pa.array(range(1, len(texts) + 1), pa.int64()), bad)


def _newlines(plain: memoryview) -> np.ndarray:
    """Offsets of every line break; in blocks, so that the masks stay in the processor's cache."""
    codes = np.frombuffer(plain, dtype=np.uint8)
    starts = range(0, len(codes), _CHUNK)
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda start: np.flatnonzero(codes[start : start + _CHUNK] == 10) + start, starts))
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _split(plain: memoryview, ends: np.ndarray) -> Lines:
    """Lines over the bytes themselves, without a copy."""
    offsets = np.empty(len(ends) + 1, dtype=np.int64)
    offsets[0] = 0
    offsets[1:] = ends + 1
    lengths = np.diff(offsets)
    text = pa.Array.from_buffers(pa.large_string(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(plain)])
    number = np.arange(1, len(ends) + 1, dtype=np.int64)
    suspect = lengths > LINE_BYTES
    suspect[_maybe_blank(plain, offsets)] = True
    if not _valid(text):
        suspect |= np.fromiter(
            (not _is_utf8(bytes(plain[a:b])) for a, b in _pairs(offsets)), dtype=bool, count=len(ends)
        )
    if not suspect.any():
        return Lines(text, pa.array(number), [])
    bad = []
    for index in np.flatnonzero(suspect):
        raw = bytes(plain[offsets[index] : offsets[index + 1]]).rstrip(b"\r\n")
        if not raw.strip():
            continue
        if len(raw) > LINE_BYTES:
            bad.append((int(index) + 1, "line_too_long", raw[:LINE_BYTES]))
        elif not _is_utf8(raw):
            bad.append((int(index) + 1, "bad_encoding", raw))
        else:
            suspect[index] = False
    keep = pa.array(~suspect)
    return Lines(text.filter(keep), pa.array(number[~suspect]), bad)


def _maybe_blank(plain: memoryview, offsets: np.ndarray) -> np.ndarray:
    """Lines that begin and end with a blank; of most lines only the first byte is looked at."""
    codes = np.frombuffer(plain, dtype=np.uint8)
    found = np.flatnonzero(_BLANK[codes[offsets[:-1]]])
    first, last = offsets[found], offsets[found + 1] - 1
    maybe: np.ndarray = found[_BLANK[codes[np.maximum(first, last - 1)]]]
    return maybe


def _valid(text: pa.LargeStringArray) -> bool:
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _pairs(offsets: np.ndarray) -> zip[tuple[int, int]]:
    return zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
