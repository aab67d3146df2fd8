"""A shop and a web site that do not exist: endless, realistic, reproducible sessions as events of our own tracker.

Pure: the same seed gives the same visitors; times and ids come from the caller.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .clock import iso

Event = dict[str, Any]

_PAGES = (
    "/",
    "/pricing",
    "/guides/first-event",
    "/guides/funnels",
    "/case-studies/real-time-analytics-pipeline.html",
    "/about",
)
_SOURCES = (
    ("linkedin", "social", "analytics_case_study", "https://www.linkedin.com/feed/"),
    ("newsletter", "email", "november", None),
    ("google", None, None, "https://www.google.com/"),
    (None, None, None, "https://news.ycombinator.com/item"),
    (None, None, None, None),
)
_CATEGORIES = ("electronics", "books", "garden", "toys", "kitchen")
_SCREENS = ((1920, 1080), (1440, 900), (390, 844), (412, 915), (820, 1180))


@dataclass
class Visitor:
    """One session in the making; `at` moves on as the visitor acts."""

    session_id: str
    at: datetime
    chance: random.Random

    def event(self, event_type: str, **fields: Any) -> Event:
        self.at += timedelta(milliseconds=self.chance.randrange(800, 20_000))
        return {
            "event_type": event_type,
            "event_id": str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
            "session_id": self.session_id,
            "event_ts": iso(self.at),
            **fields,
        }


def sessions(seed: int, start: datetime) -> Iterator[list[Event]]:
    """Session after session, two of the site for one of the shop, each a list of events in the order they happen."""
    chance = random.Random(seed)
    while True:
        visitor = Visitor(str(uuid.UUID(int=chance.getrandbits(128), version=4)), start, chance)
        yield list(shop_session(visitor) if chance.random() < 0.33 else site_session(visitor))


def site_session(visitor: Visitor) -> Iterator[Event]:
    """Somebody reads: page views, scrolling, time, perhaps a click and a form."""
    chance = visitor.chance
    source, medium, campaign, referrer = chance.choice(_SOURCES)
    width, height = chance.choice(_SCREENS)
    arrival = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign, "referrer": referrer}
    common = {"screen_width": width, "screen_height": height, **{k: v for k, v in arrival.items() if v}}
    for page in chance.sample(_PAGES, k=min(len(_PAGES), 1 + int(chance.expovariate(0.7)))):
        yield visitor.event("page_view", page_path=page, **common)
        for percent in (25, 50, 75, 100)[: chance.randrange(5)]:
            yield visitor.event("scroll_depth", page_path=page, properties={"percent": percent}, **common)
        if chance.random() < 0.4:
            yield visitor.event("time_on_page", page_path=page, properties={"seconds": 30}, **common)
    if chance.random() < 0.25:
        yield visitor.event("cta_click", page_path=page, properties={"label": "Book a call"}, **common)
        if chance.random() < 0.6:
            yield visitor.event("form_start", page_path=page, properties={"form": "contact"}, **common)
            if chance.random() < 0.5:
                yield visitor.event("form_submit", page_path=page, properties={"form": "contact"}, **common)


def shop_session(visitor: Visitor) -> Iterator[Event]:
    """Somebody shops: looks at products, searches, fills a cart, perhaps buys."""
    chance = visitor.chance
    user = {"user_id": f"u_{chance.randrange(2_000):05}"}
    for _ in range(1 + int(chance.expovariate(0.5))):
        if chance.random() < 0.2:
            yield visitor.event("search", search_query=chance.choice(("lamp", "usb cable", "novel", "kettle")), **user)
        product = chance.randrange(500)
        item = {"product_id": f"p_{product:04}", "category": _CATEGORIES[product % len(_CATEGORIES)], **user}
        yield visitor.event("page_view", page_path=f"/product/{item['product_id']}", **item)
        if chance.random() < 0.3:
            paid = {"quantity": chance.randrange(1, 4), "price": round(5 + product * 0.37, 2), **item}
            yield visitor.event("add_to_cart", **paid)
            if chance.random() < 0.45:
                yield visitor.event("purchase", **paid)
            elif chance.random() < 0.3:
                yield visitor.event("remove_from_cart", **paid)
