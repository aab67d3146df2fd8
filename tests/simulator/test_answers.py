"""The main proof: what silver says of simulated files is what the simulator knows, every number of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from penstock.bronze.load import load
from penstock.silver.refine import BATCH_BYTES, refine
from penstock.simulator.dirt import CLEAN, MIX, Dirt
from penstock.simulator.plan import Kind, Plan
from penstock.simulator.write import write
from support import NOW, LakeInHand

from .conftest import QUESTIONS, START_MS, Asked, Simulated

HEAVY_DIRT = Dirt(malformed=0.05, wrong_types=0.2, duplicates=0.2, late=0.2, skew=0.2, drift=0.5)
PLANS = {
    "shop": Plan(2000, 3_600_000, START_MS, 5, Kind.shop, 1, CLEAN),
    "shop, a little dirt": Plan(2000, 3_600_000, START_MS, 5, Kind.shop, 2, MIX),
    "shop, very dirty": Plan(2000, 3_600_000, START_MS, 5, Kind.shop, 3, HEAVY_DIRT),
    "site": Plan(2000, 3_600_000, START_MS, 5, Kind.site, 1, CLEAN),
    "site, a little dirt": Plan(2000, 3_600_000, START_MS, 5, Kind.site, 2, MIX),
    "site, very dirty": Plan(2000, 3_600_000, START_MS, 5, Kind.site, 3, HEAVY_DIRT),
    "both, days": Plan(3000, 86_400_000, START_MS, 4, Kind.both, 4, HEAVY_DIRT),
    "both, minutes": Plan(60, 60_000, START_MS, 70, Kind.both, 5, HEAVY_DIRT),
}
IN_SMALL_BATCHES = ("shop, very dirty", "both, minutes")
"""The others are refined at once, which is faster."""

SITE_QUESTIONS = {
    "pages_daily": """
        select cast(event_ts as date) as day, page_path, count(*) as views, count(distinct session_id) as sessions
        from events where event_type = 'page_view' and page_path is not null and not is_bot
        group by 1, 2 order by 1, 2""",
    "sources": """
        select coalesce(utm_source, '(direct)') as source, count(distinct session_id) as sessions,
               count(distinct session_id) filter (event_type = 'cta_click') as conversions
        from events where page_path is not null and not is_bot group by 1 order by 1""",
    "experiments": """
        select 'headline' as experiment, variants->>'headline' as variant,
               count(*) filter (event_type = 'experiment_view') as exposures,
               count(distinct session_id) as sessions,
               count(distinct session_id) filter (event_type = 'cta_click') as conversions
        from events where variants is not null and not is_bot group by 2 order by 2""",
}


class Answered(NamedTuple):
    truth: dict[str, Any]
    lake: Asked


@pytest.fixture(scope="module", params=PLANS)
def answered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    """The files lie in bronze as they were written, so that each has arrived when its folder says."""
    folder = tmp_path_factory.mktemp("simulated")
    simulated = Simulated(folder / "files", write(PLANS[request.param], folder / "files"))
    hand = LakeInHand(folder / "lake")
    for file in simulated.files:
        hand.put_bytes(file.relative_to(simulated.folder).as_posix(), file.read_bytes())
    batch_bytes = 60_000 if request.param in IN_SMALL_BATCHES else BATCH_BYTES
    while refine(hand.lake, batch_bytes=batch_bytes):
        pass
    asked = Asked(hand.folder, simulated.truth)
    yield Answered(simulated.truth, asked)
    asked.lake.close()


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_five_questions(answered: Answered, name: str) -> None:
    assert answered.lake.report(name) == answered.truth[name]


@pytest.mark.parametrize("name", SITE_QUESTIONS)
def test_questions_of_a_site(answered: Answered, name: str) -> None:
    assert answered.lake.ask(SITE_QUESTIONS[name]) == answered.truth[name]


def test_visitors(answered: Answered) -> None:
    lake, expected = answered.lake, answered.truth["visitors_daily"]
    found = []
    for row in expected:
        day = date.fromisoformat(row["day"])
        [counted] = lake.lake.report("visitors", since=day, until=day).rows()
        [on_the_site] = lake.lake.report("visitors", since=day, until=day, where="page_path!=").rows()
        found.append(
            {
                "day": row["day"],
                "visitors": counted["visitors"] - counted["users"],
                "new": counted["new"],
                "returning": counted["returning"],
                "sessions": on_the_site["sessions"],
            }
        )
    assert found == _without(expected, "people")


def _without(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != name} for row in rows]


def test_events_by_type(answered: Answered) -> None:
    found = answered.lake.rows("select event_type, count(*) from events group by 1 order by 1")
    assert dict(found) == answered.truth["events_by_type"]


def test_totals(answered: Answered) -> None:
    totals = answered.truth["totals"]
    [(stored, ids, crawlers, conflicts, files)] = answered.lake.rows(
        "select count(*), count(distinct event_id), count(*) filter (is_bot),"
        " count(*) filter (contains(flags, 'type_conflict')), (select count(distinct bronze_file) from ledger)"
        " from events"
    )
    assert (stored, ids, crawlers, files) == (
        totals["events"], totals["events"], totals["crawlers"], totals["files"],
    )  # fmt: skip
    assert conflicts == totals["type_conflicts"]
    outcomes = dict(answered.lake.rows("select outcome, sum(events)::bigint from ledger group by 1"))
    assert outcomes.get("duplicate", 0) == totals["duplicates"]
    assert sum(outcomes.values()) == totals["lines"]
    reasons = dict(answered.lake.rows("select reason, count(*) from quarantine group by 1"))
    assert reasons == totals["quarantined"]


def test_files_that_are_loaded_now_give_the_same(simulate: Callable[[str, Plan], Simulated], hand: LakeInHand) -> None:
    simulated = simulate("files", PLANS["both, minutes"])
    for file in simulated.files:
        load(hand.lake.bronze, Path(file), NOW)
    while refine(hand.lake):
        pass
    asked = Asked(hand.folder, simulated.truth)
    for name in QUESTIONS:
        assert asked.report(name) == simulated.truth[name]
    asked.lake.close()
