"""DuckDB's SQL, parsed → Spark's, 3.5 or later, in a session whose time zone is UTC."""

from __future__ import annotations

from sqlglot import exp

from ...errors import PenstockError
from .shared import SHARED, Node, call, is_call, is_object, looked_up, rewritten


def written(tree: Node) -> str:
    return rewritten(tree, (*SHARED, _lists, _functions, _json)).sql("spark", pretty=True)


def _functions(node: Node) -> Node:
    if is_call(node, "epoch_us"):
        return call("unix_micros", exp.cast(node.expressions[0], "timestamp", dialect="spark"))
    if is_call(node, "make_timestamptz"):
        return call("timestamp_micros", *node.expressions)
    if isinstance(node, exp.ToDays):
        return call("make_dt_interval", node.this)
    if isinstance(node, exp.DateTrunc):
        # of a date sqlglot makes TRUNC, which has no answer for days
        return call("date_trunc", node.args["unit"], node.this)
    if is_call(node, "row"):
        return call("struct", *node.expressions)
    if is_call(node, "list_slice"):
        return call("slice", *node.expressions)
    if isinstance(node, exp.BitwiseRightShift) and is_call(node.this, "md5_number_lower"):
        return _short(node.this.expressions[0])
    return node


def _short(text: Node) -> Node:
    """The lower half of the MD5, its bytes from the last to the first, as a number, and without its lowest bit."""
    hexes = call("md5", exp.cast(text, "binary", dialect="spark"))
    backwards = [call("substr", hexes.copy(), exp.Literal.number(n), exp.Literal.number(2)) for n in range(31, 15, -2)]
    number = call("conv", call("concat", *backwards), exp.Literal.number(16), exp.Literal.number(-10))
    return call("shiftrightunsigned", exp.cast(number, "bigint"), exp.Literal.number(1))


def _lists(node: Node) -> Node:
    """`list(x order by a, b)`: Spark collects in no certain order, and so sorts afterwards; neither a nor b is null."""
    if not isinstance(node, exp.ArrayAgg) or not isinstance(node.this, exp.Order):
        return node
    if any(ordered.args.get("desc") for ordered in node.this.expressions):
        raise PenstockError("a list in falling order has no words in Spark's SQL here", hint="sort it the other way")
    keys = [ordered.this for ordered in node.this.expressions]
    rows = exp.ArrayAgg(this=call("struct", *(key.copy() for key in keys), exp.alias_(node.this.this, "value")))
    sort = call("array_sort", rows)
    pick = exp.Lambda(this=exp.Dot.build([exp.to_identifier("each"), exp.to_identifier("value")]),
                      expressions=[exp.to_identifier("each")])  # fmt: skip
    return call("transform", sort, pick)


def _json(node: Node) -> Node:
    if (text := is_object(node)) is not None:
        return exp.not_(exp.Is(this=call("json_object_keys", text), expression=exp.null()))
    if (found := looked_up(node)) is not None:
        texts = call("from_json", found[0], exp.Literal.string("map<string,string>"))
        return call("element_at", texts, found[1])
    return node
