"""What happens to lines on their way, and what each harm costs: nothing, a value, or the event (a reason)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .arrays import Array, Columns, chance, days, milliseconds, mixed

_MINUTE_MS = 60_000
_LARGEST_SKEW_MINUTES = 360
_PRICE = re.compile(r'"price":([0-9.]+)(?=[,}])')


@dataclass(frozen=True)
class Dirt:
    """Shares of the events, 0 to 1."""

    malformed: float = 0
    wrong_types: float = 0
    duplicates: float = 0
    late: float = 0
    skew: float = 0
    drift: float = 0


CLEAN = Dirt()
MIX = Dirt(malformed=0.002, wrong_types=0.01, duplicates=0.01, late=0.02, skew=0.02, drift=0.3)


@dataclass
class Harm:
    """`reasons`: which events are lost, and why in quarantine's words; `conflicts`: which others lost a value."""

    reasons: dict[int, str] = field(default_factory=dict)
    conflicts: set[int] = field(default_factory=set)
    wrong_types: int = 0
    drifted: int = 0


class _Edit(NamedTuple):
    """`change` of a field's value; `lost` is the column that becomes unreadable by it."""

    field: str
    change: Callable[[Any], Any]
    reason: str | None = None
    lost: str | None = None


_EDITS = (
    _Edit("time", milliseconds),
    _Edit("time", lambda text: text.removesuffix("Z")),
    _Edit("time", lambda text: text.replace("Z", "+00:00")),
    _Edit("time", lambda text: text.replace("-", "–")),
    _Edit("time", lambda _: "yesterday", reason="bad_timestamp"),
    _Edit("event_type", lambda name: name.upper()),
    _Edit("event_type", lambda name: name.replace("_", " ").title()),
    _Edit("event_type", lambda _: 7, reason="bad_event_name"),
    _Edit("event_type", lambda _: None, reason="bad_event_name"),
    _Edit("price", str),
    _Edit("price", lambda _: "n/a", lost="price"),
    _Edit("price", lambda _: 1e20, reason="number_out_of_range"),
    _Edit("quantity", str),
    _Edit("quantity", lambda _: "two", lost="quantity"),
    _Edit("quantity", lambda _: 3_000_000_000, reason="int_out_of_range"),
    _Edit("category", lambda name: f" {name.title()} "),
    _Edit("seq", lambda _: "first", lost="seq"),
    _Edit("screen_width", lambda _: "wide", lost="screen_width"),
)
_UNREADABLE = -1
_MALFORMED: tuple[tuple[Callable[[str], str], str], ...] = (
    (lambda line: line[: len(line) * 2 // 3], "malformed_json"),
    (lambda line: "502 Bad Gateway", "malformed_json"),
    (lambda line: line[:100] + "\udcff" + line[100:], "bad_encoding"),
    (lambda line: '"a text where an event was expected"', "not_an_object"),
)
"""A lone surrogate stands for a byte that is not UTF-8: lines are encoded with `surrogateescape`."""


def skew(session: Array, begins: Array, share: float, salt: int) -> Array:
    """By how many milliseconds the clock of each session's sender is ahead; the day stays the same."""
    size = (mixed(session, salt) % np.uint64(_LARGEST_SKEW_MINUTES)).astype(np.int64) * _MINUTE_MS + 1234
    size = np.where(chance(session, salt + 1) < 0.5, size, -size)
    size = np.where(days(begins + size) == days(begins), size, -size)
    return np.where(chance(session, salt + 2) < share, size, 0)


def harm(rng: np.random.Generator, dirt: Dirt, events: Columns, lines: list[str], time_field: str, since: int) -> Harm:
    """Change some of the lines to other types, and those from `since` on to another schema."""
    done = Harm()
    count = len(lines)
    for index in np.flatnonzero(rng.random(count) < dirt.wrong_types).tolist():
        _mistype(done, events, lines, index, time_field, float(rng.random()))
    drifts = (rng.random(count) < dirt.drift) & (events["at"] >= since)
    for index in np.flatnonzero(drifts).tolist():
        lines[index] = _drifted(lines[index])
    done.drifted = int(drifts.sum())
    return done


def spoil(rng: np.random.Generator, share: float, lines: list[str], done: Harm) -> int:
    """Break some of the lines that are good so far; how many."""
    picked = [i for i in np.flatnonzero(rng.random(len(lines)) < share).tolist() if i not in done.reasons]
    for index in picked:
        done.conflicts.discard(index)
        broken, done.reasons[index] = _MALFORMED[int(rng.integers(len(_MALFORMED)))]
        lines[index] = broken(lines[index])
    return len(picked)


def _mistype(done: Harm, events: Columns, lines: list[str], index: int, time_field: str, chosen: float) -> None:
    event: dict[str, Any] = json.loads(lines[index])
    edits = [edit for edit in _EDITS if event.get(_name(edit, time_field)) is not None]
    edit = edits[int(chosen * len(edits))]
    name = _name(edit, time_field)
    event[name] = edit.change(event[name])
    lines[index] = _text(event)
    done.wrong_types += 1
    if edit.reason:
        done.reasons[index] = edit.reason
    if edit.lost:
        done.conflicts.add(index)
        if edit.lost in events:
            events[edit.lost][index] = _UNREADABLE


def _name(edit: _Edit, time_field: str) -> str:
    return time_field if edit.field == "time" else edit.field


def _drifted(line: str) -> str:
    """A new release of the sender: more fields, and prices as text."""
    return _PRICE.sub(r'"price":"\1"', line[:-1]) + ',"app_version":"3.1.0","loyalty":{"tier":"gold","points":120}}'


def _text(event: Mapping[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
