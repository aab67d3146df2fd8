"""What could not become a row: the reasons, and the questions people ask of them."""

from __future__ import annotations

MEANING = {
    "malformed_json": "the line is not JSON",
    "not_an_object": "the event is JSON, but not an object",
    "event_too_large": "the event has more than 65,536 bytes",
    "too_deep": "the event is nested more than 32 deep",
    "too_many_keys": "the event has more than 256 keys",
    "bad_property_name": "a property's name is empty, over 200 characters, or holds a quote or line break",
    "bad_event_name": "event_type is missing, not a text, or over 200 bytes",
    "bad_event_id": "event_id is not a text of at most 200 bytes",
    "id_too_long": "a user, anonymous or session id has more than 1,000 bytes",
    "missing_session_id": "an event of the tracker has no session_id",
    "bad_timestamp": "the time cannot be read, or lies before 1970",
    "int_out_of_range": "a number does not fit its whole-number column",
    "number_out_of_range": "a price or revenue does not fit DECIMAL(18,2)",
    "bad_encoding": "the line is not UTF-8",
    "line_too_long": "the line has more than 2 MiB",
    "bad_gzip": "the file is damaged gzip",
    "gz_truncated": "the gzip file is cut off",
    "bad_zstd": "the file is damaged zstd",
    "file_too_large": "the file holds more than 2 GiB after decompression",
}
"""Reason code → what it means, for people; the docs list is made from this."""

LIST = """
    select reason, count(*) as events, min(received_at) as first_seen, max(received_at) as last_seen,
           any_value(detail) as example, any_value(bronze_file || ':' || bronze_line) as sample
    from quarantine group by reason order by events desc, reason
"""
