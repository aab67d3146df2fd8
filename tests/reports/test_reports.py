"""Every report says what slow loops over the same rows say: in three zones, over a change of clocks, with filters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
import sqlglot

from penstock.reports.catalog import reports
from penstock.reports.text import Dialect

from .conftest import Silver, simulated
from .reference import SIMPLE, Row, Told

ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns")
FIRST, LAST = date(2026, 3, 28), date(2026, 3, 29)
"""Two whole days of four; on the second, Berlin has 23 hours."""


class Case(NamedTuple):
    """`fits` says the same as `where`."""

    name: str
    values: Mapping[str, Any] = MappingProxyType({})
    where: tuple[str, ...] = ()
    fits: Callable[[Row], bool] | None = None
    by: str | None = None
    grain: str | None = None

    @property
    def id(self) -> str:
        return " ".join(map(str, filter(None, [self.name, *self.values.values(), *self.where, self.by, self.grain])))


def on_pricing(row: Row) -> bool:
    return row["page_path"] == "/pricing"


def from_letters(row: Row) -> bool:
    return row["utm_source"] == "newsletter" and row["event_type"] != "exit_intent"


CASES = (
    *(Case(name) for name in SIMPLE if name != "session"),
    *(Case(name, where=("page_path=/pricing",), fits=on_pricing) for name in SIMPLE if name != "session"),
    *(
        Case(name, where=("utm_source=newsletter", "event_type!=exit_intent"), fits=from_letters)
        for name in ("events", "sessions", "overview", "read_through", "visitors")
    ),
    *(Case("events", {"event": event}, grain="hour") for event in ("", "purchase", "page_view")),
    *(Case("events", grain=grain, by="utm_source") for grain in ("day", "week", "month")),
    *(Case(name, by="device") for name in ("top_pages", "scroll_depth", "time_on_page", "users_daily", "cart_trends")),
    *(Case("revenue_hourly", grain=grain, by="category") for grain in ("hour", "day")),
    *(Case("visitors_over_time", grain=grain) for grain in ("week", "month")),
    *(Case("traffic", grain=grain) for grain in ("hour", "week", "month")),
    Case("traffic", by="device"),
    Case("traffic", {"goal": "form_submit"}),
    *(Case("sources", {"of": of}) for of in ("utm_medium", "channel", "referrer_host")),
    *(Case(name, {"goal": "form_submit"}) for name in ("sources", "campaigns")),
    Case("sources", {"goal": "form_submit"}, ("page_path=/pricing",), on_pricing),
    *(Case("devices", {"of": of}) for of in ("browser", "os", "language", "country")),
    Case("revenue_by", {"of": "product_id"}),
    Case("properties", {"event": "scroll_depth", "limit": 2}),
    Case("properties", {"event": "order_completed"}),
    Case("high_value_products", {"price": 30}),
    Case("read_through", {"percent": 50, "seconds": 30}),
    *(Case("session", {"id": session}) for session in ("same", "long", "o'hara", "nobody")),
)

SHOP = (
    "cart_categories", "category_performance", "top_products", "product_funnel", "high_value_products", "revenue_by",
)  # fmt: skip


def told(silver: Silver, case: Case, zone: str) -> Told:
    days = (FIRST, LAST + timedelta(days=1))
    start, end = (datetime.combine(day, datetime.min.time(), ZoneInfo(zone)) for day in days)
    grain = case.grain or next(iter(reports()[case.name].grains), "day")
    return Told(
        silver.rows, start.astimezone(UTC), end.astimezone(UTC), zone, grain, case.fits, case.by, dict(case.values)
    )


def answered(silver: Silver, case: Case, zone: str) -> list[Row]:
    answer = silver.ask(
        case.name, since=FIRST, until=LAST, zone=zone, grain=case.grain, where=case.where, by=case.by, **case.values
    )
    return [{name: value for name, value in row.items() if name != "running"} for row in answer.rows()]


def assert_same(found: list[Row], expected: list[Row]) -> None:
    """Fractions may differ in their last digits."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            if isinstance(value, float) and other[name] is not None:
                assert math.isclose(value, other[name], rel_tol=1e-6, abs_tol=1e-6), (name, one, other)
            else:
                assert value == other[name], (name, one, other)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_report_equals_its_slow_reference(silver: Silver, case: Case, zone: str) -> None:
    assert_same(answered(silver, case, zone), SIMPLE[case.name](told(silver, case, zone)))


def test_the_references_have_something_to_say(silver: Silver) -> None:
    """Else empty lists would prove everything."""
    for case in CASES:
        rows = SIMPLE[case.name](told(silver, case, "UTC"))
        assert rows or case in SAY_NOTHING, case


SAY_NOTHING = [
    *(case for case in CASES if case.where == ("page_path=/pricing",) and case.name in SHOP),
    *(case for case in CASES if case.values.get("id") == "nobody"),
]
"""Of the shop, whose events have no page; and of nobody."""


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Silver]:
    found = simulated(tmp_path_factory.mktemp("big"), events=10_000, files=20)
    yield found
    found.close()


@pytest.mark.heavy
@pytest.mark.parametrize("zone", ZONES[1:])
def test_every_report_on_200_000_events(big: Silver, zone: str) -> None:
    assert len(big.rows) > 190_000
    for case in (case for case in CASES if not case.where):
        assert_same(answered(big, case, zone), SIMPLE[case.name](told(big, case, zone)))


def needed(name: str) -> Mapping[str, Any]:
    """What has to be said of a report that cannot be asked without."""
    wanted = [p for p in reports()[name].parameters.values() if p.required]
    return {p.name: ["page_view & page_path~^/", "cta_click"] if p.type == "steps" else "x" for p in wanted}


@pytest.mark.parametrize("dialect", [dialect for dialect in Dialect if dialect is not Dialect.duckdb])
@pytest.mark.parametrize("name", reports())
def test_every_report_speaks_other_dialects(silver: Silver, name: str, dialect: str) -> None:
    """That their engines understand it is proved where they are at hand."""
    answer = silver.ask(
        name, since=FIRST, until=LAST, where=["page_path~^/", "properties.plan!=pro", "country="], **needed(name)
    )
    sqlglot.parse_one(answer.sql_for(dialect), read=dialect)


@pytest.mark.parametrize("name", reports())
def test_what_a_report_shows_can_be_run_again(silver: Silver, name: str) -> None:
    answer = silver.ask(name, since=FIRST, until=LAST, zone="Europe/Berlin", where="page_path*=/", **needed(name))
    again = silver.sql(answer.sql, {})
    if answer.question.report.finish is None:
        assert again.num_rows <= answer.to_arrow().num_rows
        assert set(again.column_names) - set(answer.to_arrow().column_names) <= {"breakdown"}


@pytest.mark.parametrize("name", reports())
def test_a_report_of_nothing(silver: Silver, name: str) -> None:
    answer = silver.ask(name, since="2020-01-01", until="2020-01-02", compare="month", **needed(name))
    assert answer.comparison is not None
    assert answer.beside().num_rows == answer.to_arrow().num_rows


@pytest.mark.parametrize("name", reports())
def test_the_catalog_tells_every_column(silver: Silver, name: str) -> None:
    report, answer = reports()[name], silver.ask(name, since=FIRST, until=LAST, **needed(name))
    assert report.question.endswith("?")
    assert report.example.startswith(f"penstock report {name}")
    assert set(answer.to_arrow().column_names) - {"running"} == set(report.columns) - {"breakdown"}
