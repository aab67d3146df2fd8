"""Pages of Athena's results, all of it text → a table in Arrow's types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from ...errors import PenstockError

_KINDS: dict[str, tuple[pa.DataType, Callable[[str], Any]]] = {
    "varchar": (pa.string(), str),
    "char": (pa.string(), str),
    "unknown": (pa.null(), lambda _: None),
    "boolean": (pa.bool_(), lambda text: text == "true"),
    "tinyint": (pa.int8(), int),
    "smallint": (pa.int16(), int),
    "integer": (pa.int32(), int),
    "bigint": (pa.int64(), int),
    "double": (pa.float64(), float),
    "date": (pa.date32(), date.fromisoformat),
    "timestamp": (pa.timestamp("us"), lambda text: datetime.fromisoformat(_six(text))),
    "timestamp with time zone": (
        pa.timestamp("us", tz="UTC"),
        lambda text: datetime.fromisoformat(_six(text.removesuffix(" UTC"))).replace(tzinfo=UTC),
    ),
}


def table(pages: Iterable[dict[str, Any]]) -> pa.Table:
    """`pages`: each a `ResultSet`; the first row of the first one says the columns' names again."""
    columns: list[dict[str, Any]] = []
    values: list[list[str | None]] = []
    for page in pages:
        if not columns:
            columns = page["ResultSetMetadata"]["ColumnInfo"]
            values = [[] for _ in columns]
            page = {**page, "Rows": page["Rows"][1:]}
        for row in page["Rows"]:
            for column, cell in zip(values, row["Data"], strict=True):
                column.append(cell.get("VarCharValue"))
    return pa.table({c["Name"]: _array(c, texts) for c, texts in zip(columns, values, strict=True)})


def _array(column: dict[str, Any], texts: list[str | None]) -> pa.Array:
    kind, read = _kind(column)
    return pa.array([None if text is None else read(text) for text in texts], kind)


def _kind(column: dict[str, Any]) -> tuple[pa.DataType, Callable[[str], Any]]:
    if column["Type"] == "decimal":
        return pa.decimal128(column["Precision"], column["Scale"]), Decimal
    if column["Type"] not in _KINDS:
        raise PenstockError(f"Athena answers column {column['Name']!r} as {column['Type']}, which has no place here")
    return _KINDS[column["Type"]]


def _six(text: str) -> str:
    """A time with as many digits after the point as Python takes."""
    return re.sub(r"(\.\d{1,6})\d*", r"\1", text)
