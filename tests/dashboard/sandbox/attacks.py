"""What people may try: over files, the network, settings, state, other processes; and the same in other clothes.

`{data}` is the lake's folder, `{parquet}` a file of it, `{secret}` a file beside it, `{outside}` a folder to write into.
"""

from __future__ import annotations

READERS = (
    "read_csv('{secret}')", "read_csv_auto('{secret}')", "read_text('{secret}')", "read_blob('{secret}')",
    "read_json('{outside}/secret.json')", "read_json_auto('{outside}/secret.json')",
    "read_ndjson('{outside}/secret.json')", "read_json_objects('{outside}/secret.json')",
    "read_text(['{secret}'])", "read_text('{outside}/*')", "read_text('{data}/../outside/secret.csv')",
    "read_text('{data}/silver/link.csv')", "read_text('{data}/silver/../../outside/secret.csv')",
    "read_text('file://{secret}')", "read_text('/etc/passwd')", "read_text('/proc/self/environ')",
    "read_text('/proc/self/maps')", "read_text('~/.bashrc')", "glob('{outside}/*')", "glob('/*')", "glob('/proc/*')",
    "sniff_csv('{secret}')", "read_parquet('{outside}/*.parquet')", "parquet_metadata('{secret}')",
    "parquet_schema('{secret}')", "parquet_file_metadata('{secret}')", "parquet_kv_metadata('{secret}')",
    "read_duckdb('{outside}/x.duckdb')", "query('select * from read_text(''{secret}'')')",
    "query_table('{secret}')", "query_table(['{secret}'])",
    "json_execute_serialized_sql(json_serialize_sql('select * from read_text(''{secret}'')'))",
    "read_text('http://127.0.0.1:1/x')", "read_csv('https://127.0.0.1:1/x.csv')", "read_parquet('s3://bucket/x')",
    "read_text('hf://datasets/a/b')", "read_text('/dev/mem')",
)  # fmt: skip
"""As in `SELECT * FROM …`."""

NAMES = (
    "'{secret}'", '"{secret}"', "'{outside}/secret.json'", "'{data}/silver/link.csv'", "'/etc/passwd'", "'{outside}/*.csv'",
    '"{outside}/secret.json"', "'file://{secret}'",
)  # fmt: skip
"""Of files, where a table's should be."""

LOOKS = (
    "duckdb_settings()", "duckdb_databases()", "duckdb_secrets()", "duckdb_views()", "duckdb_tables()",
    "duckdb_functions()", "duckdb_extensions()", "duckdb_memory()", "duckdb_temporary_files()", "duckdb_logs",
    "duckdb_variables()", "duckdb_columns()", "pragma_database_size()", "pragma_version()", "pragma_table_info('events')",
    "pragma_storage_info('events')", "information_schema.tables", "information_schema.columns", "pg_catalog.pg_tables",
    "pg_views", "sqlite_master", "main.sqlite_master", "duckdb_constraints()", "which_secret('s3://x', 's3')",
    "test_all_types()", "checkpoint()", "force_checkpoint()", "enable_logging()", "icu_calendar_names()",
    "memory.main.events", "system.information_schema.tables", "temp.events",
)  # fmt: skip
"""Ways to see more than the tables: paths, settings, the SQL of views."""

SCALARS = (
    "current_setting('secret_directory')", "current_setting('temp_directory')", "getenv('HOME')", "getvariable('x')",
    "nextval('s')", "sleep_ms(1)", "pg_sleep(0.01)", "write_log('x')", "main.current_setting('threads')",
    "system.main.getvariable('x')", "CURRENT_SETTING('allowed_paths')", "\"current_setting\"('allowed_paths')",
    "current_query()", "(select content from read_text('{secret}'))",
    "list_transform(['x'], lambda x: current_setting(x))", "list_transform([1], lambda x: sleep_ms(x))",
    "'threads'.current_setting()", "case when true then getvariable('x') end",
)  # fmt: skip

WRITES = (
    "copy (select 1) to '{outside}/new.csv'", "copy events to '{outside}/new.parquet' (format parquet)",
    "copy (select 1) to '{parquet}' (format parquet)", "copy (select 1) to '{parquet}' (format csv)",
    "copy (select 1) to '{parquet}' (format parquet, use_tmp_file false)", "copy (select 1) to '{secret}'",
    "copy (select 1) to '{data}/silver/events/x.parquet' (format parquet)",
    "copy (select 1 as a) to '{outside}/parts' (format parquet, partition_by (a))",
    "copy (select 1) to '{data}/silver/current'", "copy (select 1) to '/dev/stdout'", "copy (select 1) to '/dev/fd/1'",
    "copy (select 1) to '/proc/self/fd/1'", "copy (select 1) to '{outside}/link' (overwrite_or_ignore true)",
    "copy events from '{secret}'", "export database '{outside}/dump'", "import database '{outside}/dump'",
    "explain analyze copy (select 1) to '{outside}/new2.csv'", "explain copy (select 1) to '{outside}/new3.csv'",
    "with z as (copy (select 1) to '{outside}/new4.csv') select 1",
    "with z as (copy (select 1) to '{parquet}' (format parquet, use_tmp_file false)) select * from z",
    "select * from (with z as (copy (select 1) to '{outside}/new5.csv') select 1)",
    "with z as (insert into events select * from events returning *) select * from z",
    "with z as (delete from events returning *) select count(*) from z",
    "with z as (update events set event_type = 'x' returning *) select count(*) from z",
    "with z as (truncate events) select 1", "with z as (merge into events using (select 1) on false) select 1",
    "insert into events select * from events", "delete from events", "update events set event_type = 'x'",
    "truncate events", "drop view events", "drop table events", "create table x as select 1", "create view x as select 1",
    "create or replace view events as select 1", "create temp table x (a int)", "create schema x", "create macro f() as 1",
    "create sequence s", "create type t as enum ('a')", "create secret s (type s3)", "create persistent secret s (type s3)",
    "alter view events rename to e", "comment on view events is 'x'", "create index i on events (event_type)",
    "attach '{outside}/new.duckdb'", "attach '{outside}/new.duckdb' as x (read_only)", "attach '{secret}' as x",
    "attach ':memory:' as x", "attach 'http://127.0.0.1:1/x.duckdb'", "detach memory", "use x", "vacuum", "analyze",
    "checkpoint", "begin", "commit", "rollback",
    "install httpfs from 'http://127.0.0.1:1'", "load '{outside}/x.duckdb_extension'", "load httpfs",
    "update extensions", "force install json from '{outside}'",
)  # fmt: skip

SETTINGS = (
    "set enable_external_access = true", "set lock_configuration = false", "reset lock_configuration",
    "set allowed_paths = ['/etc/passwd']", "set allowed_directories = ['/']", "set temp_directory = '{outside}'",
    "set home_directory = '{outside}'", "set extension_directory = '{outside}'", "set secret_directory = '{outside}'",
    "set memory_limit = '100GB'", "set threads = 64", "set max_execution_time = 0", "set global threads = 8",
    "set session threads = 8", "pragma threads = 8", "pragma enable_profiling", "pragma database_list",
    "set profiling_output = '{outside}/profile.json'", "pragma profiling_output = '{outside}/profile.json'",
    "set log_query_path = '{outside}/log'", "set custom_extension_repository = 'http://127.0.0.1:1'",
    "set allow_unsigned_extensions = true", "set python_enable_replacements = true", "set variable x = 1",
    "set file_search_path = '/etc'", "set search_path = 'main'", "set schema = 'main'", "reset all", "reset threads",
    "set errors_as_json = false", "call pragma_version()", "call enable_logging()", "call force_checkpoint()",
    "prepare p as select 1", "execute p", "deallocate p", "show tables", "show all tables", "show databases",
    "describe events", "summarize events", "explain select 1", "explain analyze select 1", "pivot events on event_type",
)  # fmt: skip

TOGETHER = (
    "select 1; drop view events", "select 1; copy (select 1) to '{outside}/new6.csv'",
    "set threads = 8; select 1", "select 1; select 2", ";; select 1; select 2;;",
    "select 1 /* ; */; delete from events -- ;", "begin; select 1; commit",
    "with pg_views as (from pg_views) from pg_views", "with a as (from duckdb_settings()) from a",
    "with a as (from pg_views), pg_views as (select 1) from a",
    "select * from (with pg_views as (select 1) select 1), pg_views",
    "select $1", "select ?", "select $x",
    "select * from events at (version => 1)",
    "with recursive t(n) using key (n) as (select 1 union select n from recurring.t) from t",
    "from events select (select content from read_text('{secret}'))",
    "select * from events order by (select content from read_text('{secret}'))",
    "select count(*) filter ((select content from read_text('{secret}')) is not null) from events",
    "select sum(1) over (order by (select content from read_text('{secret}'))) from events",
    "values ((select content from read_text('{secret}')))", "table '{secret}'", "from '{secret}'",
    "select [content for content in (select list(content) from read_text('{secret}'))]",
    "select * from unnest((select list(content) from read_text('{secret}')))",
    "select * from json_each((select content from read_text('{outside}/secret.json')))",
    "select * from range((select count(*) from glob('{outside}/*')))",
)  # fmt: skip

NESTED = (
    "with a as (select * from {}) select * from a", "select * from (select * from {}) as a",
    "select * from events, lateral (select * from {}) as b", "select 1::varchar as a union all select a::varchar from {} as t(a)",
    "select exists (select * from {})", "select * from events where event_type in (select 'x' from {})",
)  # fmt: skip
"""Where a table may stand."""


def clothed(table: str) -> list[str]:
    """The same in other words: case, quotes, comments."""
    name, _, rest = table.partition("(")
    return [
        f"select * from {name.upper()}({rest}",
        f'select * from "{name}"({rest}',
        f"select * from {name}/* */({rest}",
        f"select * from -- x\n{name}\n({rest}",
        f"select * from main.{name}({rest}",
        f"select * from system.main.{name}({rest}",
    ]


def _all() -> list[str]:
    found = [f"select * from {table}" for table in (*READERS, *NAMES, *LOOKS)]
    found += [f"select {scalar}" for scalar in SCALARS]
    found += [*WRITES, *SETTINGS, *TOGETHER]
    found += [
        nested.replace("{}", table) for nested in NESTED for table in (READERS[2], NAMES[0], READERS[18], LOOKS[0])
    ]
    found += [text for table in (READERS[2], READERS[0], READERS[18]) for text in clothed(table)]
    return list(dict.fromkeys(found))


ATTACKS = _all()
FILES = [attack for attack in ATTACKS if "{" in attack or "/" in attack]
"""Those that are after a file or the network: what Landlock has to hold by itself."""

HARMLESS = (
    "select current_query()", "select * from events at (version => 1)", "select 1; select 2",
)  # fmt: skip
