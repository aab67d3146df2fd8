"""Funnel, retention, A/B tests, forms and paths of dirty simulated traffic, against plain Python; in three zones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from penstock.errors import PenstockError
from penstock.reports.run import ask
from penstock.reports.statement import Statement
from penstock.silver.columns import EVENTS
from penstock.silver.refine import refine
from penstock.simulator.dirt import MIX
from penstock.simulator.plan import Kind, Plan
from penstock.simulator.write import write
from support import LakeInHand

from . import slow_analyses as slow
from .slow_funnel import Step, funnel

ZONES = ("UTC", "America/New_York", "Pacific/Auckland")
EVERY_MS = 4 * 86_400_000
FILES = 10
START = datetime(2026, 2, 23, tzinfo=UTC)
"""Clocks change in two of the zones in between."""
FROM, TO = "2026-02-26", "2026-03-29"
NOW = datetime(2026, 4, 20, 12, 30, tzinfo=UTC)
NEEDED = (
    "event_type, event_ts, session_id, user_id, anonymous_id, seq, page_path, utm_source, referrer_host, variants,"
    " properties, first_day, prev_day"
)


class Simulated(NamedTuple):
    """Rows without crawlers, and how to ask reports about the same lake."""

    rows: list[dict[str, Any]]
    ask: Callable[..., list[dict[str, Any]]]

    def inside(self, zone: str) -> list[Any]:
        return slow.inside(self.rows, *period(zone))


def period(zone: str) -> tuple[datetime, datetime]:
    first = datetime.fromisoformat(FROM).replace(tzinfo=ZoneInfo(zone))
    last = (datetime.fromisoformat(TO) + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone))
    return first.astimezone(UTC), last.astimezone(UTC)


@pytest.fixture(scope="module", params=[500, pytest.param(20_000, marks=pytest.mark.heavy)])
def simulated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    folder = tmp_path_factory.mktemp("analyses")
    start_ms = int(START.timestamp() * 1000)
    write(Plan(request.param, EVERY_MS, start_ms, FILES, Kind.both, 3, MIX), folder / "files")
    hand = LakeInHand(folder / "lake")
    for file in sorted((folder / "files").rglob("*.jsonl.gz")):
        hand.put_bytes(file.relative_to(folder / "files").as_posix(), file.read_bytes())
    while refine(hand.lake):
        pass
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute("create schema silver")
        db.execute(f"create table silver.events as {hand.lake.silver.views()['events']}")
        rows = db.sql(f"select {NEEDED} from silver.events where not is_bot").to_arrow_table().to_pylist()

        def asking(name: str, **asked: Any) -> list[dict[str, Any]]:
            columns = {column.name: column.type for column in EVENTS}
            asked = {"since": FROM, "until": TO, **asked}

            def run(told: Statement) -> pa.Table:
                return db.sql(told.sql, params=dict(told.values)).to_arrow_table()

            return ask(name, run, columns, now=NOW, **asked).rows()

        yield Simulated(rows, asking)


FUNNELS: dict[str, dict[str, Step]] = {
    "form": {
        "page_view": lambda row: row["event_type"] == "page_view",
        "cta_click": lambda row: row["event_type"] == "cta_click",
        "form_start": lambda row: row["event_type"] == "form_start",
        "form_submit": lambda row: row["event_type"] == "form_submit",
    },
    "pages": {
        "page_view & page_path=/": lambda row: row["event_type"] == "page_view" and row["page_path"] == "/",
        "page_view & page_path=/pricing": lambda row: (
            row["event_type"] == "page_view" and row["page_path"] == "/pricing"
        ),
        "page_view": lambda row: row["event_type"] == "page_view",
    },
    "cart": {
        "page_view": lambda row: row["event_type"] == "page_view",
        "add_to_cart": lambda row: row["event_type"] == "add_to_cart",
        "purchase": lambda row: row["event_type"] == "purchase",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", FUNNELS)
@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
@pytest.mark.parametrize(
    ("per", "window", "by"), [("session", None, None), ("session", "30s", "utm_source"), ("user", "2d", None)]
)
def test_funnel(simulated: Simulated, name: str, order: str, per: str, window: str | None, by: str | None) -> None:
    zone = ZONES[len(name) % 3]
    steps = FUNNELS[name]
    length = {None: None, "30s": timedelta(seconds=30), "2d": timedelta(days=2)}[window]
    found = simulated.ask(
        "funnel", steps=list(steps), order=order, per=per, window=window or "", by=by, zone=zone, top=1000
    )
    expected = funnel(simulated.inside(zone), list(steps.values()), order=order, per=per, window=length, by=by)
    assert [(row.get(by or ""), row["step"], row["reached"]) for row in found] == [
        (line.breakdown, line.step, line.reached) for line in expected
    ]
    assert [row["median_seconds"] for row in found] == pytest.approx([line.median_seconds for line in expected])
    assert all(row["of_previous"] is None or row["of_previous"] <= 1 for row in found)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("grain", ["day", "week", "month"])
@pytest.mark.parametrize("people", ["visitors", "users"])
def test_retention(simulated: Simulated, zone: str, grain: str, people: str) -> None:
    found = simulated.ask("retention", grain=grain, people=people, zone=zone)
    cells = {"visitors": slow.visitor_cells, "users": slow.user_cells}[people]
    expected = cells(simulated.rows, *period(zone), grain, zone)
    assert {(row["cohort"], row["period"]): row["people"] for row in found if row["people"]} == expected
    assert all(row["size"] == expected[row["cohort"], row["cohort"]] for row in found)
    starts = sorted({row["cohort"] for row in found})
    assert len(found) == len(starts) * (len(starts) + 1) // 2


@pytest.mark.parametrize("of", ["utm_source", "page_path"])
def test_retention_by_the_first_event(simulated: Simulated, of: str) -> None:
    said = slow.first_of(simulated.rows, of)
    for first, _ in Counter(said.values()).most_common(2):
        found = simulated.ask("retention", people="users", of=of, first=first or "(none)")
        rows = [row for row in simulated.rows if slow.person(row) in said and said[slow.person(row)] == first]
        expected = slow.user_cells(rows, *period("UTC"), "week", "UTC")
        assert {(row["cohort"], row["period"]): row["people"] for row in found if row["people"]} == expected
        assert expected.total() > 0


def test_visitors_are_not_followed(simulated: Simulated) -> None:
    with pytest.raises(PenstockError, match="not known later"):
        simulated.ask("retention", first="linkedin")


@pytest.mark.parametrize("goal", ["cta_click", "form_submit"])
def test_experiments(simulated: Simulated, goal: str) -> None:
    found = simulated.ask("experiments", goal=goal)
    expected = slow.experiment_arms(simulated.inside("UTC"), goal)
    assert {(row["experiment"], row["variant"]): (row["exposures"], row["conversions"]) for row in found} == expected
    assert len(found) == 2


@pytest.mark.parametrize("zone", ZONES)
def test_forms(simulated: Simulated, zone: str) -> None:
    found = simulated.ask("forms", zone=zone)
    expected = slow.form_lines(simulated.inside(zone))
    assert {(row["form"], row["page_path"]): (row["started"], row["submitted"]) for row in found} == {
        name: line[:2] for name, line in expected.items()
    }
    seconds = {(row["form"], row["page_path"]): row["median_seconds"] for row in found}
    assert seconds == pytest.approx({name: line[2] for name, line in expected.items()})
    assert all(row["started"] == row["submitted"] + row["abandoned"] for row in found)


@pytest.mark.parametrize("direction", ["next", "previous"])
def test_paths(simulated: Simulated, direction: str) -> None:
    found = simulated.ask("paths", page="/pricing", direction=direction, depth=4)
    expected = slow.steps_from(slow.journeys(simulated.inside("UTC")), "/pricing", direction, 4)
    for step, pages in expected.items():
        assert {row["page_path"]: row["sessions"] for row in found if row["step"] == step} == pages
        assert sum(row["share"] for row in found if row["step"] == step) == pytest.approx(1)


def test_journeys(simulated: Simulated) -> None:
    found = simulated.ask("journeys", pages=3, limit=100_000)
    walked = [" → ".join(pages[:3]) for pages in slow.journeys(simulated.inside("UTC"))]
    assert {row["journey"]: row["sessions"] for row in found} == Counter(walked)
    assert sum(row["share"] for row in found) == pytest.approx(1)
