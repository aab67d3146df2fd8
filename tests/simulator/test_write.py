"""The files: the same for the same seed, of the shape that the articles and the tracker have, as dirty as ordered."""

from __future__ import annotations

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import PenstockError
from penstock.simulator.dirt import MIX, Dirt
from penstock.simulator.plan import Kind, Plan
from penstock.simulator.write import write

from .conftest import START_MS, Simulated

SHOP = Plan(1000, 1_800_000, START_MS, 4)
SITE = replace(SHOP, kind=Kind.site)
Simulate = Callable[[str, Plan], Simulated]


def content(simulated: Simulated) -> dict[str, bytes]:
    root = simulated.folder
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("dirt", [Dirt(), MIX])
def test_the_same_order_gives_the_same_bytes_and_another_seed_others(
    simulate: Simulate, kind: Kind, dirt: Dirt
) -> None:
    plan = replace(SHOP, kind=kind, dirt=dirt)
    first, again, other = simulate("a", plan), simulate("b", plan), simulate("c", replace(plan, seed=2))
    assert content(first) == content(again)
    assert set(first.lines()) & set(other.lines()) <= {
        b"502 Bad Gateway",
        b'"a text where an event was expected"',
    }


def test_files_lie_where_they_are_complete_and_nothing_else_is_there(simulate: Simulate) -> None:
    assert sorted(content(simulate("a", SHOP))) == [
        "truth.json",
        "year=2026/month=02/day=01/hour=21/minute=30/events-20260201T213000Z.jsonl.gz",
        "year=2026/month=02/day=01/hour=22/minute=00/events-20260201T220000Z.jsonl.gz",
        "year=2026/month=02/day=01/hour=22/minute=30/events-20260201T223000Z.jsonl.gz",
        "year=2026/month=02/day=01/hour=23/minute=00/events-20260201T230000Z.jsonl.gz",
    ]


@pytest.mark.parametrize("kind", Kind)
def test_each_file_has_its_events_in_its_time(simulate: Simulate, kind: Kind) -> None:
    simulated = simulate("a", replace(SHOP, kind=kind, events=999))
    at = [datetime.fromisoformat(event.get("event_ts") or event["timestamp"]) for event in simulated.events()]
    start = datetime.fromtimestamp(START_MS / 1000, UTC)
    assert Counter((moment - start) // timedelta(minutes=30) for moment in at) == dict.fromkeys(range(4), 999)


def test_truth_is_beside_the_data(simulate: Simulate) -> None:
    simulated = simulate("a", SHOP)
    assert json.loads((simulated.folder / "truth.json").read_text()) == simulated.truth


def test_a_folder_is_not_used_twice(simulate: Simulate, tmp_path: Path) -> None:
    simulate("a", SHOP)
    with pytest.raises(PenstockError, match="holds a simulation already"):
        write(SHOP, tmp_path / "a")


PAID = ("add_to_cart", "remove_from_cart", "purchase")


def test_fields_of_the_shop(simulate: Simulate) -> None:
    events = list(simulate("a", SHOP).events())
    names = "timestamp event_id user_id session_id event_type product_id quantity price category search_query"
    assert {" ".join(event) for event in events} == {names}
    assert {event["event_type"] for event in events} == {"page_view", "search", *PAID}
    for event in events:
        kind = event["event_type"]
        assert event["timestamp"][23:] == "Z"
        assert event["user_id"] and event["session_id"] and uuid.UUID(event["event_id"]).version == 4
        assert (event["product_id"] is None) == (event["category"] is None) == (kind == "search")
        assert (event["search_query"] is not None) == (kind == "search")
        assert (type(event["quantity"]), type(event["price"])) == (
            (int, float) if kind in PAID else (type(None), type(None))
        )


def sessions(simulated: Simulated, time: str) -> list[list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in sorted(simulated.events(), key=lambda event: event[time]):
        found[event["session_id"]].append(event)
    return list(found.values())


def test_shoppers_buy_what_they_have_put_into_the_cart(simulate: Simulate) -> None:
    bought = 0
    for events in sessions(simulate("a", SHOP), "timestamp"):
        seen = {"page_view": set[str](), "add_to_cart": set[str]()}
        assert len({event["user_id"] for event in events}) == 1
        for event in events:
            kind, product = event["event_type"], event["product_id"]
            if kind in PAID:
                assert product in seen["page_view"]
            if kind in ("remove_from_cart", "purchase"):
                assert product in seen["add_to_cart"]
            bought += kind == "purchase"
            seen.get(kind, set()).add(product)
    assert bought > 50


def test_some_products_are_popular(simulate: Simulate) -> None:
    views = [row["views"] for row in simulate("a", SHOP).truth["top_products"]]
    assert views[0] > 5 * 4000 / 2000


def test_lines_of_the_site_are_as_the_collector_writes_them(simulate: Simulate) -> None:
    lines = [json.loads(line) for line in simulate("a", SITE).lines()]
    assert {" ".join(line) for line in lines} == {"penstock dialect source received_at user_agent event"}
    assert len({line["user_agent"] for line in lines}) == 6
    assert all(line["received_at"] == line["event"]["event_ts"] for line in lines)


def test_what_the_tracker_says_of_sessions_is_right(simulate: Simulate) -> None:
    every = sessions(simulate("a", replace(SITE, events=600, every_ms=21_600_000, files=16)), "event_ts")
    returning = 0
    for events in every:
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        days = [(event["first_day"], event.get("prev_day")) for event in events]
        assert len(set(days)) == 1
        first_day, prev_day = days[0]
        today = events[0]["event_ts"][:10]
        assert first_day <= (prev_day or today) <= today and (prev_day is not None or first_day == today)
        returning += prev_day is not None and prev_day < today
        assert events[0]["event_type"] == "page_view"
        if prev_day is None and len(events) > 1:
            assert events[1]["event_type"] == "experiment_view"
    assert returning > 100
    assert {event["event_type"] for events in every for event in events} == {
        "page_view", "experiment_view", "scroll_depth", "time_on_page", "download", "exit_intent", "cta_click",
        "form_start", "form_submit",
    }  # fmt: skip


def test_without_dirt_the_days_tell_the_people(simulate: Simulate) -> None:
    truth = simulate("a", replace(SITE, every_ms=43_200_000, files=8)).truth
    assert [row["visitors"] for row in truth["visitors_daily"]] == [row["people"] for row in truth["visitors_daily"]]
    assert sum(row["returning"] for row in truth["visitors_daily"]) > 100


def test_variants_convert_differently(simulate: Simulate) -> None:
    a, b = simulate("a", replace(SITE, events=10_000)).truth["experiments"]
    assert b["conversions"] / b["sessions"] > 1.2 * a["conversions"] / a["sessions"]


@pytest.mark.parametrize("kind", [Kind.shop, Kind.site])
@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("malformed", "malformed"),
        ("wrong_types", "wrong_types"),
        ("duplicates", "duplicates"),
        ("late", "late"),
        ("skew", "skewed"),
        ("drift", "drifted"),
    ],
)
def test_dirt_is_as_much_as_ordered(simulate: Simulate, kind: Kind, name: str, total: str) -> None:
    totals = simulate("a", replace(SHOP, kind=kind, events=2500, dirt=Dirt(**{name: 0.2}))).truth["totals"]
    expected = 2000 if name != "drift" else 1000
    assert 0.8 * expected < totals[total] < 1.2 * expected
    others = {"malformed", "wrong_types", "duplicates", "late", "skewed", "drifted"} - {total}
    assert [other for other in others if totals[other]] == []


def test_dirt_leaves_the_events_that_happen(simulate: Simulate) -> None:
    clean, late = simulate("a", SHOP), simulate("b", replace(SHOP, dirt=Dirt(late=0.5, duplicates=0.5)))
    assert set(clean.lines()) == set(late.lines())
    assert clean.truth["product_funnel"] == late.truth["product_funnel"]
    assert len(late.files) == 5
    assert len(late.lines()) == late.truth["totals"]["lines"] > 1.4 * len(clean.lines())
