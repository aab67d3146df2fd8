"""Experiments: verdicts in words, a broken split in red, days that are left, and an end for hostile names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import penstock
from dashboard.pages.by_hand import ARMS, QUOTES, RTL, lake_of, shop, shows
from penstock.dashboard import state
from penstock.dashboard.charts.formats import count, percent
from penstock.dashboard.pages import experiments
from penstock.dashboard.state import Site, State
from penstock.reports.stats import SRM_BELOW
from penstock.settings import Settings
from site_in_hand import HOSTILE, NOW, SCRIPT, Seen, visit

EARLY = "Too early to say: about"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def asked(*pairs: tuple[str, str]) -> State:
    return state.read("/experiments", pairs, Site({}, "UTC", date(2026, 1, 1), NOON), experiments.PAGE.own)


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with visit(lake_of(tmp_path_factory.mktemp("tests"), list(shows()))) as client:
        yield client


def rows(*arms: tuple[str, int, int], split: float = 0.5, needed: int | None = 5000) -> list[dict[str, Any]]:
    """As the report has them; the first is the control."""
    numbers = dict.fromkeys(("rate_low", "rate_high", "lift", "lift_low", "lift_high", "p_value", "chance_to_beat"))
    return [
        {
            "experiment": "e", "variant": variant, "exposures": seen, "conversions": done, "rate": done / seen,
            **numbers, "split_p_value": split, "needed": needed, "mixed": 0, "verdict": f"about {variant}",
        }
        for variant, seen, done in arms
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arms", "more", "heading"),
    [
        ([("A", 5000, 500), ("B", 5000, 800)], {}, "B wins"),
        ([("A", 5000, 800), ("B", 5000, 500)], {}, "The control, A, wins"),
        ([("A", 5000, 500), ("B", 5000, 800), ("C", 5000, 900)], {}, "C wins"),
        ([("A", 9000, 900), ("B", 9000, 910)], {}, "No difference found"),
        ([("A", 9000, 900), ("B", 9000, 950), ("C", 9000, 700)], {}, "Nothing beats the control, A"),
        ([("A", 1000, 100), ("B", 1000, 160)], {}, f"{EARLY} 8,000 more exposures, ~42 more days"),
        ([("A", 1000, 160), ("B", 1000, 100)], {}, f"{EARLY} 8,000 more exposures, ~42 more days"),
        ([("A", 1000, 100), ("B", 1000, 105)], {}, f"{EARLY} 8,000 more exposures, ~42 more days"),
        ([("A", 5000, 500), ("B", 4990, 800)], {}, f"{EARLY} 10 more exposures, ~1 more day"),
        ([("A", 5000, 500), ("B", 5000, 800), ("C", 4477, 9)], {}, f"{EARLY} 520 more exposures, ~2 more days"),
        ([("A", 1000, 100), ("B", 500, 50)], {}, f"{EARLY} 8,500 more exposures, ~95 more days"),
        ([("A", 1000, 100), ("B", 1000, 105)], {"needed": None}, "No difference found"),
        ([("A", 20, 2), ("B", 20, 3)], {}, f"{EARLY} 10,000 more exposures, ~2,615 more days"),
        ([("A", 20, 2), ("B", 20, 3)], {"needed": None}, "Too few to tell"),
        ([("A", 20, 2)], {}, "Only one variant was shown so far"),
        ([("A", 5000, 500), ("B", 5000, 800)], {"split": SRM_BELOW / 2}, "Broken split: do not trust it"),
        ([("A", 1000, 100), ("B", 1000, 160)], {"split": SRM_BELOW / 2}, "Broken split: do not trust it"),
    ],
)
def test_heading(arms: list[tuple[str, int, int]], more: dict[str, Any], heading: str) -> None:
    """It was shown for ten and a half days."""
    [found] = experiments.experiments(asked(("period", "28d")), rows(*arms, **more), {"e": date(2026, 11, 10)})
    assert found.heading == heading
    assert found.is_broken == ("Broken" in heading)
    assert (found.kind == "good") == ("wins" in heading)


@pytest.mark.parametrize(("seen", "is_coloured"), [(5000, True), (4999, False)])
def test_no_lift_is_green_before_its_time(seen: int, is_coloured: bool) -> None:
    lift = {"lift": 0.6, "lift_low": 0.4, "lift_high": 0.8}
    arms = [{**row, **lift} for row in rows(("A", 5000, 500), ("B", seen, 800))]
    [found] = experiments.experiments(asked(), arms, {})
    assert ("good" in str(found.variants[1].lift_bar)) == is_coloured


@pytest.mark.parametrize(
    ("query", "first", "days"),
    [
        ([], date(2026, 11, 19), 1.5),
        ([("period", "7d")], date(2026, 1, 1), 6.5),
        ([("from", "2026-11-01"), ("to", "2026-11-10")], date(2026, 11, 9), 2.0),
        ([("from", "2026-11-01"), ("to", "2026-11-10")], None, 10.0),
        ([("period", "today")], date(2026, 11, 21), 1 / 24),
    ],
)
def test_days_that_it_was_shown(query: list[tuple[str, str]], first: date | None, days: float) -> None:
    assert experiments.days(asked(*query), first) == pytest.approx(days)


def test_goals() -> None:
    assert experiments.goals(asked()) == {"": "cta_click", "shop_": "purchase"}
    assert experiments.goals(asked(("goal", "signup"))) == {"": "signup"}
    assert experiments.goals(asked(("goal", "signup"), ("only", " plan=pro "))) == {"": "signup & plan=pro"}


def test_experiment_by_hand(by_hand: TestClient) -> None:
    asked = {"experiment": SCRIPT, "control": "A"}
    early = Seen(by_hand.get("/experiments", params=asked).text).texts
    assert any(text.startswith(EARLY) for text in early) and not any("wins" in text for text in early)
    shown = Seen(by_hand.get("/experiments", params={**asked, "effect": "1"}).text)
    assert f"{QUOTES} wins" in shown.texts
    assert not shown.all("img")
    for variant, (seen, clicked) in ARMS.items():
        at = shown.texts.index(variant, shown.texts.index("p-value"))
        cells = [text for text in shown.texts[at + 1 :][:4] if text != "control"]
        assert cells[:3] == [str(seen), str(clicked), percent(clicked / seen)]
    assert "Broken split: do not trust these numbers." not in shown.texts
    assert "broken" not in shown.texts


def test_broken_split_is_a_banner(by_hand: TestClient) -> None:
    html = by_hand.get("/experiments?experiment=broken").text
    shown = Seen(html)
    assert "Broken split: do not trust these numbers." in shown.texts
    assert any(each["class"] == "banner bad" and each["role"] == "alert" for each in shown.all("p") if "role" in each)
    assert "B wins" not in shown.texts
    meant = Seen(by_hand.get("/experiments?experiment=broken&shares=A=30,B=70").text).texts
    assert "Broken split: do not trust these numbers." not in meant
    assert any("as was meant" in text for text in meant)


def test_all_experiments(by_hand: TestClient) -> None:
    shown = Seen(by_hand.get("/experiments").text)
    assert {"broken", SCRIPT} <= set(shown.texts)
    assert any("experiment=broken" in link for link in shown.links)
    assert any(text.startswith("Decide when each variant") for text in shown.texts)


def test_another_goal_and_control(by_hand: TestClient) -> None:
    assert "0 %" in Seen(by_hand.get("/experiments?goal=form_submit").text).texts
    shown = Seen(by_hand.get("/experiments?experiment=broken&control=B").text).texts
    at = shown.index("p-value")
    assert shown[at + 1 : at + 3] == ["B", "control"]
    assert (
        "experiment broken has no variant 'Z'"
        in Seen(by_hand.get("/experiments?experiment=broken&control=Z").text).texts
    )


@pytest.mark.parametrize("query", ["", "goal=form_submit", "utm_medium=social"])
def test_numbers_are_those_of_the_report(client: TestClient, settings: Settings, query: str) -> None:
    told = dict(part.split("=", 1) for part in query.split("&") if part)
    where = [f"utm_medium={medium}"] if (medium := told.pop("utm_medium", "")) else []
    with penstock.open(settings.data) as lake:
        lake.pipeline.clock = lambda: NOW
        found = lake.report("experiments", since="2026-11-14", until="2026-11-20", where=where, **told).rows()
    assert found
    shown = Seen(client.get(f"/experiments?period=7d&{query}").text).texts
    at = shown.index("p-value")
    for row in found:
        place = shown.index(row["variant"], at)
        cells = [text for text in shown[place + 1 :][:4] if text != "control"]
        assert cells[:3] == [count(row["exposures"]), count(row["conversions"]), percent(row["rate"])]


def test_a_shop_is_after_purchases(tmp_path: Path) -> None:
    with visit(lake_of(tmp_path, list(shop()))) as client:
        texts = Seen(client.get("/experiments").text).texts
        at = texts.index("p-value")
        assert texts[at + 1 : at + 6] == ["A", "control", "2", "1", "50 %"]


def test_without_experiments_it_shows_how_to_start_one(by_hand: TestClient) -> None:
    shown = Seen(by_hand.get("/experiments?period=2026").text)
    assert shown.texts
    shown = Seen(by_hand.get("/experiments?from=2026-01-01&to=2026-01-31").text)
    assert "No experiment was shown in this time" in shown.texts
    assert any("analytics.variant('headline', ['A', 'B'])" in text for text in shown.texts)
    filtered = Seen(by_hand.get("/experiments?page_path=/nowhere").text)
    assert "Nothing matches these filters" in filtered.texts


@pytest.mark.parametrize("value", [*HOSTILE, RTL])
def test_hostile_values_are_text(by_hand: TestClient, value: str) -> None:
    for name in ("experiment", "goal", "only", "per", "control", "shares", "effect"):
        shown = Seen(by_hand.get("/experiments", params={name: value}).text)
        assert not shown.all("img")
        assert all(each.get("src") for each in shown.all("script"))
        assert not [name for _, each in shown.elements for name in each if name.startswith("on") or name == "style"]
        assert all(link.startswith(("/", "#")) or not link for link in shown.links)
