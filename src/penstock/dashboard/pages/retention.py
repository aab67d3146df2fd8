"""Retention: of those who first came in one week, how many came again in each later one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from ...reports.period import Grain, day_start
from ...reports.run import Answer
from ..answers import Ask
from ..charts.curve import Point, curve
from ..charts.formats import count
from ..charts.heat import Cell, Cohort, heat
from ..page import Page, Shown
from ..state import State

GRAINS = (Grain.day, Grain.week, Grain.month)
FEWEST = {Grain.day: 14, Grain.week: 8, Grain.month: 6}
"""Cohorts that are shown of a shorter period, for coming back takes time."""
MOST = {Grain.day: 28, Grain.week: 26, Grain.month: 24}
PEOPLE = (("visitors", "Visitors"), ("users", "Users"))
SHOWN = (("share", "%"), ("count", "Count"))
FIRST = (
    ("utm_source", "Source"),
    ("channel", "Channel"),
    ("utm_campaign", "Campaign"),
    ("page_path", "Page"),
    ("device", "Device"),
    ("country", "Country"),
)
"""Columns of which the first event of a user can be asked."""
_EXACT = {
    "visitors": "visitors are counted by the days that the tracker sends, without knowing who they are: exact, as long "
    "as a browser keeps its storage; another device is another visitor",
    "users": "users are those with a user_id, else an anonymous_id; events without either count nowhere",
}
_FILTERED = {
    "visitors": "with filters, a visitor is counted in a time if the first session of it has an event that fits",
    "users": "with filters, a user is counted in a time if an event of it fits; when they first came is asked without",
}


def grain(state: State) -> Grain:
    return state.grain if state.grain in GRAINS else Grain.week


def asks(state: State) -> Mapping[str, Ask]:
    asked: dict[str, Any] = {
        "grain": grain(state),
        "people": state.chosen("people", PEOPLE),
        "since": day_start(begins(state), state.site.zone),
    }
    if state.one("first"):
        asked |= {"people": "users", "of": state.chosen("of", FIRST), "first": state.one("first")}
    return {"cohorts": Ask("retention", asked)}


def begins(state: State) -> date:
    """Where whole cohorts begin: with the period, earlier if it is short, later if they were too many."""
    wide = grain(state)
    first, last = state.period.days
    last = min(last, state.site.now.astimezone(state.period.tz).date())
    asked = min(_start(first, wide), _back(_start(last, wide), wide, FEWEST[wide] - 1))
    there = max(asked, _start(state.site.first, wide))
    return min(max(there, _back(_start(last, wide), wide, MOST[wide] - 1)), _start(last, wide))


def _start(day: date, wide: Grain) -> date:
    if wide is Grain.week:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if wide is Grain.month else day


def _back(day: date, wide: Grain, many: int) -> date:
    if wide is not Grain.month:
        return day - timedelta(days=many * (7 if wide is Grain.week else 1))
    months = day.year * 12 + day.month - 1 - many
    return date(months // 12, months % 12 + 1, 1)


def cohorts(rows: Sequence[Mapping[str, Any]]) -> list[Cohort]:
    cells: dict[date, list[Cell]] = defaultdict(list)
    sizes: dict[date, int] = {}
    for row in rows:
        cells[row["cohort"]].append(Cell(row["people"], row["complete"]))
        sizes[row["cohort"]] = row["size"]
    return [Cohort(start, sizes[start], found) for start, found in cells.items()]


def mean(found: Sequence[Cohort], nth: int) -> float | None:
    """Of all people whose nth time is over, the share that came back in it."""
    over = [one for one in found if len(one.cells) > nth and one.cells[nth].complete]
    size = sum(one.size for one in over)
    return sum(one.cells[nth].people for one in over) / size if size else None


def line(found: Sequence[Cohort], wide: Grain) -> Markup | None:
    """The mean of each time after the first, while at least two are over."""
    letter = wide[:1].upper()
    longest = max((len(one.cells) for one in found), default=0)
    points = [Point(f"{letter}{n}", mean(found, n), f"{wide} {n} after the first") for n in range(1, longest)]
    known = [point for point in points if point.share is not None]
    return curve(known, label=f"Came back, by {wide}") if len(known) > 1 else None


def context(shown: Shown) -> Mapping[str, Any]:
    state, wide = shown.state, grain(shown.state)
    answer = shown.found.get("cohorts")
    rows = shown.rows("cohorts")
    found = cohorts(rows)
    people = "users" if state.one("first") else state.chosen("people", PEOPLE)
    came = sum(one.size for one in found)
    notes = [_EXACT[people], *([_FILTERED[people]] if state.where else [])]
    counts = state.chosen("show", SHOWN) == "count"
    return {
        "failure": shown.failure("cohorts"),
        "notes": [*notes, *(answer.notes if isinstance(answer, Answer) else ())],
        "table": heat(found, grain=wide, counts=counts, zone=state.site.zone) if came else None,
        "curve": line(found, wide),
        "came": count(came),
        "people": people,
        "people_tabs": (PEOPLE, people),
        "show_tabs": (SHOWN, state.chosen("show", SHOWN)),
        "grains": GRAINS,
        "grain": wide,
        "since": begins(state),
        "is_moved": begins(state) != _start(state.period.days[0], wide),
        "first": state.one("first"),
        "of": (FIRST, state.chosen("of", FIRST)),
    }


PAGE = Page(
    "retention",
    "Retention",
    asks,
    context,
    own={
        "people": "visitors, or users",
        "show": "share or count",
        "of": "column of a user's first event to choose by: " + ", ".join(column for column, _ in FIRST),
        "first": "value that it had; (none) for none. Only users can be chosen by it",
    },
    key="c",
    compares=False,
)
