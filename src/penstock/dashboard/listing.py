"""An answer with a row per name → a card's table: names that filter when clicked, bars behind them, numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from markupsafe import Markup

from ..reports.filters import Filter, Op
from ..reports.run import Answer
from .answers import Failed
from .charts.bars import share_bar
from .charts.formats import Unit, show
from .page import Shown
from .state import State

NOTHING_SAID = "(direct)"
_DIRECT = frozenset({"utm_source", "referrer_host", "channel"})
_UNKNOWN = frozenset({"device", "browser", "os", "screen", "language", "country"})


def unsaid(column: str) -> str:
    """What a row or a filter is called that has nothing in that column; the same word everywhere."""
    return NOTHING_SAID if column in _DIRECT else "(unknown)" if column in _UNKNOWN else "(none)"


class Measure(NamedTuple):
    """A column of numbers: its name in the answer, its head for people, its unit."""

    column: str
    label: str
    unit: str = Unit.whole


class Row(NamedTuple):
    """`is_link` and `not_link` filter by it, where that can be."""

    name: str
    bar: Markup
    is_link: str | None
    not_link: str | None
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    card: str
    head: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    failed: Failed | None = None
    is_late: bool = False
    more: str = ""
    """Where all rows and all columns are."""


def listing(
    shown: Shown,
    card: str,
    label: str,
    names: Mapping[str, str],
    measures: Sequence[Measure],
    *,
    page: str,
    most: int | None = None,
) -> Listing:
    """`names`: columns of the answer that name a row → the column of events to filter by; empty for none.

    The first measure is drawn behind the names. `most` rows are shown, the greatest of that measure.
    """
    head = (label, *(measure.label for measure in measures))
    more = shown.state.link(f"/details/{page}/{card}", **shown.state.given)
    answer = shown.found.get(card)
    if not isinstance(answer, Answer):
        return Listing(card, head, failed=answer, is_late=card in shown.late, more=more)
    drawn = measures[0].column
    rows = answer.rows() if most is None else sorted(answer.rows(), key=lambda row: -(row[drawn] or 0))[:most]
    greatest = max((float(row[drawn] or 0) for row in rows), default=0.0) or 1.0
    found = (_row(shown.state, row, names, measures, greatest) for row in rows)
    return Listing(card, head, tuple(found), more=more)


def _row(
    state: State,
    row: Mapping[str, Any],
    names: Mapping[str, str],
    measures: Sequence[Measure],
    greatest: float,
) -> Row:
    said = {name: "" if row[name] in (None, NOTHING_SAID) else str(row[name]) for name in names}
    filters = {names[name]: value for name, value in said.items() if names[name]}
    return Row(
        " · ".join(value or unsaid(names[name] or name) for name, value in said.items()),
        share_bar(float(row[measures[0].column] or 0) / greatest),
        _is(state, filters) if filters else None,
        _is_not(state, filters) if filters else None,
        tuple(show(row[measure.column], measure.unit) for measure in measures),
    )


def _is(state: State, said: Mapping[str, str]) -> str:
    """All of the names hold; where they do already, they are taken away."""
    wanted = tuple(Filter(column, Op.equal, value) for column, value in said.items())
    others = tuple(one for one in state.filters if one not in wanted)
    there = len(others) + len(wanted) == len(state.filters)
    return state.link(filters=others if there else (*others, *wanted))


def _is_not(state: State, said: Mapping[str, str]) -> str:
    """Of a row with several names only the last can be excluded: filters that exclude are joined by "and"."""
    column, value = list(said.items())[-1]
    return state.filtered(column, value, Op.differs)
