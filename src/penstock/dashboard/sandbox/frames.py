"""What goes between the dashboard and the process of a query: one byte that says what, four for the length, the bytes.

Rows go as Arrow IPC, each batch a stream of its own.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

import pyarrow as pa

HEAD = struct.Struct("!cI")
MOST_BYTES = 64 << 20
"""No frame is longer; so wide is the widest row."""

# to the process
PLACE, TABLE, JOB = b"P", b"T", b"J"
# and back
READY, COLUMNS, ROWS, DONE, ERROR = b"Y", b"C", b"R", b"D", b"E"


def packed(kind: bytes, payload: bytes) -> bytes:
    if len(payload) > MOST_BYTES:
        raise OverflowError(f"{len(payload)} bytes in one piece")
    return HEAD.pack(kind, len(payload)) + payload


def told(kind: bytes, what: Any) -> bytes:
    return packed(kind, json.dumps(what).encode())


def read(stream: BinaryIO) -> tuple[bytes, bytes]:
    """Raises EOFError at the end."""
    kind, length = HEAD.unpack(_exactly(stream, HEAD.size))
    return kind, _exactly(stream, length)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise EOFError
    return found


def stored(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def batch(payload: bytes) -> pa.RecordBatch:
    """Raises pa.ArrowInvalid for bytes that are none: the sender is not trusted."""
    with pa.ipc.open_stream(payload) as reader:
        found = reader.read_next_batch()
    for column in found.columns:
        # DuckDB's HUGEINT comes as a decimal of 38 digits, and may have one more.
        column.validate(full=not pa.types.is_decimal(column.type))
    return found


def empty(schema: pa.Schema) -> pa.RecordBatch:
    """No rows, but their names and types."""
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
