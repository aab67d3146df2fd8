"""What a clean count of the written lines has to give, reckoned from the numbers that the lines were made of."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from .arrays import Array, Columns, day_text, days, take
from .counting import Seen, Tally
from .shop_truth import ShopTruth
from .site_truth import SiteTruth


class Truth:
    """Add the events of each profile in order of time; then ask. Crawlers are left out but for `events_by_type`."""

    def __init__(self) -> None:
        self.types: Counter[str] = Counter()
        self._daily = {name: Tally() for name in ("events", "sessions", "users")}
        self._seen = {name: Seen() for name in ("shop", "site", "users")}
        self.shop = ShopTruth()
        self.site = SiteTruth()

    def add(self, name: str, types: tuple[str, ...], human: Array, events: Columns, oldest: int) -> None:
        """`happened` is when silver has to place them; no session before `oldest` will come again."""
        for kind, count in enumerate(np.bincount(events["type"], minlength=len(types)).tolist()):
            self.types[types[kind]] += count
        events = take(events, human)
        day = days(events["happened"])
        self._daily["events"].count(day)
        self._daily["sessions"].count(day[self._seen[name].first(events["session"], day, oldest)])
        if name == "shop":
            # Clocks are wrong by less than a day, so two days ago is over.
            recent = int(day.max()) - 2 if len(day) else 0
            self._daily["users"].count(day[self._seen["users"].first(day, events["user"], recent)])
            self.shop.add(events, oldest)
        else:
            self.site.add(events, day, oldest)

    def answers(self) -> dict[str, Any]:
        users = [
            {"day": day_text(day), **{name: self._daily[name][day] for name in ("users", "sessions", "events")}}
            for day in sorted(self._daily["events"])
        ]
        kinds = {name: count for name, count in sorted(self.types.items()) if count}
        return {"events_by_type": kinds, **self.shop.answers(), "users_daily": users, **self.site.answers()}
