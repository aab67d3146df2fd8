"""What gold says is what silver says; and gold is asked only where that is so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

import penstock
from penstock.api import OpenLake
from penstock.reports.catalog import reports
from penstock.reports.run import Answer, ask

from .conftest import COLUMNS, NOW, Silver

FIRST, LAST = date(2026, 3, 28), date(2026, 3, 29)
SUMMED = sorted(name for name, report in reports().items() if report.gold)
NEEDED: dict[str, dict[str, Any]] = {"paths": {"page": "/"}}
OF_SESSIONS = (
    "visitors",
    "visitors_over_time",
    "traffic",
    "sources",
    "campaigns",
    "devices",
    "entry_pages",
    "exit_pages",
    "sessions",
)


@pytest.fixture(scope="module")
def lake(silver: Silver) -> Iterator[OpenLake]:
    with penstock.open(silver.folder) as opened:
        opened.pipeline.clock = lambda: NOW
        opened.pipeline.rollup()
        yield opened


def both(lake: OpenLake, name: str, **asked: Any) -> tuple[Answer, Answer]:
    asked = {"since": FIRST, "until": LAST, **NEEDED.get(name, {}), **asked}
    gold, silver = lake.report(name, **asked), ask(name, lake._run, COLUMNS, now=NOW, **asked)
    assert silver.served_from == "silver"
    return gold, silver


ASKED: list[dict[str, Any]] = [
    {},
    {"zone": "Europe/Berlin"},
    {"zone": "Asia/Kathmandu"},
    {"zone": "America/St_Johns"},
    {"compare": "previous"},
    {"since": "2026-03-28T05:30", "until": "2026-03-29T17:45"},
    {"since": "2026-03-28T05:00", "until": "2026-03-29T17:00"},
    {"where": "event_type=purchase"},
    {"where": "page_path=/pricing"},
    {"where": "product_id!="},
    {"bots": True},
]


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("name", [*SUMMED, *OF_SESSIONS])
def test_gold_says_what_silver_says(lake: OpenLake, name: str, asked: dict[str, Any]) -> None:
    gold, silver = both(lake, name, **asked)
    assert gold.to_arrow().schema == silver.to_arrow().schema
    assert gold.rows() == silver.rows()
    assert gold.beside().to_pylist() == silver.beside().to_pylist()


ASKED_OTHERWISE = ("session", "properties", "funnel", "paths")
"""The first two only silver can answer, the others need to be asked more."""
OF_STEPS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in reports() if name not in (*SUMMED, *OF_SESSIONS, *ASKED_OTHERWISE)),
    ("paths", {"page": "/"}),
    ("paths", {"page": "/pricing", "direction": "previous"}),
    *(
        ("funnel", {"steps": ["page_view", "scroll_depth & properties.percent=50", "cta_click"], **asked})
        for asked in (
            {},
            {"order": "strict"},
            {"order": "any"},
            {"window": "5m"},
            {"by": "utm_source"},
            {"per": "user"},
        )
    ),
    ("experiments", {"per": "user", "goal": "form_submit & properties.form=contact"}),
    ("retention", {"people": "users"}),
    ("read_through", {"percent": 50, "seconds": 30}),
    *((name, {"by": "device"}) for name in ("scroll_depth", "top_pages", "journeys", "cart_trends")),
]
ASKED_OF_STEPS: list[dict[str, Any]] = [
    {"zone": "Europe/Berlin"},
    {"zone": "Asia/Kathmandu", "where": ["page_path~^/", "properties.form!=contact"]},
    {"since": "2026-03-28T05:30", "until": "2026-03-29T17:45", "where": "variants.headline=A"},
]


@pytest.mark.parametrize("asked", ASKED_OF_STEPS, ids=str)
@pytest.mark.parametrize(("name", "values"), OF_STEPS, ids=str)
def test_steps_say_what_silver_says(lake: OpenLake, name: str, values: dict[str, Any], asked: dict[str, Any]) -> None:
    gold, silver = both(lake, name, **values, **asked)
    assert gold.served_from == "gold"
    assert gold.to_arrow().schema == silver.to_arrow().schema
    assert gold.rows() == silver.rows()


@pytest.mark.parametrize("name", SUMMED)
def test_every_grain(lake: OpenLake, name: str) -> None:
    for grain in reports()[name].grains:
        for zone in ("UTC", "Europe/Berlin"):
            gold, silver = both(lake, name, grain=grain, zone=zone)
            assert gold.rows() == silver.rows()


@pytest.mark.parametrize("compare", [None, "previous"])
@pytest.mark.parametrize("name", [name for name, report in reports().items() if report.grains and name != "retention"])
def test_all_of_the_period_at_once(lake: OpenLake, name: str, compare: str | None) -> None:
    for zone in ("UTC", "Europe/Berlin"):
        gold, silver = both(lake, name, whole=True, zone=zone, compare=compare)
        assert gold.to_arrow().schema == silver.to_arrow().schema
        assert gold.rows() == silver.rows()
        assert gold.beside().to_pylist() == silver.beside().to_pylist()


SERVED: list[tuple[str, dict[str, Any], str]] = [
    *((name, {}, "gold") for name in (*SUMMED, *OF_SESSIONS)),
    ("events", {"zone": "Europe/Berlin"}, "gold"),
    ("events", {"zone": "Asia/Kathmandu"}, "gold"),
    ("events", {"event": "purchase", "by": "event_type", "where": "event_type!=exit_intent"}, "gold"),
    ("events", {"by": "device"}, "gold"),
    ("events", {"by": "properties.form"}, "gold"),
    ("events", {"by": "properties.plan"}, "silver"),
    ("events", {"where": "device=mobile"}, "gold"),
    ("events", {"where": "variants.headline=A"}, "gold"),
    ("events", {"where": "page_title*=a"}, "silver"),
    ("events", {"where": "user_id=u"}, "silver"),
    ("events", {"since": "2026-03-28T05:30", "until": "2026-03-29T05:00"}, "gold"),
    ("events", {"bots": True}, "silver"),
    ("users_daily", {"grain": "week"}, "gold"),
    ("users_daily", {"whole": True}, "gold"),
    ("traffic", {"whole": True}, "gold"),
    ("users_daily", {"zone": "Europe/Berlin"}, "gold"),
    ("top_products", {"zone": "Europe/Berlin"}, "gold"),
    ("top_products", {"limit": 3}, "gold"),
    ("overview", {"zone": "Europe/Berlin"}, "gold"),
    ("overview", {"where": "page_path=/pricing"}, "gold"),
    ("overview", {"where": "properties.form=contact"}, "gold"),
    ("overview", {"where": "properties.plan=pro"}, "gold and silver"),
    ("sources", {"where": "page_path=/pricing"}, "gold"),
    ("sources", {"goal": "form_submit"}, "gold"),
    ("sources", {"goal": "form_submit", "where": "page_title!="}, "gold and silver"),
    ("retention", {"people": "users"}, "gold"),
    ("revenue_by", {"of": "page_url"}, "silver"),
    ("session", {"id": "long"}, "silver"),
]


@pytest.mark.parametrize(("name", "asked", "expected"), SERVED)
def test_who_answers(lake: OpenLake, name: str, asked: dict[str, Any], expected: str) -> None:
    gold, silver = both(lake, name, **asked)
    assert gold.served_from == expected
    assert gold.rows() == silver.rows()


def test_an_answer_in_every_form(lake: OpenLake) -> None:
    answer = lake.report("events", since=FIRST, until=LAST, compare="previous")
    assert answer.df()["events"].tolist() == answer.pl()["events"].to_list() == answer.to_arrow()["events"].to_pylist()
    assert answer.comparison is not None
    assert [row["events"] for row in answer.comparison.rows()] == answer.beside()["events_before"].to_pylist()
    assert lake.sql(answer.sql).fetchall() == [(row["bucket"], None, row["events"]) for row in answer.rows()]


SUMS = {name: summed.rollups[0] for name, report in reports().items() for summed in report.gold[:1]}
BY_WHOLE_DAYS = sorted(name for name, report in reports().items() if report.gold and report.gold[0].grain == "any")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
@pytest.mark.parametrize("name", BY_WHOLE_DAYS)
def test_days_are_summed_in_any_zone(lake: OpenLake, name: str, zone: str) -> None:
    """With a day that is wholly in it, and parts of others."""
    gold, silver = both(lake, name, since=date(2026, 3, 27), zone=zone)
    assert f"from gold.{SUMS[name]}" in gold.sql and ("from gold.steps" in gold.sql) == (zone != "UTC")
    assert gold.rows() == silver.rows()


@pytest.mark.parametrize(
    "asked", [{"zone": "Europe/Berlin"}, {"where": "device!="}, {"since": "2026-03-28T05:00"}], ids=str
)
@pytest.mark.parametrize("name", ["overview", "visitors", "visitors_over_time", "traffic", "sources"])
def test_sessions_are_summed_by_day_only_where_that_is_exact(lake: OpenLake, name: str, asked: dict[str, Any]) -> None:
    def is_summed(**asked: Any) -> bool:
        return any(
            f"from gold.{rollup}" in both(lake, name, **asked)[0].sql for rollup in ("sessions_daily", "sources_daily")
        )

    assert is_summed() and not is_summed(**asked)


@pytest.mark.parametrize("of", ["utm_source", "utm_campaign", "channel", "utm_term"])
def test_sources_of_all_kinds(lake: OpenLake, of: str) -> None:
    gold, silver = both(lake, "sources", of=of)
    assert ("from gold.sources_daily" in gold.sql) == (of != "utm_term")
    assert gold.rows() == silver.rows()
