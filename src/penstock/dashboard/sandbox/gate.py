"""The first layer: a text is one SELECT over our tables, with nothing in it that reaches further, or it is refused.

DuckDB's own parser takes the text apart, so that what is looked at is what would run. What is not known to be harmless
among statements, tables and table functions is refused; of the other functions, those that are known to reach out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

import duckdb

from ...errors import QueryError
from .position import place

MOST_BYTES = 20_000
_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_TABLES = {"BASE_TABLE", "TABLE_FUNCTION", "JOIN", "SUBQUERY", "EXPRESSION_LIST", "EMPTY", "EMPTY_FROM", "PIVOT", "CTE"}
_EXPRESSIONS = {
    "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "DEFAULT", "FUNCTION",
    "LAMBDA", "LAMBDA_REF", "OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "WINDOW", "TYPE",
}  # fmt: skip
_TABLE_FUNCTIONS = {"range", "generate_series", "unnest", "json_each", "json_tree", "repeat"}
_REACHES_OUT = re.compile(
    r"(read_|sniff_|parquet_|scan_|write_|copy_|duckdb_|pragma_|pg_|sqlite_|query|which_secret|getenv|getvariable"
    r"|setval|nextval|currval|current_setting|current_query|sleep|json_execute|variant_bytes|force_checkpoint|checkpoint"
    r"|enable_|disable_|truncate_|create_|register_|deregister_|destroy_|parse_duckdb|glob$|.*_scan(_dumb)?$).*"
)
_HINTS = {
    "describe": "the tables and their columns are listed beside the editor",
    "show": "the tables and their columns are listed beside the editor",
    "summarize": "ask for what you need: min(x), max(x), approx_quantile(x, 0.5), count(distinct x)",
    "pivot": "group by both, and choose the chart; or sum(x) filter (where kind = 'a') as a for each column",
    "unpivot": "use a UNION ALL of one SELECT for each column",
    "explain": "the time a query took is shown with its answer",
    "copy": "run the query, and download its answer as CSV, JSON or Parquet",
    "export": "run the query, and download its answer as CSV, JSON or Parquet",
    "set": "times are UTC; no setting can be changed",
    "create": "use WITH name AS (SELECT …) in the query",
}
_NOWHERE = 1 << 63


class Gate:
    """`tables` are the names that may be asked for, as (schema, name); without a schema each may be named too."""

    def __init__(self, tables: Collection[tuple[str, str]]) -> None:
        self._tables = {*tables, *(("", name) for _, name in tables)}
        self._names = sorted({name for _, name in tables})
        self._db = duckdb.connect(config={"threads": 1, "memory_limit": "256MB", "temp_directory": ""})
        self._db.execute("set enable_external_access = false")
        self._db.execute("set lock_configuration = true")

    def check(self, sql: str) -> set[str]:
        """The names of our tables that it asks for. Raises QueryError if it may not run."""
        _check_text(sql)
        with self._db.cursor() as db:
            _check_statement(db, sql)
            tree = _tree(db, sql)
        return {name for part, scope in _parts(tree) if (name := self._checked(sql, part, scope)) is not None}

    def _checked(self, sql: str, part: dict[str, Any], scope: frozenset[str]) -> str | None:
        """The table of ours that this part of the tree names, if it does."""
        if "class" in part and "type" in part:
            _check_expression(sql, part)
            return None
        kind = part.get("type")
        if not isinstance(kind, str) or not ("query_location" in part or kind.endswith("_NODE")):
            return None
        if kind == "SHOW_REF":
            raise _first_word_refused(sql)
        if kind not in _NODES | _TABLES:
            raise _refused(sql, part, f"{kind.removesuffix('_NODE').replace('_', ' ').lower()} is not possible here")
        if kind == "TABLE_FUNCTION":
            _check_table_function(sql, part)
        return self._table(sql, part, scope) if kind == "BASE_TABLE" else None

    def _table(self, sql: str, part: dict[str, Any], scope: frozenset[str]) -> str | None:
        schema, name = (str(part.get(key) or "").lower() for key in ("schema_name", "table_name"))
        path = [step.lower() for step in _path(part)]
        if part.get("at_clause"):
            raise _refused(sql, part, "the tables are as they are now; AT is not possible here")
        if path not in ([name], [schema, name]) or part.get("catalog_name"):
            raise self._no_table(sql, part, ".".join(path))
        if not schema and name in scope:
            return None
        if (schema, name) not in self._tables:
            raise self._no_table(sql, part, ".".join(path))
        return name

    def _no_table(self, sql: str, part: dict[str, Any], name: str) -> QueryError:
        return _refused(sql, part, f"there is no table {name[:100]!r} here", hint=f"there are {', '.join(self._names)}")


def _check_text(sql: str) -> None:
    if not sql.strip().strip(";"):
        raise QueryError(400, "empty", "there is no query")
    try:
        size = len(sql.encode())
    except UnicodeEncodeError:
        raise QueryError(400, "not_text", "the query is not Unicode text") from None
    if size > MOST_BYTES:
        raise QueryError(400, "too_long", f"the query has {size:,} bytes; {MOST_BYTES:,} are possible")
    if "\0" in sql:
        raise QueryError(400, "not_text", "the query has a NUL character in it")


def _check_statement(db: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        statements = db.extract_statements(sql)
        kinds = [statement.type for statement in statements]
    except duckdb.ParserException:
        return  # `_tree` says where
    except (duckdb.Error, ValueError):  # a kind of statement that is newer than its name in Python
        raise _first_word_refused(sql) from None
    if not kinds:
        raise QueryError(400, "empty", "there is no query")
    if len(kinds) == 1 and kinds[0] == duckdb.StatementType.SELECT:
        return
    if len(kinds) == 1 or kinds[0] == duckdb.StatementType.MULTI:
        raise _first_word_refused(sql)
    raise QueryError(
        400, "one_statement", f"these are {len(kinds)} statements; run them one by one", hint="select one, and run it"
    )


def _tree(db: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    """What DuckDB's parser makes of it."""
    try:
        [(text,)] = db.execute("select json_serialize_sql($1::varchar)", [sql]).fetchall()
        found: dict[str, Any] = json.loads(text)
    except (duckdb.Error, RecursionError):
        raise QueryError(400, "too_deep", "the query is nested too deep") from None
    if found["error"] and found.get("error_type") == "parser":
        line, column = place(sql, found.get("position"))
        raise QueryError(400, "syntax", found["error_message"], line=line, column=column)
    if found["error"] or len(found["statements"]) != 1:
        raise _first_word_refused(sql)
    return found


def _parts(tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Every part of the tree, with the names that WITH gives where it stands: those before it, and around it."""
    waiting: list[tuple[Any, frozenset[str]]] = [(tree, frozenset())]
    while waiting:
        part, scope = waiting.pop()
        if isinstance(part, list):
            waiting += ((each, scope) for each in part)
        if not isinstance(part, dict):
            continue
        for entry in (part.get("cte_map") or {}).get("map") or []:
            waiting.append((entry["value"], scope))
            scope |= {entry["key"].lower()}
        yield part, scope
        if part.get("type") == "RECURSIVE_CTE_NODE":
            waiting.append((part.get("left"), scope))
            scope |= {str(part.get("cte_name")).lower()}
            waiting += ((value, scope) for key, value in part.items() if key not in ("cte_map", "left"))
        else:
            waiting += ((value, scope) for key, value in part.items() if key != "cte_map")


def _check_expression(sql: str, part: dict[str, Any]) -> None:
    kind = part["class"]
    if kind == "PARAMETER":
        raise _refused(sql, part, "a query has no parameters here", hint="write the value itself")
    if kind not in _EXPRESSIONS:
        raise _refused(sql, part, f"{str(kind).lower()} is not possible here")
    for name in _names_of(part):
        if _REACHES_OUT.fullmatch(name):
            raise _refused(sql, part, f"the function {name[:100]} is not possible here")


def _check_table_function(sql: str, part: dict[str, Any]) -> None:
    names = _names_of(part.get("function") or {})
    if not names or not names <= _TABLE_FUNCTIONS:
        name = ".".join(sorted(names))[:100]
        raise _refused(
            sql, part, f"the table function {name} is not possible here", hint="there is nothing to read but the tables"
        )


def _names_of(function: dict[str, Any]) -> set[str]:
    """All that it says it is called; of `main.range` the parts, so that a schema is no way around."""
    return {str(name).lower() for name in (function.get("function_name"), *_path(function)) if name}


def _path(part: dict[str, Any]) -> list[str]:
    return [str(step) for step in (part.get("qualified_name") or {}).get("path") or []]


def _refused(sql: str, part: dict[str, Any], message: str, hint: str = "") -> QueryError:
    position = part.get("query_location", _NOWHERE)
    line, column = place(sql, position if position < _NOWHERE else None)
    return QueryError(400, "not_allowed", message, hint=hint, line=line, column=column)


def _first_word_refused(sql: str) -> QueryError:
    word = next(iter(re.findall(r"[a-z_]+", re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL).lower())), "")
    if word in ("select", "with", "from", ""):
        within = next((other for other in ("pivot", "describe", "summarize", "show") if other in sql.lower()), "")
        return QueryError(400, "not_allowed", "only a SELECT can be run here", hint=_HINTS.get(within, ""))
    return QueryError(
        400, "not_allowed", f"only a SELECT can be run here, not {word.upper()[:30]}", hint=_HINTS.get(word, "")
    )
