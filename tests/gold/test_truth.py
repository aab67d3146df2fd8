"""Gold of simulated files, dirty and late ones too, is what the simulator knows, and what the reference says."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from penstock.clock import iso
from penstock.gold.catalog import ROLLUPS
from penstock.gold.over_silver import over_silver
from penstock.gold.stores.sqlite import SQLite
from penstock.silver.refine import refine
from penstock.simulator.dirt import CLEAN, Dirt
from penstock.simulator.plan import Kind, Plan
from penstock.simulator.write import write
from support import LakeInHand

from . import reference
from .conftest import GoldInHand, in_hand

START_MS = 1_769_979_600_000
"""2026-02-01T21:00Z, so that sessions reach into the next day."""
DIRT = Dirt(malformed=0.05, wrong_types=0.1, duplicates=0.1, late=0.2, skew=0.2, drift=0.5)
PLANS = {
    "shop": Plan(1500, 3_600_000, START_MS, 6, Kind.shop, 3, DIRT),
    "site": Plan(1500, 3_600_000, START_MS, 6, Kind.site, 3, DIRT),
    "site, clean, days": Plan(1500, 86_400_000, START_MS, 4, Kind.site, 5, CLEAN),
}


@dataclass
class Known:
    truth: dict[str, Any]
    gold: GoldInHand


@pytest.fixture(scope="module", params=PLANS)
def known(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    """The files come in any order, and gold is refreshed in between."""
    folder = tmp_path_factory.mktemp("simulated")
    truth = write(PLANS[request.param], folder / "files")
    hand = LakeInHand(folder / "lake")
    gold = in_hand(hand, SQLite(folder / "rollups.db"))
    files = sorted((folder / "files").rglob("*.jsonl.gz"))
    random.Random(1).shuffle(files)
    for nth, file in enumerate(files):
        hand.put_bytes(file.relative_to(folder / "files").as_posix(), file.read_bytes())
        refine(hand.lake)
        gold.refresh(days=nth % 3 != 1)
    gold.refresh()
    yield Known(truth, gold)
    gold.store.close()


def worded(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return str(value) if isinstance(value, date | Decimal) else value


def told(rows: list[tuple[Any, ...]], *names: str) -> list[dict[str, Any]]:
    return [dict(zip(names, map(worded, row), strict=False)) for row in rows]


def test_all_of_it_is_silver(known: Known) -> None:
    known.gold.assert_is_silver()


def test_other_engines_are_asked_for_the_same_rows(known: Known) -> None:
    """Over silver alone; `tests/reports` asks them."""
    hand = known.gold.hand
    events = f"({hand.lake.silver.views()['events']}) as every_event"
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        for rollup in ROLLUPS:
            found = db.execute(over_silver(rollup).replace("silver.events", events)).fetchall()
            assert reference.in_order(found) == known.gold.rows(rollup.name), rollup.name


def test_hours_and_days(known: Known) -> None:
    gold, truth = known.gold, known.truth
    assert told(gold.rows("revenue_hourly"), "hour", "purchases", "revenue") == truth["revenue_hourly"]
    assert told(gold.rows("users_daily"), "day", "users", "sessions", "events") == truth["users_daily"]
    found = told(gold.rows("categories_daily"), "day", "category", "event_type", "events", "revenue")
    assert found == truth["category_performance"]
    assert told(gold.rows("page_views_daily"), "day", "page_path", "views", "sessions") == truth["pages_daily"]


def test_events(known: Known) -> None:
    assert summed(known.gold.rows("event_counts"), lambda row: row[1], lambda row: row[2] + row[3]) == Counter(
        known.truth["events_by_type"]
    )


def test_products(known: Known) -> None:
    views = summed(known.gold.rows("products_daily"), lambda row: row[1], lambda row: row[2])
    best = sorted(((-count, product) for product, count in views.items() if count))[:10]
    assert [{"product_id": product, "views": -count} for count, product in best] == known.truth["top_products"]


def test_visitors(known: Known) -> None:
    """What the prev_day of sessions adds up to."""
    rows = known.gold.rows("visitors_daily")
    for expected in known.truth["visitors_daily"]:
        day = date.fromisoformat(expected["day"])
        today = [row for row in rows if row[0] == day]
        visitors = sum(row[3] for row in today if row[1] is None or row[1] < day)
        new = sum(row[3] for row in today if row[1] is None)
        found = {"visitors": visitors, "new": new, "sessions": sum(row[2] for row in today)}
        assert found == {name: expected[name] for name in found}


def test_sources_and_variants_add_up_over_days(known: Known) -> None:
    """Those of the shop have neither."""
    if not known.truth["pages_daily"]:
        pytest.skip("a shop's log says of no page")
    by_source = summed(known.gold.rows("sources_daily"), lambda row: row[3] or "(direct)", lambda row: row[6])
    assert by_source == {row["source"]: row["sessions"] for row in known.truth["sources"]}
    by_variant = summed(known.gold.rows("variants_daily"), lambda row: row[2], lambda row: row[3])
    assert by_variant == {row["variant"]: row["sessions"] for row in known.truth["experiments"]}


def summed(
    rows: list[tuple[Any, ...]], key: Callable[[tuple[Any, ...]], Any], value: Callable[[tuple[Any, ...]], int]
) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for row in rows:
        found[key(row)] += value(row)
    return found
