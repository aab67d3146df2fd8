"""An object's bytes → its lines, verified: gzip's check sum, zstd's, or plain; JSONL, an array, or objects in a row.

DuckDB would read a damaged gzip as good, so nothing is handed on that was not checked here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from isal import isal_zlib
from isal.igzip_lib import IsalError

from ..errors import BadFile

FILE_BYTES = 2 << 30
LINE_BYTES = 2 << 20
_CHUNK = 1 << 20
_GZIP_BITS = 31
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
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


def readable(name: str) -> bool:
    """Whether a file of this name is one that we read."""
    return name.lower().endswith(_READABLE)


def read_lines(name: str, data: bytes) -> Lines:
    """The lines of an object. Raises BadFile if it is damaged as a whole."""
    plain = decompress(data)
    if _one_document(name, plain):
        return _elements(plain)
    ends = _newlines(plain)
    if len(plain) and (not len(ends) or ends[-1] != len(plain) - 1):
        plain += b"\n"
        ends = np.append(ends, len(plain) - 1)
    return _split(plain, ends)


def decompress(data: bytes) -> bytes:
    """By the first bytes, not by the name. Raises BadFile: bad_gzip, bad_zstd, file_too_large."""
    if data.startswith(_GZIP):
        return _gunzip(data)
    if data.startswith(_ZSTD):
        try:
            with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
                plain: bytes = stream.read(FILE_BYTES + 1)
        except OSError as error:
            raise BadFile("bad_zstd", f"the zstd file is damaged: {error}") from error
    else:
        plain = data
    if len(plain) > FILE_BYTES:
        raise BadFile("file_too_large", f"a file may hold {FILE_BYTES} bytes after decompression")
    return plain


def _gunzip(data: bytes) -> bytes:
    out: list[bytes] = []
    size = 0
    while data:
        member = isal_zlib.decompressobj(_GZIP_BITS)
        while not member.eof:
            try:
                part = member.decompress(data, 8 << 20)
            except IsalError as error:  # type: ignore[misc]
                raise BadFile("bad_gzip", f"the gzip file is damaged: {error}") from error
            size += len(part)
            if size > FILE_BYTES:
                raise BadFile("file_too_large", f"a file may hold {FILE_BYTES} bytes after decompression")
            if not part and not member.eof and not member.unconsumed_tail:
                raise BadFile("gz_truncated", "the gzip file is cut off")
            out.append(part)
            data = member.unconsumed_tail
        data = member.unused_data
    return out[0] if len(out) == 1 else b"".join(out)


def _one_document(name: str, plain: bytes) -> bool:
    """An array, or objects without line breaks between them (as Firehose writes)."""
    start = plain[:256].lstrip()[:1]
    return start == b"[" or (start == b"{" and _no_line_is_whole(plain))


def _no_line_is_whole(plain: bytes) -> bool:
    """True if the first line goes on after its first object, or ends before it."""
    end = plain.find(b"\n")
    first = plain if end < 0 else plain[:end]
    if b"}{" not in first and first.rstrip().endswith(b"}"):
        return False
    try:
        text = first.decode()
        _, stop = json.JSONDecoder().raw_decode(text.lstrip())
    except (UnicodeDecodeError, RecursionError):
        return False
    except ValueError:
        return first.strip() == b"{"
    return bool(text.lstrip()[stop:].strip())


def _elements(plain: bytes) -> Lines:
    """Each object of an array or of a row of objects as one line; what cannot be read is one bad line."""
    texts: list[str] = []
    bad: list[tuple[int, str, bytes]] = []
    try:
        text = plain.decode()
    except UnicodeDecodeError as error:
        raise BadFile("bad_encoding", "the file is not UTF-8") from error
    decoder = json.JSONDecoder()
    position, end = 0, len(text)
    while position < end:
        if text[position] in " \t\r\n,[]":
            position += 1
            continue
        try:
            _, stop = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            bad.append((len(texts) + 1, "malformed_json", text[position : position + LINE_BYTES].encode()))
            break
        texts.append(text[position:stop].replace("\n", " ").replace("\r", " "))
        position = stop
    numbers = pa.array(range(1, len(texts) + 1), pa.int64())
    return Lines(pa.array(texts, pa.large_string()), numbers, bad)


def _newlines(plain: bytes) -> np.ndarray:
    """Offsets of every line break; in blocks, so that the masks stay in the processor's cache."""
    codes = np.frombuffer(plain, dtype=np.uint8)
    found = [np.flatnonzero(codes[i : i + _CHUNK] == 10) + i for i in range(0, len(codes), _CHUNK)]
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _split(plain: bytes, ends: np.ndarray) -> Lines:
    """Lines over the bytes themselves, without a copy."""
    offsets = np.empty(len(ends) + 1, dtype=np.int64)
    offsets[0] = 0
    offsets[1:] = ends + 1
    lengths = np.diff(offsets)
    text = pa.Array.from_buffers(pa.large_string(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(plain)])
    number = np.arange(1, len(ends) + 1, dtype=np.int64)
    suspect = (lengths > LINE_BYTES) | (lengths <= 2)
    if not _valid(text):
        suspect |= np.fromiter((not _is_utf8(plain[a:b]) for a, b in _pairs(offsets)), dtype=bool, count=len(ends))
    if not suspect.any():
        return Lines(text, pa.array(number), [])
    bad = []
    for index in np.flatnonzero(suspect):
        raw = plain[offsets[index] : offsets[index + 1]].rstrip(b"\r\n")
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
