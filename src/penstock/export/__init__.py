"""Sync out: a table or report → a file, a folder for Snowflake, a table in Postgres, or a DuckDB file for BI tools."""
