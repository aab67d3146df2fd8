"""Funnels: how many go from step to step, where they leave, and who they were that left."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise, repeat
from typing import Any, NamedTuple

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from ...errors import PenstockError
from ...reports.filters import Op
from ...reports.run import Answer
from .. import kinds
from ..answers import Ask
from ..charts.bars import share_bar
from ..charts.formats import Delta, count, delta, percent
from ..charts.funnel import Step, funnel
from ..kinds import CARD, OF_SHOP, types, whose
from ..listing import Listing, Row, unsaid
from ..page import Page, Shown
from ..saved import Funnel
from ..state import State
from ..steps import SCROLLED, long, named, parts, step

SITE = ("page_view", SCROLLED, "cta_click", "form_start", "form_submit")
SHOP = ("page_view", "add_to_cart", "purchase")
ORDERS = (("ordered", "In this order"), ("strict", "Directly one after another"), ("any", "In any order"))
WINDOWS = (
    ("", "No limit"),
    ("30m", "30 minutes"),
    ("1h", "1 hour"),
    ("24h", "1 day"),
    ("7d", "7 days"),
    ("30d", "30 days"),
)
PEOPLE = (("session", "Sessions"), ("user", "Users"))
STOPPED_BY = (
    ("utm_source", "Source"),
    ("channel", "Channel"),
    ("page_path", "First page"),
    ("device", "Device"),
    ("browser", "Browser"),
    ("country", "Country"),
)
"""Columns that tell apart those who stopped, each at the first step."""
LEAST, MOST = 2, 10
_VALUES = 10


def given(state: State) -> tuple[str, ...]:
    """The steps that the URL asks for, if it does."""
    asked = zip(state.many("step"), chain(state.many("only"), repeat("")), strict=False)
    found = [step(long(text.strip()), only) for text, only in asked if text.strip()]
    return tuple(found[:MOST])


def funnels(state: State) -> dict[str, tuple[str, ...]]:
    """Steps, by what their cards' names begin with. While nobody says, those of a site and of a shop are asked."""
    steps = given(state)
    return {"": steps} if steps else {"": SITE, OF_SHOP: SHOP}


def asks(state: State) -> Mapping[str, Ask]:
    found = {CARD: kinds.ask(state)}
    for prefix, steps in funnels(state).items():
        asked = {
            "steps": steps,
            "order": state.chosen("order", ORDERS),
            "per": state.chosen("per", PEOPLE),
            "window": state.one("window"),
        }
        found[prefix + "funnel"] = Ask("funnel", {**asked, **state.compared})
        if by := state.one("by"):
            found[prefix + "breakdown"] = Ask("funnel", {**asked, "by": by, "top": _VALUES})
        if _stop(state, steps):
            stopped_by = state.chosen("stopped_by", STOPPED_BY)
            found[prefix + "stopped"] = Ask("funnel", {**asked, "by": stopped_by, "top": 100})
    return found


def _stop(state: State, steps: Sequence[str]) -> int | None:
    """The step that those did not reach who are asked about."""
    text = state.one("stop")
    return int(text) if re.fullmatch("[0-9]{1,2}", text) and 2 <= int(text) <= len(steps) else None


class Field(NamedTuple):
    """A step as the form shows it, and links that move it or take it away."""

    event: str
    only: str
    name: str
    up: str | None = None
    down: str | None = None
    gone: str | None = None


def fields(state: State, steps: tuple[str, ...]) -> list[Field]:
    """A free one at the end, while there may be more."""
    last = len(steps) - 1
    found = [
        Field(
            *parts(text),
            named(text),
            _with(state, _swapped(steps, nth - 1)) if nth > 0 else None,
            _with(state, _swapped(steps, nth)) if nth < last else None,
            _with(state, steps[:nth] + steps[nth + 1 :]) if len(steps) > LEAST else None,
        )
        for nth, text in enumerate(steps)
    ]
    return [*found, Field("", "", "")] if len(steps) < MOST else found


def _swapped(steps: tuple[str, ...], nth: int) -> tuple[str, ...]:
    return (*steps[:nth], steps[nth + 1], steps[nth], *steps[nth + 2 :])


def _with(state: State, steps: Sequence[str], **changes: Any) -> str:
    return state.link(**{"step": steps, "only": None, "stop": None, **changes})


def done(state: State, rows: Sequence[Mapping[str, Any]], steps: Sequence[str]) -> list[Step]:
    """The steps as they are drawn; in any order a row is how many of them were done."""
    in_any_order = state.chosen("order", ORDERS) == "any"
    return [
        Step(
            f"{row['step']} of the steps" if in_any_order else named(steps[row["step"] - 1]),
            row["reached"],
            row.get("reached_before"),
            row["median_seconds"],
            _with(state, steps, stop=str(row["step"])) + "#stopped" if row["step"] > 1 else None,
        )
        for row in rows
    ]


class Whole(NamedTuple):
    """The funnel in a line: how many of how many, which share, how that changed, and where most are lost."""

    people: str
    began: str
    finished: str
    share: str
    change: Delta | None
    worst: str
    worst_link: str


def whole(state: State, rows: Sequence[Mapping[str, Any]], drawn: Sequence[Step]) -> Whole | None:
    if not rows or not rows[0]["reached"]:
        return None
    last = rows[-1]
    lost = [then["reached"] - now["reached"] for then, now in pairwise(rows)]
    most = max(range(len(lost)), key=lost.__getitem__, default=0)
    told = ""
    if lost and lost[most] > 0:
        told = f"{count(lost[most])} ({percent(lost[most] / rows[most]['reached'], 0)}) before {drawn[most + 1].name}"
    return Whole(
        dict(PEOPLE)[state.chosen("per", PEOPLE)].lower(),
        count(rows[0]["reached"]),
        count(last["reached"]),
        percent(last["of_first"]),
        delta(last["of_first"], last.get("of_first_before")) if state.compare else None,
        told,
        drawn[most + 1].lost or "" if told else "",
    )


class Line(NamedTuple):
    """A value of the breakdown: counts of its steps, and the share of the whole way."""

    name: str
    link: str
    counts: tuple[str, ...]
    share: str
    bar: Markup


def breakdown(shown: Shown, card: str) -> list[Line]:
    """Each value of the column by which it is broken down, those that begin most often first."""
    by, found = shown.state.one("by"), shown.found.get(card)
    if not isinstance(found, Answer):
        return []
    lines: dict[str | None, list[dict[str, Any]]] = {}
    for row in found.rows():
        lines.setdefault(row[by], []).append(row)
    widest = max((rows[-1]["of_first"] or 0.0 for rows in lines.values()), default=0.0) or 1.0
    return [
        Line(
            name or unsaid(by),
            shown.state.filtered(by, name or ""),
            tuple(count(row["reached"]) for row in rows),
            percent(rows[-1]["of_first"]),
            share_bar((rows[-1]["of_first"] or 0.0) / widest),
        )
        for name, rows in lines.items()
    ]


def stopped(shown: Shown, card: str, stop: int) -> Listing:
    """Who came to the step before, and not to this one."""
    by, label = next(one for one in STOPPED_BY if one[0] == shown.state.chosen("stopped_by", STOPPED_BY))
    head = (label, "Stopped", "Of those there")
    found = shown.found.get(card)
    if not isinstance(found, Answer):
        return Listing(card, head, failed=found)
    reached: dict[str | None, dict[int, int]] = {}
    for row in found.rows():
        reached.setdefault(row[by], {})[row["step"]] = row["reached"]
    lost = sorted(
        ((name, there[stop - 1] - there[stop], there) for name, there in reached.items()), key=lambda x: -x[1]
    )
    widest = max((many for _, many, _ in lost), default=0) or 1
    rows = [
        Row(
            name or unsaid(by),
            share_bar(many / widest),
            shown.state.filtered(by, name or ""),
            shown.state.filtered(by, name or "", Op.differs),
            (count(many), percent(many / there[stop - 1], 0)),
        )
        for name, many, there in lost[:_VALUES]
        if many
    ]
    more = shown.state.link(f"/details/funnels/{card}", **shown.state.given)
    return Listing(card, head, tuple(rows), more=more)


def context(shown: Shown) -> Mapping[str, Any]:
    state, there = shown.state, types(shown)
    choices = funnels(state)
    prefix = whose(choices, there)
    steps = choices[prefix]
    rows = sorted(shown.rows(prefix + "funnel"), key=lambda row: row["step"])
    drawn = done(state, rows, steps)
    stop = _stop(state, steps)
    return {
        "card": prefix + "funnel",
        "failure": shown.failure(prefix + "funnel"),
        "chart": funnel(drawn) if any(step.count for step in drawn) else None,
        "whole": whole(state, rows, drawn),
        "fields": fields(state, steps),
        "steps": [each.name for each in drawn],
        "types": there,
        "orders": (ORDERS, state.chosen("order", ORDERS)),
        "windows": (_windows(state.one("window")), state.one("window")),
        "people": (PEOPLE, state.chosen("per", PEOPLE)),
        "by": state.one("by"),
        "breakdown": breakdown(shown, prefix + "breakdown"),
        "broken": shown.failure(prefix + "breakdown"),
        "breakdown_card": prefix + "breakdown",
        "stop": stop,
        "stopped": stopped(shown, prefix + "stopped", stop) if stop else None,
        "stopped_at": drawn[stop - 1].name if stop and len(drawn) >= stop else "",
        "stopped_tabs": (STOPPED_BY, state.chosen("stopped_by", STOPPED_BY)),
        "no_stop": _with(state, steps),
        "query": _with(state, steps).partition("?")[2],
        "own": tuple(PAGE.own),
    }


def _windows(asked: str) -> tuple[tuple[str, str], ...]:
    return WINDOWS if asked in dict(WINDOWS) else (*WINDOWS, (asked, asked))


async def extra(dashboard: Any, state: State) -> Mapping[str, Any]:
    """Funnels that were saved by name; none if the file that they are in cannot be read."""
    try:
        return {"saved": await run_in_threadpool(dashboard.saved.all, Funnel)}
    except PenstockError:
        return {"saved": []}


PAGE = Page(
    "funnels",
    "Funnels",
    asks,
    context,
    own={
        "step": "event type, and filters after ' & ' (page_view & page_path=/pricing, or page_view:/pricing); in order",
        "only": "more filters of the steps, one for each, as the form sends them",
        "order": "ordered, strict or any",
        "window": "longest time from the first step to the last: 30m, 24h, 7d",
        "per": "session or user",
        "by": "column to break down by",
        "stop": "number of the step before which those stopped who are shown",
        "stopped_by": "column that tells those apart: " + ", ".join(column for column, _ in STOPPED_BY),
    },
    extra=extra,
    key="f",
)
