"""A statement → its answer by Spark SQL, over those files of silver's newest version that it needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from ...errors import PenstockError
from ...settings import Settings
from ...silver import snapshot
from ...silver.commit import Table
from ...silver.engines.spark import session
from ...silver.lake import Silver
from ..statement import Statement
from ..text import Dialect, dialect_sql, inlined
from . import Tell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame

_VIEW = "penstock_events"
_TYPES = {"VARCHAR": "string", "TIMESTAMPTZ": "timestamp", "INTEGER": "int"}
_ARROW = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "timestamp_ntz": pa.timestamp("us"),
    "void": pa.null(),
}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


class Spark:
    """Over the table `events`; in the session that runs, or else in one with these options.

    Where `spark-submit` or Glue made the session, Spark has to be able to read the lake's URL.
    """

    def __init__(self, events: Table, options: Mapping[str, str] | None = None) -> None:
        self._events = events
        self._spark = session({"spark.sql.session.timeZone": "UTC", **(options or {})})

    def sql(self, told: Statement) -> str:
        return dialect_sql(inlined(told.sql, told.values), Dialect.spark, {"silver.events": ("", _VIEW)})

    def ask(self, told: Statement) -> pa.Table:
        zone = self._spark.conf.get("spark.sql.session.timeZone")
        self._spark.conf.set("spark.sql.session.timeZone", "UTC")
        try:
            self._rows(told).createOrReplaceTempView(_VIEW)
            return _table(self._spark.sql(self.sql(told)))
        except PySparkException as error:
            why = str(error).split("JVM stacktrace")[0].strip()[:500]
            raise PenstockError(f"Spark has no answer: {why}", hint=self._hint(why)) from error
        finally:
            self._spark.conf.set("spark.sql.session.timeZone", str(zone))

    def _hint(self, why: str) -> str:
        if self._events.root is None and "FileSystem" in why:
            return "Spark itself reads the bucket: on Glue and EMR it can, elsewhere set up hadoop-aws for s3://"
        return ""

    def _rows(self, told: Statement) -> DataFrame:
        """Of the newest version, without files that are too old by their statistics."""
        columns = self._events.shown()
        schema = ", ".join(f"`{column.name}` {_TYPES.get(column.type, column.type)}" for column in columns)
        handle = self._events.open()
        paths = sorted(self._events.sizes()) if told.since is None else snapshot.since(handle, told.since)
        if not paths:
            return self._spark.createDataFrame([], schema)
        place = self._events.root or self._events.url  # Spark takes a URL's %20 for part of a name
        return self._spark.read.schema(schema).parquet(*(f"{place}/{path}" for path in paths))

    def close(self) -> None:
        """The session stays: others of this process may use it."""


def open(silver: Silver, settings: Settings, tell: Tell) -> Spark:
    return Spark(silver.events, settings.refine.spark)


def _table(frame: DataFrame) -> pa.Table:
    """Times go as numbers: as Python's they would be told in this machine's zone."""
    kinds = {field.name: field.dataType.simpleString() for field in frame.schema}
    plain = [F.unix_micros(frame[n]).alias(n) if kind == "timestamp" else frame[n] for n, kind in kinds.items()]
    rows = frame.select(*plain).collect()
    columns = {name: pa.array([row[n] for row in rows], _plain(kind)) for n, (name, kind) in enumerate(kinds.items())}
    return pa.table({name: values.cast(_arrow(kinds[name])) for name, values in columns.items()})


def _plain(kind: str) -> pa.DataType:
    return pa.int64() if kind == "timestamp" else _arrow(kind)


def _arrow(kind: str) -> pa.DataType:
    if found := _DECIMAL.fullmatch(kind):
        return pa.decimal128(int(found[1]), int(found[2]))
    return _ARROW[kind]
