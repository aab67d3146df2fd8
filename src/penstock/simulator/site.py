"""Readers of a web site: what the tracker would send of their sessions, those who come back included.

A reader is a number that nobody is told; the events say only the days of their first and of their previous session.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import reading
from .arrays import Array, Columns, chance, days, in_order, runs
from .site_lines import AGENTS, CRAWLER, PAGES, SOURCES, VARIANTS, lines

_PAUSE_MS = 30 * 60_000
_RETURNING = 0.4
_PAGES = 6


class Site:
    """The days are UTC's, as the tracker's are without `data-tz`."""

    name = "site"
    types: tuple[str, ...] = reading.TYPES
    time_field = "event_ts"
    stamped = True
    salt = 2

    def __init__(self, seed: int) -> None:
        self._seed = seed * 16 + self.salt
        self._known = 0
        self._ended = self._first_day = self._last_day = np.empty(0, np.int64)
        self._popular = np.array([page.weight for page in PAGES]) / sum(page.weight for page in PAGES)
        self._sources = np.array([source.weight for source in SOURCES]) / sum(source.weight for source in SOURCES)
        self._agents = np.cumsum([agent.weight for agent in AGENTS]) / sum(agent.weight for agent in AGENTS)

    def sessions(self, rng: np.random.Generator, start: int, length: int, count: int) -> Columns:
        """All events of `count` sessions that begin in this time; by session, then by time. Session numbers from 0."""
        begins = start + np.sort(rng.integers(0, length, count))
        reader = self._readers(rng, start, count)
        is_new = reader >= self._known
        today = days(begins)
        first_day, prev_day = today.copy(), np.full(count, -1)
        first_day[~is_new] = self._first_day[reader[~is_new]]
        prev_day[~is_new] = self._last_day[reader[~is_new]]
        source = rng.choice(len(SOURCES), count, p=self._sources)
        variant = (chance(reader, self._seed + 8) * len(VARIANTS)).astype(np.int64)

        views = np.minimum(rng.geometric(0.45, count), _PAGES)
        of, nth = runs(views)
        page = rng.choice(len(PAGES), len(of), p=self._popular)
        lures = np.array([VARIANTS[v].conversion for v in range(len(VARIANTS))])[variant]
        lures = lures * np.array([s.lift for s in SOURCES])[source]
        read = reading.events(
            rng,
            of=of,
            nth=nth,
            assigned=is_new[of] & (nth == 0),
            tempted=(nth == views[of] - 1) * lures[of],
        )
        order = in_order(of[read["view"]], read["offset"])
        view, kind = read["view"][order], read["type"][order]
        session = of[view]
        unassigned = is_new[session] & (nth[view] == 0) & (kind == reading.PAGE_VIEW)
        return {
            "at": begins[session] + read["offset"][order],
            "session": session,
            "type": kind,
            "detail": read["detail"][order],
            "page": page[view],
            "from": np.where(nth[view] > 0, page[view - 1], -1),
            "source": source[session],
            "reader": reader[session],
            "agent": self._agent(reader)[session],
            "variant": np.where(unassigned, -1, variant[session]),
            "seq": runs(np.bincount(session, minlength=count))[1] + 1,
            "first_day": first_day[session],
            "prev_day": prev_day[session],
        }

    def keep(self, sessions: Columns) -> None:
        """Remember who came when."""
        if not len(sessions["at"]):
            return
        starts = np.flatnonzero(np.diff(sessions["session"], prepend=-1))
        ends = np.append(starts[1:], len(sessions["at"])) - 1
        reader = sessions["reader"][starts]
        self._known = max(self._known, int(reader.max()) + 1)
        if self._known > len(self._ended):
            room = np.zeros(2 * self._known - len(self._ended), np.int64)
            self._ended, self._first_day, self._last_day = (
                np.concatenate([column, room]) for column in (self._ended, self._first_day, self._last_day)
            )
        self._ended[reader] = sessions["at"][ends]
        self._first_day[reader] = sessions["first_day"][starts]
        self._last_day[reader] = days(sessions["at"][starts])

    def human(self, events: Columns) -> Array:
        return np.asarray(events["agent"] != CRAWLER)

    def lines(self, events: Columns) -> list[str]:
        """The events as JSON, with the time of column `clock`, sent at that of `sent`."""
        return lines(events, self._seed)

    def agents(self, events: Columns) -> Sequence[str]:
        return [AGENTS[agent].user_agent for agent in events["agent"].tolist()]

    def _readers(self, rng: np.random.Generator, start: int, count: int) -> Array:
        """Of those who left half an hour ago some are back, each once; the others are new, and numbered on."""
        wanted = int((rng.random(count) < _RETURNING).sum())
        back = np.unique(rng.integers(0, max(self._known, 1), 2 * wanted)) if self._known else np.empty(0, np.int64)
        back = rng.permutation(back[self._ended[back] < start - _PAUSE_MS])[:wanted]
        reader = np.full(count, -1)
        reader[rng.permutation(count)[: len(back)]] = back
        new = reader < 0
        reader[new] = self._known + np.arange(new.sum())
        return reader

    def _agent(self, reader: Array) -> Array:
        return np.searchsorted(self._agents[:-1], chance(reader, self._seed + 9), side="right")
