"""DuckDB's SQL, parsed → Athena's, engine version 3, which is Trino's; the session's time zone is UTC."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from .shared import SHARED, Node, call, is_call, is_object, looked_up, rewritten


def written(tree: Node) -> str:
    return rewritten(tree, (*SHARED, _unnested, _json, _functions, _numbers, _times)).sql("athena", pretty=True)


def _sql(text: str, **given: Node) -> Node:
    """An expression in Trino's words, with nodes in it."""
    found: Node = sqlglot.parse_one(text, read="trino")
    return exp.replace_placeholders(found, **given)


def _functions(node: Node) -> Node:
    if isinstance(node, exp.Contains):
        return exp.paren(_sql("strpos(:a, :b) > 0", a=node.this, b=node.expression))
    if is_call(node, "list_slice"):
        return call("slice", *node.expressions)
    if isinstance(node, exp.Median):
        return _median(node.this)
    return node


def _median(values: Node) -> Node:
    """Of an even number the mean of the middle two, as elsewhere; Athena itself has only an approximation."""
    lower, upper = (
        _sql(f"element_at(array_sort(array_agg(:v) filter (where :v is not null)), cast({place} as integer))", v=values)
        for place in ("(count(:v) + 1) / 2", "count(:v) / 2 + 1")
    )
    return exp.paren(_sql("(cast(:a as double) + cast(:b as double)) / 2", a=lower, b=upper))


def _numbers(node: Node) -> Node:
    if isinstance(node, exp.IntDiv):
        return exp.paren(exp.Div(this=node.this, expression=node.expression, typed=True, safe=False))
    if isinstance(node, exp.BitwiseRightShift) and is_call(node.this, "md5_number_lower"):
        half = call("substr", call("md5", call("to_utf8", node.this.expressions[0])), *map(exp.Literal.number, (9, 8)))
        number = call("from_big_endian_64", call("reverse", half))
        return call("bitwise_right_shift", number, exp.Literal.number(1))
    return node


def _times(node: Node) -> Node:
    """Without a number of digits, its times have three; ours have six."""
    if is_call(node, "epoch_us"):
        return exp.cast(exp.paren(call("to_unixtime", *node.expressions) * exp.Literal.number(1000000)), "bigint")
    if is_call(node, "make_timestamptz"):
        return exp.cast(_from_micros(node.expressions[0]), "timestamptz")
    if isinstance(node, exp.UnixToTime):
        return exp.cast(_from_micros(node.this), "timestamp")
    if isinstance(node, exp.ToDays):
        return exp.paren(exp.paren(node.this) * exp.Interval(this=exp.Literal.string("1"), unit=exp.var("day")))
    if isinstance(node, exp.DataType) and not node.expressions:
        if node.is_type("timestamptz"):
            return exp.DataType.build("timestamptz(6)", dialect="postgres")
        if node.is_type("timestamp", "timestampntz"):
            return exp.DataType.build("timestamp(6)", dialect="postgres")
    return node


def _from_micros(micros: Node) -> Node:
    return call("from_unixtime_nanos", exp.paren(micros) * exp.Literal.number(1000))


def _json(node: Node) -> Node:
    if (text := is_object(node)) is not None:
        return exp.not_(exp.Is(this=_keys(text), expression=exp.null()))
    if isinstance(node, exp.JSONKeys):
        return _keys(node.this)
    if (found := looked_up(node)) is not None:
        value = _sql("element_at(cast(json_parse(:t) as map(varchar, json)), :n)", t=found[0], n=found[1])
        return _text(_sql("json_extract_scalar(:v, '$')", v=value), value)
    if isinstance(node, exp.JSONExtractScalar):
        path = "$" + "".join(f'["{key.this}"]' for key in node.expression.find_all(exp.JSONPathKey))
        where = exp.Literal.string(path)
        return _text(
            call("json_extract_scalar", node.this, where), call("json_extract", node.this.copy(), where.copy())
        )
    return node


def _text(scalar: Node, value: Node) -> Node:
    """A text as it is, what is no text as JSON has it; JSON's null is none."""
    return exp.Coalesce(this=scalar, expressions=[_sql("nullif(json_format(:v), 'null')", v=value)])


def _keys(text: Node) -> Node:
    return _sql("try(map_keys(cast(json_parse(:t) as map(varchar, json))))", t=text)


def _unnested(node: Node) -> Node:
    """`select unnest(list) as name`: lists become rows only in FROM."""
    if not isinstance(node, exp.Select):
        return node
    for column in node.expressions:
        if isinstance(column, exp.Alias) and isinstance(column.this, exp.Explode):
            name, rows = column.alias, exp.Unnest(expressions=[column.this.this])
            table = exp.alias_(rows, f"each_{name}", table=[name])
            column.replace(exp.column(name))
            node = node.join(table, join_type="cross") if node.args.get("from_") else node.from_(table)
    return node
