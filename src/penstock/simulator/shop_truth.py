"""The true answers to the questions of a shop: funnel, revenue, most viewed products, categories."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import shop
from .arrays import Columns, day_text, days, take, time_text
from .counting import Seen, Tally

_HOUR_MS = 3_600_000
_TOP = 10
Rows = list[dict[str, Any]]


class ShopTruth:
    """The questions of a shop; group numbers are a product's number times 8 plus the event type's."""

    def __init__(self) -> None:
        self._events, self._sessions, self._seen = Tally(), Tally(), Seen()
        self._purchases, self._cents = Tally(), Tally()
        self._categories, self._category_cents = Tally(), Tally()

    def add(self, events: Columns, oldest: int) -> None:
        at_product = take(events, events["product"] >= 0)
        group = at_product["product"] * 8 + at_product["type"]
        self._events.count(group)
        self._sessions.count(group[self._seen.first(at_product["session"], group, oldest)])
        kinds = len(shop.CATEGORIES)
        category = (days(at_product["happened"]) * kinds + at_product["product"] % kinds) * 8 + at_product["type"]
        bought = at_product["type"] == shop.PURCHASE
        # A price that cannot be read makes no revenue; a quantity that cannot be read counts as one.
        cents = np.maximum(at_product["price"], 0) * np.maximum(at_product["quantity"], 1) * bought
        self._categories.count(category)
        self._category_cents.count(category, cents)
        hour = (at_product["happened"] // _HOUR_MS)[bought]
        self._purchases.count(hour)
        self._cents.count(hour, cents[bought])

    def answers(self) -> dict[str, Rows]:
        return {
            "product_funnel": self._funnel(),
            "revenue_hourly": [
                {"hour": time_text(hour * _HOUR_MS), "purchases": count, "revenue": shop.money(self._cents[hour])}
                for hour, count in sorted(self._purchases.items())
            ],
            "top_products": self._top(),
            "category_performance": sorted(map(self._category, self._categories), key=lambda row: tuple(row.values())),
        }

    def _funnel(self) -> Rows:
        rows = []
        for product in sorted({group // 8 for group in self._events}):
            kinds = [product * 8 + kind for kind in (shop.PAGE_VIEW, shop.ADD, shop.PURCHASE)]
            views, adds, purchases = (self._events[kind] for kind in kinds)
            viewed, added, purchased = (self._sessions[kind] for kind in kinds)
            if views or adds or purchases:
                rows.append(
                    {
                        "product_id": shop.product_id(product),
                        "views": views,
                        "adds": adds,
                        "purchases": purchases,
                        "sessions_viewed": viewed,
                        "sessions_added": added,
                        "sessions_purchased": purchased,
                        "view_to_cart": added / viewed if viewed else None,
                        "cart_to_purchase": purchased / added if added else None,
                        "view_to_purchase": purchased / viewed if viewed else None,
                    }
                )
        return rows

    def _top(self) -> Rows:
        views = [(count, shop.product_id(group // 8)) for group, count in self._events.items() if group % 8 == 0]
        best = sorted(views, key=lambda found: (-found[0], found[1]))[:_TOP]
        return [{"product_id": product, "views": count} for count, product in best]

    def _category(self, group: int) -> dict[str, Any]:
        rest, kind = divmod(group, 8)
        day, category = divmod(rest, len(shop.CATEGORIES))
        return {
            "day": day_text(day),
            "category": shop.CATEGORIES[category],
            "event_type": shop.TYPES[kind],
            "events": self._categories[group],
            "revenue": shop.money(self._category_cents[group]),
        }
