"""Shoppers: they search, look, fill a cart and some buy; each event with the fields that e-commerce logs have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arrays import Array, Columns, in_order, mixed, runs, take, texts, times, uuids

TYPES = ("page_view", "add_to_cart", "remove_from_cart", "purchase", "search")
PAGE_VIEW, ADD, REMOVE, PURCHASE, SEARCH = range(5)
CATEGORIES = ("electronics", "books", "garden", "toys", "kitchen", "sports", "clothing", "beauty")
PRODUCTS = 2000
_QUERIES = ("lamp", "usb cable", "novel", "kettle", "running shoes", "garden hose", "gift for dad", "çay bardağı")
_LONGEST_MS = 2 * 3_600_000
_VISITS = 12


class Shop:
    """`users` is how many people there are to shop; a product's price, appeal and popularity are always the same."""

    name = "shop"
    types: tuple[str, ...] = TYPES
    time_field = "timestamp"
    stamped = False
    salt = 1

    def __init__(self, seed: int, users: int) -> None:
        self._seed = seed * 16 + self.salt
        self._users = users
        catalog = np.random.default_rng(2026)
        popularity = catalog.permutation(1 / (np.arange(PRODUCTS) + 3.0) ** 0.9)
        self._popular = np.cumsum(popularity) / popularity.sum()
        self._appeal = catalog.uniform(0.08, 0.4, PRODUCTS)
        self.prices = np.round(catalog.lognormal(8, 1, PRODUCTS)).astype(np.int64) + 99

    def sessions(self, rng: np.random.Generator, start: int, length: int, count: int) -> Columns:
        """All events of `count` sessions that begin in this time; by session, then by time. Session numbers from 0."""
        begins = start + np.sort(rng.integers(0, length, count))
        of, nth = runs(np.minimum(rng.geometric(0.3, count), _VISITS))
        product = np.searchsorted(self._popular, rng.random(len(of)))
        searches = rng.random(len(of)) < 0.18
        adds = rng.random(len(of)) < self._appeal[product]
        removes = adds & (rng.random(len(of)) < 0.18)
        buys = adds & ~removes & (rng.random(count) < 0.45)[of]
        happens = ((SEARCH, searches, 0), (PAGE_VIEW, nth >= 0, 1), (ADD, adds, 2), (REMOVE, removes, 3))
        steps = [(kind, np.flatnonzero(mask), 4 * nth + step) for kind, mask, step in happens]
        steps.append((PURCHASE, np.flatnonzero(buys), 4 * _VISITS + nth))

        visit = np.concatenate([visits for _, visits, _ in steps])
        kind = np.concatenate([np.full(len(visits), kind) for kind, visits, _ in steps])
        order = in_order(of[visit], np.concatenate([step[visits] for _, visits, step in steps]))
        visit, kind = visit[order], kind[order]
        session = of[visit]
        product = np.where(kind == SEARCH, -1, product[visit])
        paid = (kind == ADD) | (kind == REMOVE) | (kind == PURCHASE)
        quantity = rng.choice(4, len(of), p=(0.7, 0.2, 0.07, 0.03))[visit] + 1
        offset = _offsets(session, (rng.exponential(15_000, len(session)) + 400).astype(np.int64))
        people = (self._users * rng.random(count) ** 1.5).astype(np.int64)
        events = {
            "at": begins[session] + offset,
            "session": session,
            "type": kind,
            "product": product,
            "query": np.where(kind == SEARCH, rng.integers(0, len(_QUERIES), len(kind)), -1),
            "quantity": np.where(paid, quantity, -1),
            "price": np.where(paid, self.prices[product], -1),
            "user": people[session],
        }
        return take(events, offset < _LONGEST_MS)

    def keep(self, sessions: Columns) -> None:
        """Shoppers remember nothing."""

    def human(self, events: Columns) -> Array:
        return np.ones(len(events["at"]), bool)

    def lines(self, events: Columns) -> list[str]:
        """The events as JSON, with the time of column `clock`."""
        session = mixed(events["session"], self._seed).astype(">u8").tobytes().hex()
        parts = zip(
            times(events["clock"]),
            uuids(events["event"], self._seed + 1),
            texts(events["user"], lambda user: f"u_{user:05}"),
            (session[i : i + 16] for i in range(0, len(session), 16)),
            _tails(events, self.prices),
            strict=True,
        )
        return [
            f'{{"timestamp":"{at}Z","event_id":"{event}","user_id":"{user}","session_id":"s_{session}","event_type":{rest}'
            for at, event, user, session, rest in parts
        ]

    def agents(self, events: Columns) -> Sequence[str]:
        """The shop's server sends for all."""
        return ["shop-backend/1.0"] * len(events["at"])


def product_id(product: int) -> str:
    return f"p_{product:04}"


def category(product: int) -> str:
    return CATEGORIES[product % len(CATEGORIES)]


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _offsets(session: Array, gaps: Array) -> Array:
    """Milliseconds since the session's first event."""
    since = np.cumsum(gaps)
    offset: Array = since - since[np.searchsorted(session, session)]
    return offset


def _tails(events: Columns, prices: Array) -> list[str]:
    """From the event type on, a line is one of some ten thousand."""
    code = ((events["type"] * (PRODUCTS + 1) + events["product"] + 1) * 8 + events["quantity"] + 1) * 16

    def render(code: int) -> str:
        code, query = divmod(code, 16)
        code, quantity = divmod(code, 8)
        kind, product = divmod(code, PRODUCTS + 1)
        start = f'"{TYPES[kind]}","product_id":'
        if kind == SEARCH:
            searched = f'"search_query":"{_QUERIES[query - 1]}"}}'
            return f'{start}null,"quantity":null,"price":null,"category":null,{searched}'
        paid = f"{quantity - 1}" if quantity else "null"
        price = money(int(prices[product - 1])) if quantity else "null"
        item = f'"{product_id(product - 1)}","quantity":{paid},"price":{price},"category":"{category(product - 1)}"'
        return f'{start}{item},"search_query":null}}'

    return texts(code + events["query"] + 1, render)
