"""What could not become a row: the reasons, which rows still wait, and the questions people ask of them."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Reason(NamedTuple):
    """What a reason code means, and what to do about it; for people."""

    meaning: str
    remedy: str


_REPLAY = "then `penstock quarantine replay`"
_ALIAS = f"if another field has it, say so in the settings, {_REPLAY}"
_SENDER = "only the sender can mend it, and send it again"
_SPLIT = "have the sender send less in one event"
_LOAD = "load a whole copy of the file"

REASONS = {
    "malformed_json": Reason("the line is not JSON", _SENDER),
    "not_an_object": Reason("the event is JSON, but not an object", _SENDER),
    "event_too_large": Reason("the event has more than 65,536 bytes", _SPLIT),
    "too_deep": Reason("the event is nested more than 32 deep", _SPLIT),
    "too_many_keys": Reason("the event has more than 256 keys", _SPLIT),
    "bad_property_name": Reason(
        "a property's name is empty, over 200 characters, or holds a quote or line break", _SENDER
    ),
    "bad_event_name": Reason("event_type is missing, not a text, or over 200 bytes", _ALIAS),
    "bad_event_id": Reason("event_id is not a text of at most 200 bytes", _SENDER),
    "id_too_long": Reason("a user, anonymous or session id has more than 1,000 bytes", _SENDER),
    "missing_session_id": Reason("an event of the tracker has no session_id", _ALIAS),
    "bad_timestamp": Reason("the time cannot be read, or lies before 1970", _SENDER),
    "int_out_of_range": Reason("a number does not fit its whole-number column", _SENDER),
    "number_out_of_range": Reason("a price or revenue does not fit DECIMAL(18,2)", _SENDER),
    "bad_column": Reason("a value does not fit a strict column of the settings", f"loosen the column, {_REPLAY}"),
    "bad_encoding": Reason("the line is not UTF-8", _SENDER),
    "line_too_long": Reason("the line has more than 2 MiB", _SPLIT),
    "bad_gzip": Reason("the file is damaged gzip", _LOAD),
    "gz_truncated": Reason("the gzip file is cut off", _LOAD),
    "bad_zstd": Reason("the file is damaged zstd", _LOAD),
    "compressed_twice": Reason("the file is compressed inside a compressed file", "unpack it once, and load that"),
    "file_too_large": Reason("the file holds more than 2 GiB after decompression", "split it, and load the parts"),
}
"""Every reason code; the docs list is made from this."""

WHOLE_FILE = 0
"""The line number that stands for a file that could not be read as a whole."""

REPLAYED = "replayed"
"""In the table, not in the view: the row says that the line of this number got out, and `detail` as what."""

By = Literal["reason", "source", "file"]


def waiting(rows: str, batch: int) -> str:
    """SQL for what lay in quarantine after that batch: `rows` up to it, without those that got out."""
    got_out = f"select bronze_file, bronze_line from ({rows}) where batch <= {batch} and reason = '{REPLAYED}'"
    return (
        f"select q.* from ({rows}) as q anti join ({got_out}) as r"
        " on r.bronze_file = q.bronze_file and r.bronze_line = q.bronze_line"
        f" where q.batch <= {batch} and q.reason <> '{REPLAYED}'"
    )


def list_sql(by: By) -> str:
    """A row for each reason, or for each source or file and reason; `$since` null for all."""
    groups = {"reason": "reason", "source": "source, reason", "file": "bronze_file, reason"}[by]
    return f"""
        select {groups}, count(*) as events, min(received_at) as first_seen, max(received_at) as last_seen,
               min_by(coalesce(detail, ''), (received_at, bronze_file, bronze_line)) as example,
               min_by(bronze_file || ':' || bronze_line, (received_at, bronze_file, bronze_line)) as sample
        from quarantine where $since::timestamptz is null or received_at >= $since::timestamptz
        group by {groups} order by events desc, {groups}
    """


SHOW = """
    select bronze_file || ':' || bronze_line as line, reason, detail, source, received_at, raw, bronze_file, bronze_line
    from quarantine where reason = $what or (bronze_file = $file and bronze_line = $line)
    order by received_at desc, bronze_file, bronze_line limit $limit
"""
