"""A bronze object in S3, written as the job `deliver` does: announced first, so that silver misses none."""

from __future__ import annotations

import os
import zlib
from urllib.parse import unquote, urlsplit

from ...bronze.layout import inbox_key
from ...errors import SettingsError
from .clients import client

_GZIP = 31
_LEVEL = 5


def put(key: str, lines: bytes) -> str:
    """Durable when it returns; the same lines under the same key change nothing. Returns the key in the bucket."""
    bucket, folder = bronze()
    body = compress(lines)
    for name, data in ((inbox_key(key), str(len(body)).encode()), (key, body)):
        client("s3").put_object(Bucket=bucket, Key=folder + name, Body=data)
    return folder + key


def bronze() -> tuple[str, str]:
    """(bucket, what stands before bronze's keys in it) of the lake that `PENSTOCK_LAKE` names."""
    parts = urlsplit(lake := os.environ.get("PENSTOCK_LAKE", ""))
    if parts.scheme != "s3" or not parts.netloc:
        raise SettingsError(f"PENSTOCK_LAKE is {lake!r}", hint="write s3://bucket/prefix")
    prefix = unquote(parts.path).strip("/")
    return parts.netloc, f"{prefix}/bronze/" if prefix else "bronze/"


def compress(data: bytes) -> bytes:
    """gzip without a time stamp or name: the same data gives the same bytes."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(data) + packer.flush()
