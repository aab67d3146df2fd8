"""DuckDB's SQL, parsed → Snowflake's; no Snowflake was at hand to try it on."""

from __future__ import annotations

import sqlglot

from .shared import Node, is_call, not_materialized, rewritten


def written(tree: Node) -> str:
    told = rewritten(tree, (not_materialized, _epoch))
    return told.sql("snowflake", pretty=True, unsupported_level=sqlglot.ErrorLevel.IGNORE)


def _epoch(node: Node) -> Node:
    if not is_call(node, "epoch_us"):
        return node
    moment = node.expressions[0].sql("snowflake")
    found: Node = sqlglot.parse_one(f"date_part(epoch_microsecond, {moment})", read="snowflake")
    return found
