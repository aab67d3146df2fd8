"""DuckDB's SQL, parsed → the same, without what neither Athena nor Spark has or what both take otherwise.

Each rewrite takes a node and returns it, or another in its place. What these files do not name sqlglot carries over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sqlglot
from sqlglot import exp

Node = exp.Expr
Rewrite = Callable[[Node], Node]


def parsed(sql: str) -> Node:
    found: Node = sqlglot.parse_one(sql, read="duckdb")
    return found


def rewritten(tree: Node, rewrites: Iterable[Rewrite]) -> Node:
    """Each over the whole tree, from the leaves up, so that a rewrite sees its node's parts as they will be."""
    for rewrite in rewrites:
        for node in reversed(list(tree.bfs())):
            if (other := rewrite(node)) is node:
                continue
            if node is tree:
                tree = other
            else:
                node.replace(other)
    return tree


def call(name: str, *arguments: Node | str) -> Node:
    """A function that sqlglot is to write as it stands."""
    return exp.Anonymous(this=name, expressions=[exp.convert(a) if isinstance(a, str) else a for a in arguments])


def is_call(node: Node, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == name


def not_materialized(node: Node) -> Node:
    """The others have no such word."""
    if isinstance(node, exp.CTE):
        node.set("materialized", None)
    return node


def first_that_says_it(node: Node) -> Node:
    """DuckDB's arg_min passes over rows whose value is null; min_by would return that null."""
    if not isinstance(node, exp.ArgMin | exp.ArgMax) or _is_never_null(node.this):
        return node
    said = exp.not_(exp.Is(this=node.this.copy(), expression=exp.null()))
    if isinstance(node.parent, exp.Filter):
        where = node.parent.expression
        if said not in where.find_all(exp.Not):
            where.set("this", exp.and_(where.this, said))
        return node
    return exp.Filter(this=node.copy(), expression=exp.Where(this=said))


def _is_never_null(node: Node) -> bool:
    return isinstance(node, exp.Coalesce) and isinstance(node.expressions[-1], exp.Literal)


def rounded(node: Node) -> Node:
    """DuckDB reads '74.6' and '1e2' as whole numbers, 75 and 100; the others read them only as fractions."""
    if not isinstance(node, exp.TryCast) or not node.to.is_type("int") or isinstance(node.this, exp.Round):
        return node
    number = exp.TryCast(this=node.this, to=exp.DataType.build("double"), safe=True)
    return exp.TryCast(this=exp.Round(this=number), to=node.to, safe=True)


def each_path(node: Node) -> Node:
    """`json_extract_string(x, ['$.a', '$.b'])`: the others take one path at a time."""
    if not isinstance(node, exp.JSONExtractScalar) or not isinstance(node.expression, exp.Array):
        return node
    each = (f"json_extract_string({node.this.sql('duckdb')}, {path.sql('duckdb')})" for path in node.expression)
    return sqlglot.parse_one(f"[{', '.join(each)}]", read="duckdb")


def group_by_all(node: Node) -> Node:
    """By all that nothing is counted or added up of; Athena takes `all` for another thing."""
    group = node.args.get("group")
    if isinstance(node, exp.Select) and group is not None and group.args.get("all"):
        keys = [n for n, each in enumerate(node.expressions, 1) if each.find(exp.AggFunc) is None]
        node.set("group", exp.Group(expressions=[exp.Literal.number(n) for n in keys]))
    return node


def is_object(node: Node) -> Node | None:
    """Of `json_valid(x) and json_type(x) = 'OBJECT'` the x."""
    if isinstance(node, exp.And) and is_call(node.this, "json_valid") and isinstance(node.expression, exp.EQ):
        found: Node = node.this.expressions[0]
        return found if isinstance(node.expression.this, exp.JSONType) else None
    return None


def looked_up(node: Node) -> tuple[Node, Node] | None:
    """Of `json_extract_string(x, '/' || …name…)` x and the name, which is a column."""
    if isinstance(node, exp.JSONExtractScalar) and isinstance(node.expression, exp.DPipe):
        name = node.expression.find(exp.Column)
        return (node.this, name) if name is not None else None
    return None


SHARED: tuple[Rewrite, ...] = (
    not_materialized,
    each_path,
    group_by_all,
    first_that_says_it,
    rounded,
)
