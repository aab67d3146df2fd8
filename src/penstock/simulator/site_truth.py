"""The true answers to the questions of a web site: pages, visitors, sources, experiments."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .arrays import Array, Columns, day_text
from .counting import Seen, Tally
from .reading import CTA_CLICK, EXPERIMENT_VIEW, PAGE_VIEW
from .site_lines import EXPERIMENT, PAGES, SOURCES, VARIANTS

Rows = list[dict[str, Any]]


class SiteTruth:
    """The questions of a web site. A session is of the day of its first event that was stored."""

    def __init__(self) -> None:
        self._views, self._viewers, self._page_seen = Tally(), Tally(), Seen()
        self._days = {name: Tally() for name in ("sessions", "visitors", "new", "people")}
        self._session_seen, self._person_seen = Seen(), Seen()
        self._sources = {name: (Tally(), Seen()) for name in ("sessions", "conversions")}
        self._variants = {name: (Tally(), Seen()) for name in ("sessions", "conversions")}
        self._exposures = Tally()

    def add(self, events: Columns, day: Array, oldest: int) -> None:
        views = events["type"] == PAGE_VIEW
        page = (day * 8 + events["page"])[views]
        self._views.count(page)
        self._viewers.count(page[self._page_seen.first(events["session"][views], page, oldest)])
        self._visitors(events, day, oldest)
        converts = events["type"] == CTA_CLICK
        for which, column, mask in (
            (self._sources, "source", converts | True),
            (self._variants, "variant", events["variant"] >= 0),
        ):
            for name, rows in (("sessions", mask), ("conversions", mask & converts)):
                tally, seen = which[name]
                group = events[column][rows]
                tally.count(group[seen.first(events["session"][rows], group, oldest)])
        self._exposures.count(events["variant"][events["type"] == EXPERIMENT_VIEW])

    def _visitors(self, events: Columns, day: Array, oldest: int) -> None:
        """`visitors` as the days in the events tell it; `people` as only the simulator knows."""
        first = self._session_seen.first(events["session"], 0 * day, oldest)
        began, previous, reader = day[first], events["prev_day"][first], events["reader"][first]
        self._days["sessions"].count(began)
        self._days["visitors"].count(began[previous < began])
        self._days["new"].count(began[previous < 0])
        recent = int(began.min()) - 1 if len(began) else 0
        self._days["people"].count(began[self._person_seen.first(began, reader, recent)])

    def answers(self) -> dict[str, Rows]:
        by_source = {name: Counter[str]() for name in self._sources}
        for name, (tally, _) in self._sources.items():
            for number, count in tally.items():
                by_source[name][SOURCES[number].source or "(direct)"] += count
        return {
            "pages_daily": sorted(
                (
                    {
                        "day": day_text(group // 8),
                        "page_path": PAGES[group % 8].path,
                        "views": count,
                        "sessions": self._viewers[group],
                    }
                    for group, count in self._views.items()
                ),
                key=lambda row: (row["day"], row["page_path"]),
            ),
            "visitors_daily": [
                {
                    "day": day_text(day),
                    "visitors": self._days["visitors"][day],
                    "new": self._days["new"][day],
                    "returning": self._days["visitors"][day] - self._days["new"][day],
                    "sessions": count,
                    "people": self._days["people"][day],
                }
                for day, count in sorted(self._days["sessions"].items())
            ],
            "sources": [
                {"source": name, "sessions": count, "conversions": by_source["conversions"][name]}
                for name, count in sorted(by_source["sessions"].items())
            ],
            "experiments": [
                {
                    "experiment": EXPERIMENT,
                    "variant": VARIANTS[number].name,
                    "exposures": self._exposures[number],
                    "sessions": count,
                    "conversions": self._variants["conversions"][0][number],
                }
                for number, count in sorted(self._variants["sessions"][0].items())
            ],
        }
