"""The one table of columns: what silver, quarantine and the ledger hold, in order, with type and meaning.

Types are DuckDB's names; `arrow()` is the same for Delta and Parquet. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa


class Column(NamedTuple):
    """`needs`: the wire columns it is made from; without any of them in a batch, it is null. Empty: never null."""

    name: str
    type: str
    meaning: str
    needs: tuple[str, ...] = ()


WIRE = (
    "event_id", "event_type", "user_id", "anonymous_id", "session_id", "event_ts", "sent_ts", "page_path", "page_url",
    "page_title", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "user_agent",
    "device", "screen_width", "screen_height", "language", "timezone", "country", "product_id", "category", "price",
    "quantity", "revenue", "search_query", "variants", "seq", "first_day", "prev_day", "properties",
)  # fmt: skip
"""What a dialect may tell of an event; all text until `clean.sql` has judged it."""

EVENTS = (
    Column("event_id", "VARCHAR", "unique within its source"),
    Column("source", "VARCHAR", "who sent it: the name behind the write key"),
    Column("dialect", "VARCHAR", "how it was spoken: events, beacon, segment"),
    Column("event_type", "VARCHAR", "lower case with underscores: page_view, purchase"),
    Column("user_id", "VARCHAR", "the sender's id of a known person", ("user_id",)),
    Column("anonymous_id", "VARCHAR", "the sender's id of an unknown person", ("anonymous_id",)),
    Column("session_id", "VARCHAR", "random id of one visit", ("session_id",)),
    Column("event_ts", "TIMESTAMPTZ", "when it happened, corrected for the sender's clock"),
    Column("client_ts", "TIMESTAMPTZ", "when it happened by the sender's clock"),
    Column("received_at", "TIMESTAMPTZ", "when the collector took it, or its file arrived"),
    Column("page_path", "VARCHAR", "path of the page", ("page_path",)),
    Column("page_url", "VARCHAR", "address of the page", ("page_url",)),
    Column("page_title", "VARCHAR", "title of the page", ("page_title",)),
    Column("referrer", "VARCHAR", "address that led here", ("referrer",)),
    Column("referrer_host", "VARCHAR", "host that led here, without www", ("referrer",)),
    Column("channel", "VARCHAR", "direct, search, social, email, paid, referral, campaign"),
    Column("utm_source", "VARCHAR", "campaign source", ("utm_source",)),
    Column("utm_medium", "VARCHAR", "campaign medium", ("utm_medium",)),
    Column("utm_campaign", "VARCHAR", "campaign name", ("utm_campaign",)),
    Column("utm_term", "VARCHAR", "campaign term", ("utm_term",)),
    Column("utm_content", "VARCHAR", "campaign content", ("utm_content",)),
    Column("user_agent", "VARCHAR", "the browser's own description", ("user_agent",)),
    Column("device", "VARCHAR", "desktop, mobile, tablet, or what the sender says", ("device", "user_agent")),
    Column("browser", "VARCHAR", "family of the browser", ("user_agent",)),
    Column("os", "VARCHAR", "family of the operating system", ("user_agent",)),
    Column("screen_width", "INTEGER", "pixels", ("screen_width",)),
    Column("screen_height", "INTEGER", "pixels", ("screen_height",)),
    Column("language", "VARCHAR", "language tag", ("language",)),
    Column("timezone", "VARCHAR", "IANA name", ("timezone",)),
    Column("country", "VARCHAR", "only if the sender gives it", ("country",)),
    Column("product_id", "VARCHAR", "product", ("product_id",)),
    Column("category", "VARCHAR", "product category, lower case", ("category",)),
    Column("price", "DECIMAL(18,2)", "price of one piece", ("price",)),
    Column("quantity", "INTEGER", "pieces", ("quantity",)),
    Column("revenue", "DECIMAL(18,2)", "of purchases: as sent, else price times quantity", ("revenue", "price")),
    Column("search_query", "VARCHAR", "what was searched", ("search_query",)),
    Column("variants", "VARCHAR", "experiment to variant, JSON text", ("variants",)),
    Column("seq", "INTEGER", "position of the event in its session", ("seq",)),
    Column("first_day", "DATE", "day of this visitor's first session", ("first_day",)),
    Column("prev_day", "DATE", "day of this visitor's previous session; null in the first", ("prev_day",)),
    Column("properties", "VARCHAR", "everything else the sender put in properties, JSON text", ("properties",)),
    Column("is_bot", "BOOLEAN", "the user agent is a known crawler"),
    Column("ts_flag", "VARCHAR", "ts_future, ts_past, ts_skewed, ts_missing, or null"),
    Column("flags", "VARCHAR", "no_session, ts_repaired, placeholder_id, type_conflict; comma separated, or null"),
    Column("bronze_file", "VARCHAR", "the object it came from"),
    Column("bronze_line", "BIGINT", "the line in that object, from 1"),
)

PARTITIONS = (
    Column("year", "INTEGER", "of event_ts, UTC; null with the other three if it came over 35 days late"),
    Column("month", "INTEGER", "of event_ts"),
    Column("day", "INTEGER", "of event_ts"),
    Column("hour", "INTEGER", "of event_ts"),
)

QUARANTINE = (
    Column("batch", "BIGINT", "the refine batch that judged it"),
    Column("reason", "VARCHAR", "code, stable for programs"),
    Column("detail", "VARCHAR", "what was wrong, for people"),
    Column("source", "VARCHAR", "who sent it"),
    Column("dialect", "VARCHAR", "how it was spoken"),
    Column("received_at", "TIMESTAMPTZ", "when it arrived"),
    Column("raw", "BLOB", "the bytes of the line, or the start of them"),
    Column("bronze_file", "VARCHAR", "the object it came from"),
    Column("bronze_line", "BIGINT", "the line in that object; 0 stands for the whole file"),
)

LEDGER = (
    Column("batch", "BIGINT", "the refine batch that counted it"),
    Column("bronze_file", "VARCHAR", "the object that was read"),
    Column("received_hour", "TIMESTAMPTZ", "hour of receipt"),
    Column("source", "VARCHAR", "who sent it"),
    Column("outcome", "VARCHAR", "stored, duplicate or quarantined"),
    Column("reason", "VARCHAR", "of the quarantined"),
    Column("events", "BIGINT", "how many"),
)

LEDGER_PARTITIONS = (Column("day", "DATE", "day on which the object arrived"),)

_ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "BLOB": pa.binary(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "DECIMAL(18,2)": pa.decimal128(18, 2),
    "DECIMAL(38,2)": pa.decimal128(38, 2),
}


def arrow(columns: Sequence[Column]) -> pa.Schema:
    return pa.schema([(column.name, _ARROW[column.type]) for column in columns])


def type_of(stored: pa.DataType) -> str:
    """Our name of a type, or else Arrow's."""
    return next((name for name, type_ in _ARROW.items() if type_ == stored), str(stored))
