"""A lake of a few events, each of them known; who they are of is hostile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from penstock.pipeline import Pipeline
from penstock.settings import Settings, load
from site_in_hand import NOW, SCRIPT
from support import LakeInHand

RTL = "\u202eشراء"
QUOTES = "\"><script>alert('1')</script>"
WAYS = [
    *[["page_view", "signup", QUOTES]] * 2,
    *[["page_view", "signup"]] * 3,
    *[["page_view", RTL]] * 4,
    ["signup", "page_view"],
]
"""Event types of a session each."""
ARMS = {"A": (400, 40), QUOTES: (420, 84)}
"""Variant → who saw it, and who then clicked."""


def lake_of(folder: Path, events: Sequence[dict[str, Any]]) -> Settings:
    settings = load(data=folder / "data")
    LakeInHand(settings.data).put(events)
    pipeline = Pipeline(settings, clock=lambda: NOW)
    pipeline.drain()
    pipeline.close()
    return settings


def ways() -> Iterator[dict[str, Any]]:
    """Ten minutes between two events."""
    for nth, types in enumerate(WAYS):
        for place, type in enumerate(types):
            moment = datetime(2026, 11, 19, 10, nth) + timedelta(minutes=10 * place)
            yield event(f"way{nth}", type, moment, utm_source=RTL if nth % 2 else SCRIPT, page_path=f"/{nth % 3}")


def shows() -> Iterator[dict[str, Any]]:
    """An experiment with a hostile name, shown for two days, and one whose split is broken."""
    for variant, (seen, clicked) in ARMS.items():
        yield from _arm(SCRIPT, variant, seen, clicked)
    yield from _arm("broken", "A", 60, 6)
    yield from _arm("broken", "B", 140, 20)


def _arm(experiment: str, variant: str, seen: int, clicked: int) -> Iterator[dict[str, Any]]:
    for nth in range(seen):
        session = f"{experiment[:3]}{variant[:2]}{nth}"
        moment = datetime(2026, 11, 19 + nth % 2, 8, nth % 60)
        told = {"experiment": experiment, "variant": variant}
        yield event(session, "experiment_view", moment, properties=told)
        if nth < clicked:
            yield event(session, "cta_click", moment + timedelta(minutes=1), variants={experiment: variant})


def shop() -> Iterator[dict[str, Any]]:
    """Three look, two put something into the cart, one buys; an experiment is on."""
    for nth, types in enumerate(
        (["page_view"], ["page_view", "add_to_cart"], ["page_view", "add_to_cart", "purchase"])
    ):
        for place, type in enumerate(types):
            yield event(f"s{nth}", type, datetime(2026, 11, 19, 10, 10 * place), variants={"price": "AB"[nth % 2]})


def cohorts() -> Iterator[dict[str, Any]]:
    """Of 4 visitors of the week of 2 November 3 come again in the next, and 1 in the one after; they are users too."""
    for who, days in enumerate([[2, 9, 17], [3, 10], [4, 5, 11], [8]]):
        before = None
        for nth, day in enumerate(days):
            now = date(2026, 11, day)
            yield event(
                f"came{who}-{nth}", "page_view", datetime(2026, 11, day, 12), user_id=f"u{who}",
                first_day=f"2026-11-{days[0]:02}", utm_source="later" if nth else "linkedin" if who < 2 else QUOTES,
                **({"prev_day": before} if before else {}),
            )  # fmt: skip
            before = now.isoformat()


def event(session: str, type: str, moment: datetime, **more: Any) -> dict[str, Any]:
    name = f"{session}-{type}-{moment:%H%M}"
    return {"event_type": type, "event_id": name, "session_id": session, "event_ts": f"{moment.isoformat()}Z", **more}
