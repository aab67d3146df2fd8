"""A crowd's next seconds → request bodies with the moment at which each is due.

Events are batched per browser. What cannot be JSON goes alone, because a broken batch would be refused as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import numpy as np

from .arrays import Array, length
from .dirt import Dirt, harm, spoil
from .plan import Crowd

WINDOW_MS = 4000
_AGAIN_MS = 1000
_LATEST_MS = 10 * 60_000
_BROKEN = frozenset({"malformed_json", "bad_encoding", "not_an_object"})
_numbers = count()


class Request(NamedTuple):
    """`due_ms` since 1970; `number` only keeps requests of one moment apart."""

    due_ms: int
    number: int
    agent: str
    body: bytes
    events: int


def requests(crowd: Crowd, dirt: Dirt, start_ms: int, size: int) -> Iterator[Request]:
    """Of the events from `start_ms` on, `size` in a batch; those that come late are batches of their own."""
    profile, dice = crowd.profile, crowd.dice
    events = crowd.traffic.window(start_ms, WINDOW_MS, crowd.events)
    late = dice.random(length(events)) < dirt.late
    agents = np.array(profile.agents(events), dtype=object)
    batches = [batch for agent in dict.fromkeys(agents) for batch in _batches(agents == agent, late, size)]
    due = np.zeros(length(events), np.int64)
    for batch in batches:
        due[batch] = events["at"][batch[-1]] + (dice.integers(0, _LATEST_MS) if late[batch[0]] else 0)
    events["clock"] = events["at"] + events["skew"]
    events["sent"] = due + events["skew"]
    lines = profile.lines(events)
    done = harm(dice, dirt, events, lines, profile.time_field, start_ms)
    spoil(dice, dirt.malformed, lines, done)
    broken = {place for place, reason in done.reasons.items() if reason in _BROKEN}
    for batch in batches:
        when, agent = int(due[batch[0]]), agents[batch[0]]
        for place in broken.intersection(batch.tolist()):
            yield _request(when, agent, lines[place], 1)
        whole = [lines[place] for place in batch.tolist() if place not in broken]
        if whole:
            first = _request(when, agent, f"[{','.join(whole)}]", len(whole))
            yield first
            if dice.random() < dirt.duplicates:
                yield first._replace(due_ms=when + _AGAIN_MS, number=next(_numbers))


def _batches(of_agent: Array, late: Array, size: int) -> Iterator[Array]:
    in_time = np.flatnonzero(of_agent & ~late)
    for start in range(0, len(in_time), size):
        yield in_time[start : start + size]
    yield from np.flatnonzero(of_agent & late).reshape(-1, 1)


def _request(due_ms: int, agent: str, body: str, events: int) -> Request:
    return Request(due_ms, next(_numbers), agent, body.encode(errors="surrogateescape"), events)
