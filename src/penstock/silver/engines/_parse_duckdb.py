"""Table `lines` (file, source, arrival, number, text) → SQL for `parsed`: every wire column as text, by dialect.

One `from_json` per line, with a structure made from the dialect's paths. A line that is no JSON has a reason and NULLs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb

from ...collect.dialects import Dialect
from ...collect.dialects.segment import TYPES as SEGMENT_TYPES
from ...collect.stamp import MARK
from ..schema import Schema, parts

_ENVELOPE = ("received_at", "source", "user_agent", "sent_ts", "event_id", "reason")
_MUST_BE_TEXT = {"event_id": r"[\[{]", "event_type": r"[\[{0-9-]"}
"""Columns where only a text will do, and how other JSON starts; an id that is a number is taken as its digits."""

_EMPTY = """
    select ''::varchar as bronze_file, 0::bigint as bronze_line, false as stamped, ''::varchar as dialect,
           null::varchar as known_reason, ''::varchar as source, timestamp '1970-01-01' as received_at,
           null::varchar as made_id,
           true as event_id_is_text, true as event_type_is_text,
"""


Found = dict[tuple[bool, str], set[str]]
"""(stamped by our collector, dialect) → the top-level fields that occur in such lines."""


def probe(db: duckdb.DuckDBPyConnection) -> Found:
    """Make the view `spoken`, the lines with their dialect; returns what there is to be parsed.

    A field that does not occur need not be looked for: most senders use a third of the columns.
    """
    # NUL cannot be stored as text everywhere, so it becomes the replacement character; bronze keeps what was sent.
    nul = db.execute("select 1 from lines where contains(line, '\\u0000') limit 1").fetchall()
    line = "replace(line, '\\u0000', '\\ufffd')" if nul else "line"
    found = _fields(db, line, "'events'")
    if "messageId" in found.get((False, "events"), ()):
        kinds = "|".join(sorted(SEGMENT_TYPES))
        sniff = f"""case when contains(line, '"messageId"') and regexp_matches(line, '"type"\\s*:\\s*"({kinds})"')
                    then 'segment' else 'events' end"""
        found = _fields(db, line, sniff)
    return found


def _fields(db: duckdb.DuckDBPyConnection, line: str, dialect_of_others: str) -> Found:
    try:
        return _fields_of(db, line, dialect_of_others, "line")
    except duckdb.Error:
        # Some line is no JSON. TRY alone takes every line near such a one by itself, which is four times slower.
        return _fields_of(db, line, dialect_of_others, "case when json_valid(line) then line end")


def _fields_of(db: duckdb.DuckDBPyConnection, line: str, dialect_of_others: str, readable: str) -> Found:
    mark = MARK.decode()
    db.execute(
        f"""
        create or replace temp view spoken as
        select *, {readable} as readable from (
        select bronze_file::varchar as bronze_file, bronze_line, source::varchar as sender, arrived, {line} as line,
               starts_with(line, '{mark}') as stamped,
               case when starts_with(line, '{mark}') then split_part(substr(line, {len(mark) + 1}, 40), '"', 1)
                    else {dialect_of_others} end as dialect
        from lines)
        """
    )
    rows = db.execute(
        """
        select stamped, dialect, any_value(fields) from (
            select stamped, dialect,
                   case when stamped then json_keys(readable, '$.event') else json_keys(readable) end as fields
            from spoken
        ) group by stamped, dialect, hash(fields) order by all
        """
    ).fetchall()
    found: Found = {}
    for stamped, dialect, fields in rows:
        found.setdefault((stamped, dialect), set()).update(fields or ())
    return found


def parsed_sql(found: Found, schema: Schema) -> str:
    """The query for `parsed`, over the view `spoken`."""
    alone = len(found) == 1
    groups = [
        _group(stamped, _reduced(name, fields, schema), schema, name, alone)
        for (stamped, name), fields in found.items()
    ]
    nothing = _EMPTY + ", ".join(f"null::varchar as {name}" for name in schema.wire) + " where false"
    return " union all ".join(groups) or nothing


def columns_in(found: Found, schema: Schema) -> set[str]:
    """The wire columns that may be there."""
    there = {
        column
        for (_, name), fields in found.items()
        for column, paths in _reduced(name, fields, schema).paths.items()
        if paths
    }
    if any(stamped for stamped, _ in found):
        there |= {"sent_ts", "user_agent"}
    return there


def _reduced(name: str, fields: set[str], schema: Schema) -> Dialect:
    """The dialect, without the paths that cannot lead anywhere."""
    known = schema.dialects
    dialect = known.get(name, known["events"])
    paths = {c: tuple(path for path in paths if parts(path)[0] in fields) for c, paths in dialect.paths.items()}
    return replace(dialect, paths=paths)


def _group(stamped: bool, dialect: Dialect, schema: Schema, name: str, alone: bool) -> str:
    """The lines of one dialect, written by our collector (`stamped`) or by others; `alone` if there are no more."""
    shape, apart = structure(dialect)
    if stamped:
        shape = {**dict.fromkeys(_ENVELOPE, "VARCHAR"), "event": shape}
    event = 'j."event".' if stamped else "j."

    def first(column: str) -> str:
        places = [
            f"apart[{apart.index(path) + 1}]" if path in apart else event + _quoted(path)
            for path in dialect.paths.get(column, ())
        ]
        if not places:
            return "null::varchar"
        return "coalesce(" + ", ".join(f"nullif({place}, '')" for place in places) + ")"

    columns = {column: first(column) for column in schema.wire}
    is_text = {
        column: _is_text(columns[column], dialect.paths.get(column, ()), stamped, others)
        for column, others in _MUST_BE_TEXT.items()
    }
    if dialect.event_types:
        cases = " ".join(f"when '{sent}' then '{ours}'" for sent, ours in dialect.event_types.items())
        columns["event_type"] = f"case {columns['event_type']} {cases} else {columns['event_type']} end"
    if stamped:
        columns["sent_ts"] = f"coalesce({columns['sent_ts']}, j.sent_ts)"
        columns["user_agent"] = f"coalesce({columns['user_agent']}, j.user_agent)"
        who = (
            "coalesce(j.source, 'default') as source,"
            " coalesce(try_cast(j.received_at as timestamp), arrived) as received_at, j.event_id as made_id"
        )
        known = "j.reason"
    else:
        who = (
            f"sender as source, arrived as received_at, case when {columns['event_id']} is null"
            " then md5(bronze_file || ':' || bronze_line)::uuid::varchar end as made_id"
        )
        known = "case when ltrim(line)[1] <> '{' then 'not_an_object' end"
    texts = ", ".join(f"{sql} as {column}_is_text" for column, sql in is_text.items())
    beside = f", try(json_extract_string(readable, [{', '.join(_pointers(apart, stamped))}])) as apart" if apart else ""
    literal = name.replace("'", "''")
    where = "" if alone else f"where stamped = {str(stamped).lower()} and dialect = '{literal}'"
    return f"""
        select bronze_file, bronze_line, {str(stamped).lower()} as stamped, '{literal}' as dialect,
               case when j is null and not coalesce(json_valid(line), false) then 'malformed_json' else {known} end
                   as known_reason,
               {who}, {texts}, {", ".join(f"{sql} as {column}" for column, sql in columns.items())}
        from (
            select *, try(from_json(readable, {_literal(json.dumps(shape))})) as j {beside}
            from spoken {where}
        )
    """


def structure(dialect: Dialect) -> tuple[dict[str, Any], list[str]]:
    """The nested shape that holds the paths, and the paths that it cannot hold.

    These are both a value and the start of others, or differ from others in upper and lower case only, which DuckDB's
    structures do not tell apart.
    """
    names = {path: parts(path) for paths in dialect.paths.values() for path in paths}
    parents = {each[:end] for each in names.values() for end in range(1, len(each))}
    shape: dict[str, Any] = {}
    apart: list[str] = []
    spelled: dict[tuple[str, ...], tuple[str, ...]] = {}
    for path, each in names.items():
        starts = {tuple(name.casefold() for name in each[:end]): each[:end] for end in range(1, len(each) + 1)}
        if each in parents or any(spelled.get(folded, start) != start for folded, start in starts.items()):
            apart.append(path)
            continue
        spelled.update(starts)
        level = shape
        for parent in each[:-1]:
            level = level.setdefault(parent, {})
        level[each[-1]] = "VARCHAR"
    return shape or {"none": "VARCHAR"}, apart


def _is_text(sql: str, paths: Sequence[str], stamped: bool, others: str) -> str:
    """Whether the value was a JSON text. Only what starts like something else is looked at a second time."""
    kinds = ", ".join(f"json_type(line, {pointer})" for pointer in _pointers(paths, stamped))
    if not kinds:
        return "true"
    return f"case when regexp_matches(left({sql}, 1), '{others}') then coalesce({kinds}) = 'VARCHAR' else true end"


def _pointers(paths: Sequence[str], stamped: bool) -> list[str]:
    """JSON pointers, as SQL; unlike DuckDB's own paths they can say any name."""
    start = ["event"] if stamped else []
    return [
        _literal("".join("/" + name.replace("~", "~0").replace("/", "~1") for name in [*start, *parts(path)]))
        for path in paths
    ]


def _quoted(path: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in parts(path))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
