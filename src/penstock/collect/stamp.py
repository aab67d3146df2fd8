"""An event and what the server knows of it → one line of bronze.

    {"penstock":1,"dialect":…,"source":…,"received_at":…,"user_agent":…[,"sent_ts":…][,"event_id":…][,"reason":…],"event":…}

The event itself is the sender's text, byte for byte, but for line breaks between its tokens. Only a text that no JSON
reader takes is put into quotes, as one JSON string, so that the line is JSON all the same. No address is written.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from ..clock import iso
from ..event import USER_AGENT_CHARS

MARK = b'{"penstock":1,"dialect":"'
"""Every stamped line starts with this; a line that does not was written by somebody else."""

_encode = msgspec.json.Encoder().encode


def prefix(dialect: str, source: str, received_at: datetime, user_agent: str, sent_ts: str | None) -> bytes:
    """The part of the line that all events of one request and dialect share."""
    return (
        MARK
        + dialect.encode()
        + b'","source":'
        + _encode(source)
        + b',"received_at":"'
        + iso(received_at).encode()
        + b'","user_agent":'
        + _encode(user_agent[:USER_AGENT_CHARS] or None)
        + (b"" if sent_ts is None else b',"sent_ts":' + _encode(sent_ts))
    )


def line(start: bytes, raw: bytes, made_id: str | None, reason: str | None) -> bytes:
    """`made_id` is set if the event came without an id, `reason` if it is already known to be no event."""
    if made_id is not None:
        start += b',"event_id":"' + made_id.encode() + b'"'
    if reason is not None:
        start += b',"reason":"' + reason.encode() + b'"'
    return start + b',"event":' + raw + b"}"


def one_line(raw: bytes) -> bytes:
    """JSON text without line breaks: in valid JSON these stand between tokens only."""
    return raw.replace(b"\r", b" ").replace(b"\n", b" ")


def quoted(raw: bytes | msgspec.Raw) -> bytes:
    """Any bytes as a JSON string; what is not UTF-8 in it becomes `\\xff`."""
    return _encode(bytes(raw).decode(errors="backslashreplace"))
