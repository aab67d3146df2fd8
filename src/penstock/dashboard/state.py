"""What a URL says: period, comparison, filters and what the page itself is asked → State, and back to links. Pure.

    ?period=28d&compare=weekday&utm_source=linkedin&page_path!=/about&page_path*=/guides/&page_path~=^/blog/

What is not understood is left out with a notice, so that an old link still shows something.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from ..errors import PenstockError
from ..reports.filters import Columns, Filter, Op, column_sql, condition
from ..reports.period import Compare, Grain, Period
from . import times

NO_COMPARISON = "none"
_MOST = 100
_LONGEST_CHARS = 500
_PASSED_BY = ("embed", "theme")
_KEYS = ("period", "from", "to", "compare", "grain", "segment")
_FORM = ("filter", "is", "value")
"""A filter as the form sends it, which cannot put its parts together."""
_OF_SHARES = ("/export/", "/api/")
SAFE = "/:,.~!*"
_OPS = {"!": Op.differs, "*": Op.contains, "~": Op.matches}
_ENDS: dict[str, str] = {op.value: end for end, op in _OPS.items()} | {Op.equal.value: ""}


Choices = Sequence[tuple[str, str]]
"""Words in a URL, each with its name for people."""


@dataclass(frozen=True)
class Site:
    """What the owner has: the columns there are, the zone of his days, the day of the first event, what he saved."""

    columns: Columns
    zone: str
    first: date
    now: datetime
    segments: Mapping[str, tuple[Filter, ...]] = field(default_factory=dict)
    notes: tuple[tuple[str, str], ...] = ()
    """A day or a moment, and what somebody wrote about it."""


@dataclass(frozen=True)
class State:
    """`given`: what the page itself is asked (`metric`, `step` …), each with all its values, in the URL's order."""

    path: str
    site: Site
    word: str = times.DEFAULT
    since: str | None = None
    until: str | None = None
    compare: Compare | None = Compare.previous
    grain: Grain | None = None
    segment: str | None = None
    filters: tuple[Filter, ...] = ()
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    share: str = ""
    """Of a shared page, the start of its links; it shows what it shows, so they change nothing."""

    @cached_property
    def period(self) -> Period:
        site = self.site
        return times.resolve(self.word, self.since, self.until, zone=site.zone, now=site.now, first=site.first)

    @property
    def buckets(self) -> Grain:
        return self.grain or times.grain_of(self.period)

    @property
    def where(self) -> tuple[str, ...]:
        """All filters, those of the segment too, in the words of reports."""
        saved = self.site.segments.get(self.segment or "", ())
        return tuple(map(str, (*saved, *self.filters)))

    @property
    def asked(self) -> dict[str, Any]:
        """What every report is asked with."""
        return {"since": self.period.since, "until": self.period.until, "zone": self.site.zone, "where": self.where}

    @property
    def compared(self) -> dict[str, Any]:
        """Beside that, what a report is asked with that can compare."""
        return {"compare": self.compare} if self.compare else {}

    def one(self, name: str, default: str = "") -> str:
        return self.given.get(name, (default,))[0]

    def chosen(self, name: str, choices: Choices) -> str:
        """The word that is given, if it is one of the choices; else the first of them."""
        given = self.one(name)
        return given if given in dict(choices) else choices[0][0]

    def many(self, name: str) -> tuple[str, ...]:
        return self.given.get(name, ())

    @property
    def title(self) -> str:
        """The period, for people."""
        if self.word in times.WORDS:
            return times.WORDS[self.word].name
        first, last = self.period.days
        return f"{first}" if first == last else f"{first} – {last}"

    choices = times.CHOICES
    comparisons = times.BEFORE

    # links

    def link(self, path: str | None = None, **changes: Any) -> str:
        """The address of this page, or of another, with `changes`: fields of State, else what a page is asked.

        None takes away. What only this page understands does not go with a link to another.
        """
        fields = {name: changes.pop(name) for name in list(changes) if name in _FIELDS}
        if fields.get("compare"):
            fields["compare"] = Compare(fields["compare"])
        kept = dict(self.given) if path is None or path == self.path else {}
        for name, value in changes.items():
            kept.pop(name, None)
            if value is not None:
                kept[name] = (value,) if isinstance(value, str) else tuple(map(str, value))
        return replace(self, given=kept, **fields).url(path or self.path)

    def url(self, path: str) -> str:
        if self.share:
            return self.share + (path if path.startswith(_OF_SHARES) else "")
        text = urlencode(list(self.pairs()), quote_via=quote, safe=SAFE)
        return f"{path}?{text}" if text else path

    def pairs(self) -> Iterable[tuple[str, str]]:
        """What a form hands on, so that it changes only what it asks for."""
        yield from self._pairs()
        yield from ((name, value) for name, values in self.given.items() for value in values)

    def _pairs(self) -> Iterable[tuple[str, str]]:
        if self.word != times.DEFAULT:
            yield "period", self.word
        if self.word == times.CUSTOM and self.since:
            yield "from", self.since
            if self.until:
                yield "to", self.until
        if self.compare is not Compare.previous:
            yield "compare", self.compare or NO_COMPARISON
        if self.grain:
            yield "grain", self.grain
        if self.segment:
            yield "segment", self.segment
        for one in self.filters:
            yield one.column + _ENDS[one.op], one.value

    def period_link(self, word: str) -> str:
        return self.link(word=word, since=None, until=None, grain=None)

    def step(self, *, later: bool) -> str | None:
        """The period after or before this one; None after what has not begun."""
        days = times.beside(self.period, later=later)
        if days is None:
            return None
        return self.link(word=times.CUSTOM, since=days[0].isoformat(), until=days[1].isoformat(), grain=None)

    def filtered(self, column: str, value: str, op: Op = Op.equal, *, path: str | None = None) -> str:
        """A link with one filter more; with it gone if it is there already."""
        one = Filter(column, op, value)
        left = tuple(each for each in self.filters if each != one)
        return self.link(path, filters=left if len(left) < len(self.filters) else (*left, one))

    def without(self, one: Filter) -> str:
        return self.link(filters=tuple(each for each in self.filters if each != one))

    def cleared(self) -> str:
        return self.link(filters=(), segment=None)


_FIELDS = {"word", "since", "until", "compare", "grain", "segment", "filters"}


def read(path: str, pairs: Iterable[tuple[str, str]], site: Site, own: Iterable[str] = (), *, share: str = "") -> State:
    """`own` are the names that the page understands beside those that all do."""
    notices: list[str] = []
    given: dict[str, list[str]] = {}
    filters: list[Filter] = []
    told: dict[str, str] = {}
    for name, value in list(pairs)[:_MOST]:
        if name in _PASSED_BY:
            continue
        if len(name) + len(value) > _LONGEST_CHARS and name not in own:
            notices.append(f"{name[:40]!r} is too long and was left out")
        elif name in own:
            given.setdefault(name, []).append(value)
        elif name in _KEYS or name in _FORM:
            told[name] = value
        else:
            _filter(name, value, site.columns, filters, notices)
    if "filter" in told:
        _filter(
            told["filter"].strip() + _ENDS.get(told.get("is", "="), ""),
            told.get("value", ""),
            site.columns,
            filters,
            notices,
        )
    state = State(path, site, filters=tuple(filters), given={name: tuple(values) for name, values in given.items()})
    state = _told(state, told, notices)
    return replace(state, notices=tuple(notices), share=share)


def _filter(name: str, value: str, columns: Columns, filters: list[Filter], notices: list[str]) -> None:
    op = _OPS.get(name[-1:], Op.equal)
    found = Filter(name if op is Op.equal else name[:-1], op, value)
    try:
        column_sql(found.column, columns)
        condition([found], columns)
    except PenstockError as error:
        notices.append(f"{error}: left out")
    else:
        if found not in filters:
            filters.append(found)


def _told(state: State, told: Mapping[str, str], notices: list[str]) -> State:
    word = told.get("period", times.CUSTOM if "from" in told else times.DEFAULT)
    asked = replace(state, word=word, since=told.get("from"), until=told.get("to"))
    try:
        asked.period  # noqa: B018
        state = asked
    except PenstockError as error:
        notices.append(f"{error}: the last 28 days are shown")
    compare, grain, segment = told.get("compare"), told.get("grain"), told.get("segment")
    if compare == NO_COMPARISON:
        state = replace(state, compare=None)
    elif compare in list(Compare):
        state = replace(state, compare=Compare(compare))
    elif compare is not None:
        notices.append(f"there is no comparison {compare[:40]!r}")
    if grain in list(Grain):
        state = replace(state, grain=Grain(grain))
    elif grain is not None:
        notices.append(f"there is no grain {grain[:40]!r}")
    if segment in state.site.segments:
        state = replace(state, segment=segment)
    elif segment:
        notices.append(f"there is no segment {segment[:40]!r}")
    return state
