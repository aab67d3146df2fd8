"""Silver on DuckDB: lines of bronze in memory → cleaned rows, the new among them, and Parquet files with statistics.

Only the step from text to `parsed` is DuckDB's own; the rest is `clean.sql`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from ...bronze.layout import source
from ...bronze.lines import Lines
from .. import lookups, snapshot
from ..actions import DataFile
from ..batch import Engine, Read, came, day, read_object
from ..bookmark import Plan
from ..columns import EVENTS, LEDGER, LEDGER_PARTITIONS, PARTITIONS, QUARANTINE, Column
from ..judge import judge_properties
from ..lake import Lake, Silver
from ..schema import NOTHING_ADDED, Extra, Schema
from . import Count, Made
from ._parse_duckdb import columns_in, parsed_sql, probe
from ._write_duckdb import ROW_GROUP, column_list, write, write_partition

_READERS = 2
_LINES = pa.schema(
    [
        ("bronze_file", pa.dictionary(pa.int32(), pa.string())),
        ("source", pa.dictionary(pa.int32(), pa.string())),
        ("arrived", pa.timestamp("us")),
        ("bronze_line", pa.int64()),
        ("line", pa.large_string()),
    ]
)


def make(lake: Lake, silver: Silver, plan: Plan, asked: Engine) -> Made:
    """A batch, in this process."""
    engine = DuckDB(lake.schema, memory_limit=asked.memory_limit)
    damaged = 0
    try:
        with ThreadPoolExecutor(_READERS) as readers:
            for key, read in zip(plan.inputs, readers.map(partial(read_object, lake.bronze), plan.inputs), strict=True):
                damaged += not engine.take(key, read)
        engine.clean()
        engine.dedupe(known(silver, engine))
        with TemporaryDirectory(prefix="penstock-") as stage:
            made = engine.write_made(silver, plan.batch, Path(stage))
            return replace(made, ledger=write_ledger(engine, silver, made.counts, Path(stage)), damaged=damaged)
    finally:
        engine.close()


def known(silver: Silver, engine: DuckDB) -> list[str]:
    """Where files lie that may hold a copy of one of the engine's events."""
    paths = snapshot.may_hold(silver.events, engine.hours(), also_unplaced=engine.any_without_clock())
    return silver.events.here(paths)


def write_ledger(engine: DuckDB, silver: Silver, counts: Sequence[Count], stage: Path) -> list[DataFile]:
    """The ledger's files of a batch, durable."""
    rows = [(*row, day(row[1])) for row in counts]
    found = engine.write_rows(rows, silver.ledger.folder(stage), LEDGER, LEDGER_PARTITIONS)
    silver.ledger.make_durable(found, stage)
    return found


class DuckDB:
    """One batch: give it lines, run it, take what comes out. Not reused."""

    def __init__(
        self,
        schema: Schema = NOTHING_ADDED,
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
        spill: Path | None = None,
    ) -> None:
        self._schema = schema
        config: dict[str, Any] = {"allow_unsigned_extensions": False, "autoinstall_known_extensions": False}
        if memory_limit:
            config["memory_limit"] = memory_limit
        if threads:
            config["threads"] = threads
        if spill:
            config["temp_directory"] = str(spill)
        self._db = duckdb.connect(config=config)
        self._db.execute("set timezone = 'UTC'")
        self._db.execute("set preserve_insertion_order = false")
        self._db.execute(
            "create table rejects (bronze_file varchar, bronze_line bigint, received_at timestamptz,"
            " reason varchar, detail varchar, raw blob, source varchar)"
        )
        self._lines: list[pa.Table] = []
        self._kept: Sequence[Column] = EVENTS
        self.own: Sequence[Extra] = ()

    def close(self) -> None:
        self._db.close()

    # in

    def take(self, key: str, read: Read) -> bool:
        """An object as it was read; False if it could not be, and so counts as one bad line."""
        if isinstance(read, Lines):
            self.add(key, came(key), read)
            return True
        bad, raw = read
        self.reject(key, 0, came(key), bad.reason, str(bad), raw)
        return False

    def add(self, key: str, received_at: datetime, lines: Lines) -> None:
        """The lines of one object; `received_at` is for lines that do not say it themselves."""
        count = len(lines.text)
        if count:
            index = pa.array(np.zeros(count, np.int32))
            file, sender = (pa.DictionaryArray.from_arrays(index, [text]) for text in (key, source(key)))
            arrived = pa.repeat(pa.scalar(received_at, _LINES.field("arrived").type), count)
            self._lines.append(pa.table([file, sender, arrived, lines.number, lines.text], schema=_LINES))
        for number, reason, raw in lines.bad:
            self.reject(key, number, received_at, reason, "", raw)

    def reject(self, key: str, line: int, received_at: datetime, reason: str, detail: str, raw: bytes) -> None:
        """One line, or with line 0 a whole file, that could not be read."""
        row = [key, line, received_at, reason, detail, raw, source(key)]
        self._db.execute("insert into rejects values (?, ?, ?, ?, ?, ?, ?)", row)

    # work

    def clean(self) -> None:
        """Lines → table `cleaned`, every line once, with its reason if it is no event."""
        self._db.register("lines", pa.concat_tables(self._lines) if self._lines else _LINES.empty_table())
        found = probe(self._db)
        there = columns_in(found, self._schema)
        parsed = self._schema.typed_sql(parsed_sql(found, self._schema), there)
        self._db.execute(f"create temp view parsed as {parsed}")
        self._look_up(there)
        self._kept = [c for c in EVENTS if not c.needs or not there.isdisjoint(c.needs)]
        self.own = self._schema.there(there)
        names = ", ".join([column_list((*self._kept, *PARTITIONS)), *(extra.value for extra in self.own)])
        sql = self._schema.clean_sql(there)
        self._db.execute(f"create temp table cleaned as select {names}, reason, detail from ({sql})")

    def hours(self) -> list[datetime]:
        """The hours, by both clocks, in which the new events happened."""
        rows = self._db.execute(
            f"select distinct {_hour('event_ts')} from cleaned where reason is null union "
            f"select distinct {_hour('client_ts')} from cleaned where reason is null and client_ts is not null"
        ).fetchall()
        return [row[0].astimezone(UTC) for row in rows]

    def any_without_clock(self) -> bool:
        """Whether an event with an id of its own has no time of its own."""
        return bool(
            self._db.execute("select 1 from cleaned where reason is null and client_ts is null limit 1").fetchall()
        )

    def ids(self) -> pa.Table:
        """Of each event: source, event_id, received_at, bronze_file, bronze_line, and its hours by both clocks.

        Times in microseconds since 1970, client_hour null without a clock.
        """
        return self._db.sql(
            f"""
            select source, event_id, epoch_us(received_at) as received_us, bronze_file, bronze_line,
                   epoch_us({_hour("event_ts")}) as event_hour, epoch_us({_hour("client_ts")}) as client_hour
            from cleaned where reason is null
            """
        ).to_arrow_table()

    def repeat(self, lines: pa.Table) -> None:
        """As `dedupe`, by somebody who sees more: (bronze_file, bronze_line) of the rows that are not the first."""
        self._db.register("told", lines)
        self._db.execute("create temp table repeated as select * from told")
        self._db.unregister("told")

    def dedupe(self, known_files: Iterable[str]) -> None:
        """Mark rows whose (source, event_id) is in `known_files`, or earlier in this batch: the first wins."""
        known = snapshot.read_sql(known_files, [column for column in EVENTS if column.name in ("source", "event_id")])
        self._db.execute(
            f"""
            create temp table repeated as
            select bronze_file, bronze_line from (
                select bronze_file, bronze_line,
                       row_number() over (partition by source, event_id
                                          order by received_at, bronze_file, bronze_line) as nth
                from cleaned
                where reason is null and (source, event_id) in (
                    select (source, event_id) from cleaned where reason is null
                    group by source, event_id having count(*) > 1)
            ) where nth > 1
            union
            select c.bronze_file, c.bronze_line from cleaned as c
            semi join ({known}) as k on k.source = c.source and k.event_id = c.event_id
            where c.reason is null
            """
        )

    # out

    def write_made(self, silver: Silver, batch: int, stage: Path) -> Made:
        """The batch as durable files of that generation of silver, and what its ledger is to say."""
        quarantine = self.write_quarantine(silver.quarantine.folder(stage), batch, QUARANTINE)
        events = self.write_events(silver.events.folder(stage))
        silver.quarantine.make_durable(quarantine, stage)
        silver.events.make_durable(events, stage)
        return Made(quarantine, [], events, self.ledger(batch), 0)

    def write_events(self, folder: Path) -> list[DataFile]:
        """New events as Parquet below `folder`, one folder per hour."""
        columns = [*EVENTS, *self._schema.columns]
        there = {column.name: column.name for column in self._kept} | {own.name: own.value for own in self.own}
        values = ", ".join(f'{there.get(c.name, f"null::{c.type}")} as "{c.name}"' for c in columns)
        new = (
            f"select {values}, {column_list(PARTITIONS)} from cleaned as c {self._first_only()} where c.reason is null"
        )
        hours = self._db.execute(
            f"select {column_list(PARTITIONS)}, count(*) from cleaned where reason is null group by all order by all"
        ).fetchall()
        # DuckDB writes one partition with one thread, so the big hours are written for themselves.
        big = [hour for *hour, count in hours if count > ROW_GROUP and hour[0] is not None]
        found = [file for hour in big for file in self._write_hour(new, folder, hour, alone=len(hours) == 1)]
        if len(big) == len(hours):
            return found
        rest = "".join(f" and not coalesce({_is_hour(hour)}, false)" for hour in big)
        return found + self.write(new + rest, folder, columns, PARTITIONS)

    def _first_only(self) -> str:
        """A join that leaves repeated rows out; most batches have none."""
        if not self._db.execute("select 1 from repeated limit 1").fetchall():
            return ""
        return "anti join repeated as r on r.bronze_file = c.bronze_file and r.bronze_line = c.bronze_line"

    def _write_hour(self, sql: str, folder: Path, hour: Sequence[int], *, alone: bool) -> list[DataFile]:
        partition = {column.name: str(value) for column, value in zip(PARTITIONS, hour, strict=True)}
        inner = "/".join(f"{name}={value}" for name, value in partition.items())
        only = "" if alone else f" and {_is_hour(hour)}"
        columns = [*EVENTS, *self._schema.columns]
        files = self.write(f"select {column_list(columns)} from ({sql}{only})", folder / inner, columns)
        return [replace(file, path=f"{inner}/{file.path}", partition=partition) for file in files]

    def write_quarantine(self, folder: Path, batch: int, columns: Sequence[Column]) -> list[DataFile]:
        """What is no event, with its bytes."""
        sql = f"""
            select {batch}::bigint as batch, c.reason, c.detail, c.source, c.dialect, c.received_at,
                   encode(rtrim(l.line, chr(13) || chr(10))) as raw, c.bronze_file, c.bronze_line
            from cleaned as c join lines as l on l.bronze_file = c.bronze_file and l.bronze_line = c.bronze_line
            where c.reason is not null
            union all
            select {batch}::bigint, reason, detail, source, null, received_at, raw, bronze_file, bronze_line
            from rejects
        """
        self._db.execute(f"create temp table quarantined as select * from ({sql})")
        [(count,)] = self._db.execute("select count(*) from quarantined").fetchall()
        if not count:
            return []
        return self.write("select * from quarantined order by bronze_file, bronze_line", folder, columns)

    def ledger(self, batch: int) -> list[Count]:
        """Each line counted once."""
        return self._db.execute(
            f"""
            select {batch}::bigint, c.bronze_file, {_hour("c.received_at")} as received_hour, c.source,
                   case when c.reason is not null then 'quarantined'
                        when r.bronze_file is not null then 'duplicate' else 'stored' end as outcome,
                   c.reason, count(*) as events
            from cleaned as c
            left join repeated as r on r.bronze_file = c.bronze_file and r.bronze_line = c.bronze_line
            group by all
            union all
            select {batch}::bigint, bronze_file, date_trunc('hour', received_at), source, 'quarantined', reason,
                   count(*)
            from rejects group by all
            order by all
            """
        ).fetchall()

    def write_rows(
        self, rows: Sequence[Sequence[Any]], folder: Path, columns: Sequence[Column], partitions: Sequence[Column]
    ) -> list[DataFile]:
        """A few rows that are in Python."""
        if not rows:
            return []
        spec = ", ".join(f"{c.name} {c.type}" for c in (*columns, *partitions))
        self._db.execute(f"create or replace temp table handed ({spec})")
        self._db.executemany(f"insert into handed values ({', '.join('?' * (len(columns) + len(partitions)))})", rows)
        return self.write("select * from handed", folder, columns, partitions)

    def write_partition(
        self, sql: str, folder: Path, columns: Sequence[Column], partition: Mapping[str, str | None]
    ) -> list[DataFile]:
        """The rows of `sql`, in their order, as one file of one partition of the table in `folder`."""
        return write_partition(self._db, sql, folder, columns, partition)

    def write(
        self, sql: str, folder: Path, columns: Sequence[Column], partitions: Sequence[Column] = ()
    ) -> list[DataFile]:
        """The rows of `sql` as Parquet in `folder`; file names are new each time, so nothing is ever overwritten."""
        return write(self._db, sql, folder, columns, partitions)

    def ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Any question of the batch: tables `cleaned` and `repeated`, and what was made by this."""
        return self._db.execute(sql, parameters).fetchall()

    def lines_of(self, column: str, value: str) -> list[dict[str, Any]]:
        """Lines of the batch whose event has this value: bronze_file, bronze_line, source, hour of receipt."""
        if column not in {kept.name for kept in self._kept}:
            return []
        rows = self._db.execute(
            f"select bronze_file, bronze_line, source, {_hour('received_at')} as hour from cleaned where {column} = ?",
            [value],
        )
        names = [field[0] for field in rows.description or ()]
        return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]

    # steps

    def _look_up(self, there: AbstractSet[str]) -> None:
        """Tables `agents`, `referrers` and `suspects`; of what is not there, they stay empty."""
        agents = self._distinct("user_agent") if "user_agent" in there else []
        self._fill(
            "agents (user_agent varchar, device varchar, browser varchar, os varchar, is_bot boolean)",
            [self._judged(row[0]) for row in agents if row[0]],
        )
        wanted = ("referrer", "utm_source", "utm_medium")
        origins = [(None, None, None)] if there.isdisjoint(wanted) else self._distinct(", ".join(wanted))
        self._fill(
            "referrers (referrer varchar, utm_source varchar, utm_medium varchar, referrer_host varchar,"
            " channel varchar)",
            [lookups.referrer(*row) for row in origins],
        )
        suspects = (
            self._db.execute(
                "select bronze_file, bronze_line, properties, variants from parsed"
                " where strlen(properties) > 64 or contains(properties, '\"\"') or strlen(variants) > 64"
            ).fetchall()
            if not {"properties", "variants"}.isdisjoint(there)
            else []
        )
        judged = [(file, line, *judge_properties(*texts)) for file, line, *texts in suspects]
        self._fill(
            "suspects (bronze_file varchar, bronze_line bigint, reason varchar, detail varchar)",
            [row for row in judged if row[2] is not None],
        )

    def _judged(self, user_agent: str) -> lookups.Agent:
        known = lookups.agent(user_agent)
        return known._replace(is_bot=known.is_bot or self._schema.is_bot(user_agent))

    def _distinct(self, columns: str) -> list[tuple[Any, ...]]:
        return self._db.execute(f"select distinct {columns} from parsed").fetchall()

    def _fill(self, definition: str, rows: Sequence[Sequence[Any]]) -> None:
        name, _, spec = definition.partition(" ")
        self._db.execute(f"create temp table {name} {spec}")
        if rows:
            columns = [field.split()[0] for field in spec.strip("()").split(",")]
            table = pa.table({c: [row[i] for row in rows] for i, c in enumerate(columns)})
            self._db.register("filling", table)
            self._db.execute(f"insert into {name} select * from filling")
            self._db.unregister("filling")


def _is_hour(hour: Sequence[int]) -> str:
    return "(" + " and ".join(f"{c.name} = {value}" for c, value in zip(PARTITIONS, hour, strict=True)) + ")"


def _hour(column: str) -> str:
    """The hour's start; several times faster than date_trunc, which asks for the time zone's rules."""
    return f"make_timestamptz(epoch_us({column}) // 3600000000 * 3600000000)"
