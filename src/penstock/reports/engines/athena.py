"""A statement → its answer by Athena, over silver's own Delta table in its bucket.

Database, workgroup and table are made if they are missing, by statements that can be read; no crawler. Athena takes the
files and their statistics from the table's log, so there are no partitions to be added or repaired.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pyarrow as pa
import sqlglot
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from ...cost import PRICES
from ...errors import PenstockError, SettingsError
from ...setting_sections import AthenaSettings
from ...settings import Settings
from ...silver import snapshot
from ...silver.lake import Silver
from ..statement import Statement
from ..text import Dialect, dialect_sql, inlined
from . import Tell
from ._athena_rows import table

_LEAST_BYTES = 10_000_000
"""Of which Athena bills every query."""
_LONGEST_STATEMENT_BYTES = 262_144
_PAUSES_SECONDS = (0.1, 0.2, 0.5, 1.0)
_PENDING = ("QUEUED", "RUNNING")
_TB = 1 << 40


class Athena:
    """Over `silver.events`. It refuses what may read more than the settings allow, by the statistics of the files."""

    def __init__(
        self, silver: Silver, settings: AthenaSettings, tell: Tell, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        if not silver.url.startswith("s3://"):
            raise SettingsError(f"Athena reads from S3 only, and this lake is {silver.url}", hint='set lake = "s3://…"')
        self._events = silver.events
        self._settings = settings
        self._tell = tell
        self._sleep = sleep
        self._bucket = silver.url.split("/")[2]
        # A generation of silver has a table of its own: after a rebuild the newer one is read, whoever made the older.
        self.table = f"events_{hashlib.sha256(silver.url.encode()).hexdigest()[:8]}"
        with _said():
            self._client = boto3.session.Session().client("athena", config=Config(retries={"mode": "standard"}))
        self._made = False

    def sql(self, told: Statement) -> str:
        return dialect_sql(
            inlined(told.sql, told.values), Dialect.athena, {"silver.events": (self._settings.database, self.table)}
        )

    def ask(self, told: Statement) -> pa.Table:
        sql = self.sql(told)
        if len(sql.encode()) > _LONGEST_STATEMENT_BYTES:
            raise PenstockError("Athena takes no statement of more than 262,144 bytes", hint="ask with fewer filters")
        self._forecast(told, passes(sql, self.table))
        if not self._made:
            self._make()
        done = self._run(sql)
        read = int(done.get("Statistics", {}).get("DataScannedInBytes", 0))
        self._tell(f"Athena read {_size(read)}: {_dollars(read)}")
        return table(self._pages(str(done["QueryExecutionId"])))

    def _forecast(self, told: Statement, times: int) -> None:
        """Of the files that it may look into, by their statistics; of these Athena reads the columns that it needs."""
        sizes = self._events.sizes()
        paths = sizes.keys() if told.since is None else snapshot.since(self._events.open(), told.since)
        most = times * sum(sizes[path] for path in paths)
        files = f"{len(paths)} of {len(sizes)} files" if len(paths) < len(sizes) else f"all {len(sizes)} files"
        often = "once" if times == 1 else f"{times} times"
        self._tell(f"Athena will read at most {_size(most)}, {files} {often}: at most {_dollars(most)}")
        if most > self._settings.most_bytes:
            raise PenstockError(
                f"this may read {_size(most)}, more than [athena] most_bytes = {_size(self._settings.most_bytes)}",
                hint="ask for less time, or raise most_bytes",
            )

    def _make(self) -> None:
        self._make_workgroup()
        for statement in self.ddl():
            self._run(statement)
        self._made = True

    def ddl(self) -> tuple[str, str]:
        """What makes database and table known, if they are not yet; Athena takes the columns from the table's log."""
        database = self._settings.database
        return (
            f"create database if not exists `{database}`",
            f"create external table if not exists `{database}`.`{self.table}`\n"
            f"location '{self._events.url}/'\ntblproperties ('table_type' = 'DELTA')",
        )

    def _make_workgroup(self) -> None:
        """With a limit that Athena itself keeps to, and a place for results. One that is there stays as it is."""
        name = self._settings.workgroup
        told = {
            "ResultConfiguration": {"OutputLocation": f"s3://{self._bucket}/athena/"},
            "EnforceWorkGroupConfiguration": True,
            "PublishCloudWatchMetricsEnabled": True,
            "BytesScannedCutoffPerQuery": max(int(self._settings.most_bytes), _LEAST_BYTES),
        }
        with _said():
            try:
                self._client.get_work_group(WorkGroup=name)
            except ClientError as error:
                if error.response["Error"]["Code"] != "InvalidRequestException":
                    raise
                self._client.create_work_group(Name=name, Configuration=told, Tags=[{"Key": "penstock", "Value": name}])

    def _run(self, sql: str) -> dict[str, Any]:
        """A statement that is done. Raises PenstockError if Athena refused it or stopped it."""
        with _said():
            asked: dict[str, Any] = {"QueryString": sql, "WorkGroup": self._settings.workgroup}
            if not sql.startswith("create database"):
                asked["QueryExecutionContext"] = {"Database": self._settings.database}
            found = self._client.start_query_execution(**asked)["QueryExecutionId"]
            done = self._wait(found)
        if done["Status"]["State"] != "SUCCEEDED":
            why = done["Status"].get("StateChangeReason", "it does not say why")
            raise PenstockError(f"Athena has no answer: {why}")
        return done

    def _wait(self, asked: str) -> dict[str, Any]:
        """Whoever stops waiting, with Ctrl-C too, also stops the query."""
        try:
            for turn in range(1 << 30):
                done: dict[str, Any] = self._client.get_query_execution(QueryExecutionId=asked)["QueryExecution"]
                if done["Status"]["State"] not in _PENDING:
                    return done
                self._sleep(_PAUSES_SECONDS[min(turn, len(_PAUSES_SECONDS) - 1)])
            raise AssertionError("Athena was never done")
        except BaseException:
            self._client.stop_query_execution(QueryExecutionId=asked)
            raise

    def _pages(self, asked: str) -> Iterator[dict[str, Any]]:
        with _said():
            pages = self._client.get_paginator("get_query_results").paginate(QueryExecutionId=asked)
            yield from (page["ResultSet"] for page in pages)

    def close(self) -> None:
        self._client.close()


def open(silver: Silver, settings: Settings, tell: Tell) -> Athena:
    return Athena(silver, settings.athena, tell)


def passes(sql: str, table: str) -> int:
    """How often the table may be read: Athena runs a named subquery again wherever it is named."""

    def count(scope: Scope) -> int:
        sources = [source for _, source in scope.selected_sources.values()]
        sources += [scope.sources[name] for name in scope.semi_or_anti_join_tables]
        inner = [source for source in sources if isinstance(source, Scope)]
        here = sum(isinstance(source, exp.Table) and source.name == table for source in sources)
        read = _times(scope) * (here + sum(map(count, inner)))
        return read + sum(map(count, (*scope.subquery_scopes, *scope.set_operation_scopes)))

    whole = build_scope(sqlglot.parse_one(sql, read="athena"))
    return count(whole) if whole is not None else 0


def _times(scope: Scope) -> int:
    """It may read once for each column whose different values are counted, and once for all else that is added up."""
    counted = [count for count in scope.find_all(exp.AggFunc) if not isinstance(count.parent, exp.Window)]
    distinct = {each.sql() for count in counted if (each := count.find(exp.Distinct)) is not None}
    return max(1, len(distinct) + any(count.find(exp.Distinct) is None for count in counted))


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise PenstockError(
            f"Athena cannot be asked: {error}",
            hint="are region, credentials and rights right, and the workgroup's name?",
        ) from error


def _size(size: float) -> str:
    """As AWS bills: 1 GB is 2**30 bytes."""
    power = min(int(math.log2(max(size, 1))) // 10, 4)
    return f"{size / (1 << 10 * power):,.{1 if power else 0}f} {('bytes', 'KB', 'MB', 'GB', 'TB')[power]}"


def _dollars(size: float) -> str:
    """At list price; also a query that reads nothing costs as one of 10 MB."""
    price = PRICES["athena_tb"]
    return f"${max(size, _LEAST_BYTES) / _TB * price.price:.6f}"
