"""The columns of a table → Snowflake's DDL for its staged files: read where they are, or loaded by a pipe."""

from __future__ import annotations

from collections.abc import Mapping

_TYPES = {
    "VARCHAR": "varchar", "BIGINT": "bigint", "INTEGER": "integer", "DOUBLE": "double", "BOOLEAN": "boolean",
    "DATE": "date", "TIMESTAMP WITH TIME ZONE": "timestamp_tz", "TIMESTAMP": "timestamp_ntz", "BLOB": "binary",
    "HUGEINT": "decimal(38, 0)",
}  # fmt: skip
_RESERVED = (
    " account all alter and any as between by case cast check column connect connection constraint create cross "
    "current current_date current_time current_timestamp current_user database delete distinct drop else exists "
    "false following for from full grant group having ilike in increment inner insert intersect into is issue "
    "join lateral left like localtime localtimestamp minus natural not null of on or order organization qualify "
    "regexp revoke right rlike row rows sample schema select set some start table tablesample then to trigger "
    "true try_cast union unique update using values view when whenever where with "
)
"""Words that Snowflake takes as a column's name only in quotes."""
_DAY = "to_date(regexp_substr(metadata$filename, 'day=([0-9-]{10})', 1, 1, 'e', 1))"
_FILES = "pattern = '.*[.]parquet' file_format = (format_name = 'penstock_parquet')"

STAGE = """\
-- Upload what `penstock export NAME --into snowflake-stage --out FOLDER` wrote, and delete there what is gone here:
--   aws s3 sync FOLDER s3://YOUR-BUCKET/penstock/ --delete
-- Put your bucket and your storage integration here.
create file format if not exists penstock_parquet type = parquet use_logical_type = true binary_as_text = false;

create stage if not exists penstock
    url = 's3://YOUR-BUCKET/penstock/'
    storage_integration = YOUR_INTEGRATION;"""


def ddl(name: str, columns: Mapping[str, str]) -> str:
    """Statements with comments, after those of STAGE. `columns` is name → DuckDB's type."""
    return "\n\n".join([_external(name, columns), _table(name, columns), _load(name, columns), _view(name)])


def _external(name: str, columns: Mapping[str, str]) -> str:
    listed = [f"    staged_day date as ({_DAY})"]
    listed += [f'    {_name(column)} {_type(k)} as (value:"{column}"::{_type(k)})' for column, k in columns.items()]
    body = ",\n".join(listed)
    return (
        f"-- 1. Read the files where they are: `{name}_external` shows what lies in the stage now.\n"
        "-- auto_refresh needs the bucket's event notifications; the queue is in `show external tables`.\n"
        f"create or replace external table {name}_external (\n{body}\n)\n"
        f"partition by (staged_day) location = @penstock/{name}/ auto_refresh = true {_FILES};"
    )


def _table(name: str, columns: Mapping[str, str]) -> str:
    listed = [f"    {_name(column)} {_type(kind)}" for column, kind in columns.items()]
    body = ",\n".join([*listed, "    staged_day date", "    staged_at timestamp_ntz"])
    return (
        "-- 2. Or load them: faster to ask, and takes its own storage.\n"
        f"create table if not exists {name}_loaded (\n{body}\n);"
    )


def _load(name: str, columns: Mapping[str, str]) -> str:
    names = ", ".join([*map(_name, columns), "staged_day", "staged_at"])
    values = ",\n    ".join([*(f'$1:"{column}"::{_type(kind)}' for column, kind in columns.items()), _DAY])
    copy = (
        f"copy into {name}_loaded ({names})\nfrom (select\n    {values},\n    metadata$file_last_modified\n"
        f"    from @penstock/{name}/)\n{_FILES};"
    )
    return (
        "-- What is in the stage already. Files that were loaded before are not loaded again.\n"
        f"{copy}\n\n"
        "-- What comes later, as soon as it comes; the queue for the bucket's notifications is in `show pipes`.\n"
        f"create pipe if not exists {name}_pipe auto_ingest = true as\n{copy}"
    )


def _view(name: str) -> str:
    return (
        "-- A day that changed is staged again as another file: of each day, the newest file counts.\n"
        "-- Rows of the older ones stay in the table until you delete them, also those of a person who was erased,\n"
        "-- and a day that has no rows any more is not staged again.\n"
        f"create or replace view {name} as\n"
        f"select * exclude (staged_at) from {name}_loaded\n"
        "qualify staged_at = max(staged_at) over (partition by staged_day);"
    )


def _name(column: str) -> str:
    return f'"{column.upper()}"' if f" {column} " in _RESERVED else column


def _type(kind: str) -> str:
    return kind.lower() if kind.startswith("DECIMAL") else _TYPES.get(kind, "variant")
