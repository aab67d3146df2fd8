"""Downloads and cells: hostile text, odd values, every type; read again with other readers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penstock.dashboard.sandbox import frames
from penstock.dashboard.sandbox.formats import Format, Writer, cells

TYPES = (
    "true",
    "1::tinyint",
    "18446744073709551615::ubigint",
    "170141183460469231731687303715884105727::hugeint",
    "1.5::float",
    "'nan'::double",
    "'-inf'::double",
    "1.50::decimal(10, 2)",
    "'x'",
    "null",
    "'\\xff'::blob",
    "'abc'::blob",
    "date '2026-02-01'",
    "date '290309-01-01'",
    "'infinity'::date",
    "time '10:00'",
    "timestamp '2026-02-01 12:00:00'",
    "timestamptz '2026-02-01 12:00:00.5+00'",
    "timestamp '290309-12-21 00:00:00'",
    "timestamp_ns '2026-02-01 00:00:00.1'",
    "interval 1 month",
    "uuid '00000000-0000-0000-0000-000000000001'",
    "'101'::bit",
    "'a'::enum('a', 'b')",
    "[1, null, 3]",
    "{'a': 1, 'b': [{'c': 'nan'::double}]}",
    "map {'k': 1}",
    "union_value(k := 1)",
    "'[1]'::json",
    "'-5'::bignum",
    "[]",
)


def answer(*values: str, names: Sequence[str] | None = None) -> pa.Table:
    """A row of these SQL expressions, as it comes out of a query's process."""
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        found = db.sql(f"select {', '.join(f'{value} as c{n}' for n, value in enumerate(values))}").to_arrow_table()
    batches = [frames.batch(frames.stored(batch)) for batch in found.to_batches()]
    return pa.Table.from_batches(batches).rename_columns(names or found.column_names)


def written(format: Format, table: pa.Table) -> bytes:
    writer = Writer(format, table.column_names)
    return b"".join([*(writer.add(batch) for batch in table.to_batches()), writer.end()])


@pytest.mark.parametrize("value", TYPES)
def test_every_type_can_be_shown_and_downloaded(value: str) -> None:
    table = answer(value)
    text = json.dumps(cells(table), allow_nan=False)
    [row] = json.loads(written(Format.json, table), parse_constant=pytest.fail)
    assert list(row) == ["c0"] and json.loads(text)
    assert len(list(csv.reader(io.StringIO(written(Format.csv, table).decode())))) == 2
    assert pq.read_table(pa.BufferReader(written(Format.parquet, table))).num_rows == 1


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("9007199254740993", "9007199254740993"),
        ("-9007199254740992", -9007199254740992),
        ("'nan'::double", "NaN"),
        ("['inf'::double]", ["Infinity"]),
        ("timestamptz '2026-02-01 12:00:00+00'", "2026-02-01T12:00:00.000000Z"),
        ("'abc'::blob", "abc"),
        ("'\\xff'::blob", "\\xFF"),
        ("'<b>' || chr(0)", "<b>\0"),
        ("null", None),
        ("{'a': [1, null]}", {"a": [1, None]}),
    ],
)
def test_cells(value: str, cell: Any) -> None:
    assert cells(answer(value)) == [[cell]]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("x")', '\'=HYPERLINK("x")'),
        ("+1", "+1"),
        ("-1.5e3", "-1.5e3"),
        ("-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"),
        ("+cmd", "'+cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ('a,b\n"c"', 'a,b\n"c"'),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_csv_runs_in_no_spreadsheet(text: str, cell: str) -> None:
    quoted = text.replace("'", "''")
    data = written(Format.csv, answer(f"'{quoted}'", "-5", names=[text or "x", "n"])).decode()
    head, row = csv.reader(io.StringIO(data, newline=""))
    assert row == [cell, "-5"]
    assert head[0][:1] not in ("=", "+", "-", "@", "\t", "\r")


def test_numbers_stay_numbers() -> None:
    data = written(Format.csv, answer("-1.5::decimal(4, 1)", "-2::double", "timestamptz '2026-02-01 12:00:00+00'"))
    assert data.decode().splitlines()[1] == '-1.5,-2,"2026-02-01T12:00:00.000000Z"'


@pytest.mark.parametrize(("format", "empty"), [(Format.csv, b'"c0","c1"\n'), (Format.json, b"[]\n")])
def test_no_rows(format: Format, empty: bytes) -> None:
    writer = Writer(format, ["c0", "c1"])
    nothing = frames.empty(answer("1", "'x'").schema)
    assert writer.add(nothing) + writer.end() == empty


def test_no_rows_in_parquet() -> None:
    writer = Writer(Format.parquet, ["c0"])
    data = writer.add(frames.empty(answer("1").schema)) + writer.end()
    assert pq.read_table(pa.BufferReader(data)).schema.names == ["c0"]


@pytest.mark.parametrize("format", list(Format))
def test_names_that_are_the_same_are_told_apart(format: Format) -> None:
    data = written(format, answer("1", "2", "3", names=["a", "A", 'b"']))
    if format is Format.parquet:
        assert pq.read_table(pa.BufferReader(data)).schema.names == ["a", "A_1", 'b"']
    elif format is Format.json:
        assert json.loads(data) == [{"a": 1, "A_1": 2, 'b"': 3}]
    else:
        assert next(csv.reader(io.StringIO(data.decode()))) == ["a", "A_1", 'b"']


def test_bytes_that_are_no_rows_are_refused() -> None:
    whole = frames.stored(answer("1", "'é'").to_batches()[0])
    for broken in (b"", whole[:40], whole.replace("é".encode(), b"\xff\xfe")):
        with pytest.raises((pa.ArrowInvalid, StopIteration, OSError)):
            frames.batch(broken)
