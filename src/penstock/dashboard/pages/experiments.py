"""Experiments: which variant converts better, whether that may be believed, and how long it still takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from math import ceil
from operator import itemgetter
from typing import Any, NamedTuple

from markupsafe import Markup

from ...reports.period import Grain, day_start
from ...reports.stats import SRM_BELOW, Arm, Call, call
from .. import kinds
from ..answers import Ask
from ..charts.formats import NOTHING, count, counted, percent, show
from ..charts.interval import domain, interval
from ..kinds import CARD, OF_SHOP, offered, types, whose
from ..page import Page, Shown
from ..state import State
from ..steps import parts, step
from .funnels import PEOPLE

SITE_GOAL, SHOP_GOAL = "cta_click", "purchase"
EFFECTS = (("0.02", "2 %"), ("0.05", "5 %"), ("0.1", "10 %"), ("0.2", "20 %"), ("0.5", "50 %"))
_EFFECT = "0.1"
_BY = "properties.experiment"
_LEAST_DAYS = 1 / 24
"""Less time than that says nothing about how many come."""

Rows = Sequence[Mapping[str, Any]]


def goals(state: State) -> dict[str, str]:
    """Goals, by what their cards' names begin with. While nobody says, those of a site and of a shop are asked."""
    if event := state.one("goal"):
        return {"": step(event, state.one("only"))}
    return {"": SITE_GOAL, OF_SHOP: SHOP_GOAL}


def asks(state: State) -> Mapping[str, Ask]:
    asked = {name: state.one(name) for name in ("experiment", "control", "shares") if state.one(name)}
    asked |= {"per": state.chosen("per", PEOPLE), "effect": state.one("effect", _EFFECT)}
    results = {f"{prefix}results": Ask("experiments", {**asked, "goal": goal}) for prefix, goal in goals(state).items()}
    began = Ask("events", {"event": "experiment_view", "by": _BY, "grain": Grain.day, "where": ()})
    return {CARD: kinds.ask(state), **results, "began": began}


class Variant(NamedTuple):
    name: str
    exposures: str
    conversions: str
    rate: str
    rate_bar: Markup
    lift: str
    lift_bar: Markup | None
    beats: str
    p_value: str


class Experiment(NamedTuple):
    """`calls` are a variant's name and what may be said of it; `split` is red if the split is `broken`."""

    name: str
    link: str
    heading: str
    kind: str
    variants: list[Variant]
    verdicts: list[str]
    split: str
    is_broken: bool
    exposures: str
    needed: str
    wait: str
    mixed: int


def experiments(state: State, rows: Rows, began: Mapping[str, date]) -> list[Experiment]:
    return [_experiment(state, name, list(found), began) for name, found in groupby(rows, itemgetter("experiment"))]


def _experiment(state: State, name: str, rows: Rows, began: Mapping[str, date]) -> Experiment:
    control, others = rows[0], rows[1:]
    split, least = control["split_p_value"], min(row["exposures"] for row in rows)
    is_broken = split is not None and split < SRM_BELOW
    calls = {row["variant"]: _call(control, row, len(others)) for row in others}
    wait = "" if is_broken else _wait(control["needed"], least, days(state, began.get(name)))
    missing = sum(max(0, (control["needed"] or 0) - row["exposures"]) for row in rows)
    rates = {row["variant"]: row["rate"] or 0.0 for row in rows}
    heading, kind = _heading(calls, rates, missing, wait, is_broken)
    return Experiment(
        name,
        state.link(experiment=name),
        heading,
        kind,
        _variants(rows, {} if missing or is_broken else calls),
        list(dict.fromkeys(row["verdict"] for row in others)),
        _split(rows, split, is_asked=bool(state.one("shares"))),
        is_broken,
        count(sum(row["exposures"] for row in rows)),
        show(control["needed"]),
        wait,
        control["mixed"],
    )


def _call(control: Mapping[str, Any], row: Mapping[str, Any], tests: int) -> Call:
    return call(_arm(control), _arm(row), row["split_p_value"], tests=tests)


def _arm(row: Mapping[str, Any]) -> Arm:
    return Arm(row["exposures"], row["conversions"])


def _heading(
    calls: Mapping[str, Call], rates: Mapping[str, float], missing: int, wait: str, is_broken: bool
) -> tuple[str, str]:
    """The whole in a few words, and whether that is good; `rates` begins with the control's.

    Nobody wins before as many have seen each as were needed: who stops at the first low p finds winners that are none.
    """
    found = set(calls.values())
    if is_broken:
        return "Broken split: do not trust it", "bad"
    if not calls:
        return "Only one variant was shown so far", ""
    if missing:
        return f"Too early to say: about {counted(missing, 'more exposure', _about)}{f', {wait}' if wait else ''}", ""
    if Call.better in found:
        best = max((name for name, said in calls.items() if said is Call.better), key=rates.__getitem__)
        return f"{best} wins", "good"
    if found == {Call.worse}:
        return f"The control, {next(iter(rates))}, wins", "good"
    if found == {Call.not_enough}:
        return "Too few to tell", ""
    return f"Nothing beats the control, {next(iter(rates))}" if Call.worse in found else "No difference found", ""


def _about(number: int) -> str:
    """With two places, for more would be made up."""
    return count(round(number, 2 - len(str(number))) if number >= 100 else number)


def _variants(rows: Rows, calls: Mapping[str, Call]) -> list[Variant]:
    """All rates on one axis, with a line at the control's; all lifts on another, with one at none."""
    rates = domain(((row["rate_low"], row["rate"], row["rate_high"]) for row in rows), rows[0]["rate"])
    lifts = domain(((row["lift_low"], row["lift"], row["lift_high"]) for row in rows), 0)
    kinds = {Call.better: "interval good", Call.worse: "interval bad"}
    return [
        Variant(
            row["variant"],
            count(row["exposures"]),
            count(row["conversions"]),
            percent(row["rate"]),
            interval(row["rate_low"], row["rate"], row["rate_high"], on=rates, reference=rows[0]["rate"]),
            _signed(row["lift"]),
            None
            if row["lift"] is None
            else interval(
                *(row["lift_low"], row["lift"], row["lift_high"]),
                on=lifts,
                reference=0,
                name=kinds.get(calls.get(row["variant"], Call.no_difference), "interval"),
            ),
            _chance(row["chance_to_beat"]),
            _p(row["p_value"]),
        )
        for row in rows
    ]


def _signed(share: float | None) -> str:
    return NOTHING if share is None else f"{'+' if share > 0 else ''}{percent(share)}"


def _chance(share: float | None) -> str:
    """Never sure."""
    return NOTHING if share is None else "> 99.9 %" if share > 0.999 else "< 0.1 %" if share < 0.001 else percent(share)


def _p(value: float | None) -> str:
    return NOTHING if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _split(rows: Rows, p_value: float | None, *, is_asked: bool) -> str:
    """49.6 / 50.4 %: as meant."""
    total = sum(row["exposures"] for row in rows)
    if not total or p_value is None:
        return NOTHING
    shares = " / ".join(percent(row["exposures"] / total).removesuffix(" %") for row in rows)
    meant = "as was meant" if is_asked else "as equal as chance makes it"
    return f"{shares} %: {'not ' if p_value < SRM_BELOW else ''}{meant} (p {_equals(p_value)})"


def _equals(p_value: float) -> str:
    return _p(p_value) if p_value < 0.001 else f"= {p_value:.2g}"


def days(state: State, first: date | None) -> float:
    """How long of the period it has been shown, in days."""
    period = state.period
    since = period.since if first is None else max(period.since, day_start(first, period.zone))
    return max(_LEAST_DAYS, (min(period.until, period.now) - since) / timedelta(days=1))


def _wait(needed: int | None, least: int, days: float) -> str:
    """Until each variant has been seen often enough, if it goes on as in this period."""
    if not needed or not least or least >= needed:
        return ""
    left = ceil((needed - least) / (least / days))
    return f"~{count(left)} more day{'s' if left > 1 else ''}"


def began(shown: Shown) -> dict[str, date]:
    """The first day of the period on which each was shown."""
    found: dict[str, date] = {}
    for row in shown.rows("began"):
        if row["events"] and row[_BY] is not None:
            found[row[_BY]] = min(row["bucket"], found.get(row[_BY], row["bucket"]))
    return found


def context(shown: Shown) -> Mapping[str, Any]:
    state, there = shown.state, types(shown)
    choices = goals(state)
    prefix = whose(choices, there)
    event, only = parts(choices[prefix])
    effect = state.one("effect", _EFFECT)
    return {
        "card": prefix + "results",
        "failure": shown.failure(prefix + "results"),
        "experiments": experiments(state, shown.rows(prefix + "results"), began(shown)),
        "one": state.one("experiment"),
        "goal": choices[prefix],
        "event": event,
        "only": only,
        "types": offered(there, event),
        "people": (PEOPLE, state.chosen("per", PEOPLE)),
        "effects": (EFFECTS if effect in dict(EFFECTS) else (*EFFECTS, (effect, effect)), effect),
        "own": ("goal", "only", "per", "effect", "control", "shares"),
    }


PAGE = Page(
    "experiments",
    "Experiments",
    asks,
    context,
    own={
        "experiment": "name of the one to show",
        "goal": "event type that counts as a conversion",
        "only": "filters of it: page_path=/pricing, several with ' & ' between them",
        "per": "session or user",
        "control": "the variant to compare with",
        "shares": "how the variants were meant to be shown: A=90,B=10",
        "effect": "smallest relative difference that matters: 0.1 is 10 %",
    },
    key="x",
    compares=False,
)
