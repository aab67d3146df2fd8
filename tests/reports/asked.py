"""Every report, asked in each of its ways: what an engine is held against DuckDB by."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa

from penstock.reports.catalog import reports
from penstock.reports.question import prepare
from penstock.reports.statement import Statement, statement
from penstock.silver.columns import EVENTS

COLUMNS = {column.name: column.type for column in EVENTS}
NOW = datetime(2026, 4, 10, 12, 30, tzinfo=UTC)
FIRST, LAST = date(2026, 3, 28), date(2026, 3, 29)
"""Two whole days of four; on the second, Berlin has 23 hours."""
WALK = ("page_view", "scroll_depth", "cta_click")
SHOP = ("page_view", "add_to_cart", "purchase & price~^[0-9]")

OTHERWISE: Mapping[str, Any] = {
    "event": "experiment_view",
    "experiment": "headline",
    "control": "B",
    "shares": "A=90,B=10",
    "of": "properties.plan",
}
"""Of parameters that are neither numbers nor choices, a value that is not the default."""


class Asked(NamedTuple):
    name: str
    how: Mapping[str, Any]

    def __str__(self) -> str:
        said = (f"{name}={value}" for name, value in self.how.items() if value not in (FIRST, LAST))
        return " ".join([self.name, *said])

    def statement(self) -> Statement:
        return statement(prepare(self.name, COLUMNS, now=NOW, **self.how), inlines=True)


def _of(name: str, **how: Any) -> Asked:
    return Asked(name, {"since": FIRST, "until": LAST, **how})


def _needed(name: str) -> dict[str, Any]:
    """What has to be said of a report that cannot be asked without."""
    wanted = [p for p in reports()[name].parameters.values() if p.required]
    said = {"steps": list(WALK), "id": "long", "page": "/pricing", "goal": ["cta_click"]}
    return {p.name: said[p.name] for p in wanted}


def everything() -> Iterator[Asked]:
    """Each way once: some parameters are for what is made of the rows, and change nothing of what an engine is told."""
    found = set()
    for asked in _ways():
        told = asked.statement()
        used = tuple((name, repr(value)) for name, value in told.values.items() if f"${name}" in told.sql)
        if (told.sql, used) not in found:
            found.add((told.sql, used))
            yield asked


def _ways() -> Iterator[Asked]:
    for name, report in reports().items():
        need = _needed(name)
        yield _of(name, **need)
        yield _of(name, **need, zone="Europe/Berlin", where=["country=", "is_bot=false", "event_id~[^q]$", "source*=e"])
        yield _of(name, **need, since="2026-03-28T10:10:10+00:00", until="2026-03-29T21:00:01+00:00", bots=True)
        yield from (_of(name, **need, grain=grain.value, zone="America/St_Johns") for grain in report.grains)
        yield from (_of(name, **need, **{p: choice}) for p, choice in _choices(name))
        yield from (_of(name, **need, **{p: value}) for p, value in _others(name))
        if report.breakdown:
            yield _of(name, **need, by="utm_source")
            yield _of(name, **need, by="device", where=["event_type~^[a-z_]+$", "properties.plan!=pro"])
        if report.breakdown and report.source == "events":
            yield _of(name, **need, by="properties.form", zone="Asia/Kathmandu")
            yield _of(name, **need, by="price", where=["session_id!="])
        if "goal" in report.parameters and not report.parameters["goal"].required:
            yield _of(name, **need, goal="form_submit", where=["page_path*=/"])
    yield from _by_hand()


def _choices(name: str) -> Iterator[tuple[str, str]]:
    for parameter in reports()[name].parameters.values():
        for choice in parameter.choices:
            if choice != parameter.default:
                yield parameter.name, choice


def _others(name: str) -> Iterator[tuple[str, Any]]:
    """A number that is not the default, so small that `limit` and `top` have something to leave away."""
    for p in reports()[name].parameters.values():
        if p.name in ("limit", "top"):
            yield p.name, 2
        elif p.type in ("integer", "number"):
            least, default = p.least or 0, p.default
            yield p.name, (least + default) // 2 if p.type == "integer" else (least + default) / 2
        elif p.name in OTHERWISE and not p.required and not p.choices:
            yield p.name, OTHERWISE[p.name]


def _by_hand() -> Iterator[Asked]:
    yield _of("funnel", steps=list(WALK), by="utm_source", top=2)
    for of, first in (("event_type", "search"), ("utm_source", "(none)")):
        yield _of("retention", grain="day", people="users", of=of, first=first)
    for order in ("ordered", "strict", "any"):
        for window in ("", "20m", "3s"):
            yield _of("funnel", steps=list(WALK), order=order, window=window)
            yield _of("funnel", steps=list(SHOP), order=order, window=window, by="device")
        yield _of("funnel", steps=list(WALK), order=order, window="1h", per="user")
        yield _of("funnel", steps=[*WALK, *SHOP, *WALK, "form_submit"], order=order, window="1h")


def assert_alike(found: pa.Table, expected: pa.Table) -> None:
    """The same rows in the same order, of the same kinds of values; fractions to nine digits."""
    assert expected.num_rows, "nothing that could differ"
    assert found.column_names == expected.column_names
    assert found.num_rows == expected.num_rows
    for one, other in zip(found.to_pylist(), expected.to_pylist(), strict=True):
        for name, value in other.items():
            assert _alike(one[name], value), (name, one, other)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(other, float) and one is not None:
        return isinstance(one, float) and math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    whole = (int, Decimal)
    return one == other and (type(one) is type(other) or (isinstance(one, whole) and isinstance(other, whole)))
