"""Which events are asked about: `page_path=/pricing` → a condition in SQL, its values bound as parameters. Pure.

    column=value    is; the same column again: or is; nothing after it: has no value
    column!=value   is not, which those without a value are not either; nothing after it: has a value
    column*=value   contains
    column~value    matches a regular expression (RE2)

`column` is one of events, of the user's own, or `properties.plan` or `variants.headline`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import PenstockError

_FILTER = re.compile(r"([^=!*~]+)(!=|\*=|=|~)(.*)", re.DOTALL)
_PART = re.compile(r"[\w -]{1,100}")
_JSON = ("properties", "variants")
_LONGEST_CHARS = 2000
_HINT = (
    "write for example page_path=/pricing, utm_source!=google, page_url*=ref, page_path~^/blog/, properties.plan=pro"
)

Columns = Mapping[str, str]
"""Column of events → its type in DuckDB's words."""


class Op(StrEnum):
    equal = "="
    differs = "!="
    contains = "*="
    matches = "~"


class Filter(NamedTuple):
    column: str
    op: Op
    value: str

    def __str__(self) -> str:
        """As `parse` reads it."""
        return f"{self.column}{self.op}{self.value}"


class Condition(NamedTuple):
    """SQL, and the values of its `$name`s."""

    sql: str
    values: dict[str, Any]


def parse(text: str) -> Filter:
    """Raises PenstockError for what is no filter."""
    found = _FILTER.fullmatch(text)
    if found is None or len(text) > _LONGEST_CHARS or "\0" in text:
        raise PenstockError(f"{text[:80]!r} is no filter", hint=_HINT)
    return Filter(found[1].strip(), Op(found[2]), found[3])


def column_sql(name: str, columns: Columns) -> str:
    """An expression for a column that there is. Raises PenstockError."""
    if name in columns:
        return f'"{name}"'
    top, *parts = name.split(".")
    if top in _JSON and parts and all(_PART.fullmatch(part) for part in parts):
        path = "".join(f'."{part}"' for part in parts)
        return f"json_extract_string({top}, '${path}')"
    near = ", ".join(sorted(columns)[:60])
    raise PenstockError(f"there is no column {name[:80]!r}", hint=f"there are {near}, and properties.… and variants.…")


def condition(filters: Iterable[Filter], columns: Columns, prefix: str = "where") -> Condition:
    """All of them hold; of equals on one column, one. Without filters it is `true`. Raises PenstockError."""
    values: dict[str, Any] = {}
    groups: dict[tuple[str, Op, int], list[Filter]] = {}
    for number, one in enumerate(filters):
        key = (one.column, one.op, -1 if one.op is Op.equal else number)
        groups.setdefault(key, []).append(one)
    parts = []
    for same in groups.values():
        either = [_one(one, columns, f"{prefix}_{len(values)}", values) for one in same]
        parts.append(either[0] if len(either) == 1 else f"({' or '.join(either)})")
    return Condition(" and ".join(parts) or "true", values)


def _one(one: Filter, columns: Columns, name: str, values: dict[str, Any]) -> str:
    column, kind = column_sql(one.column, columns), columns.get(one.column, "VARCHAR")
    text = column if kind == "VARCHAR" else f"cast({column} as varchar)"
    if not one.value:
        if one.op in (Op.contains, Op.matches):
            raise PenstockError(f"{one.column}{one.op} needs a value", hint=_HINT)
        return f"coalesce({text}, '') {'=' if one.op is Op.equal else '<>'} ''"
    if one.op is Op.contains:
        values[name] = one.value
        return f"contains({text}, ${name})"
    if one.op is Op.matches:
        values[name] = _expression(one.value)
        return f"regexp_matches({text}, ${name})"
    values[name] = _typed(one, kind)
    return f"{column} = ${name}" if one.op is Op.equal else f"{column} is distinct from ${name}"


def _expression(text: str) -> str:
    """A regular expression that RE2, which DuckDB uses too, understands. Raises PenstockError."""
    try:
        pc.match_substring_regex(pa.array([""]), text)
    except pa.ArrowInvalid as error:
        why = str(error).partition(": ")[2] or str(error)
        raise PenstockError(
            f"{text[:80]!r} is no regular expression: {why[:200]}", hint="RE2's, as in ^/blog/"
        ) from None
    return text


def _typed(one: Filter, kind: str) -> Any:
    """The value in the column's type. Raises PenstockError."""
    try:
        return _READ.get(kind, str)(one.value)
    except (ValueError, InvalidOperation, KeyError):
        raise PenstockError(f"{one.value[:80]!r} does not fit the column {one.column}, which is {kind}") from None


def _decimal(text: str) -> Decimal:
    if not (found := Decimal(text)).is_finite():
        raise ValueError
    return found


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError
    return found


_READ: dict[str, Any] = {
    "INTEGER": int,
    "BIGINT": int,
    "DOUBLE": float,
    "DECIMAL(18,2)": _decimal,
    "BOOLEAN": lambda text: {"true": True, "false": False}[text.lower()],
    "DATE": date.fromisoformat,
    "TIMESTAMPTZ": _moment,
}


def parse_all(texts: Sequence[str] | str) -> tuple[Filter, ...]:
    """One filter or several, as texts."""
    return tuple(map(parse, [texts] if isinstance(texts, str) else texts))
