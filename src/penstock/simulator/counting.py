"""Counts by group, and which pairs of a member and a group were seen before; with numbers, for millions of them."""

from __future__ import annotations

from collections import Counter

import numpy as np

from .arrays import Array

_BITS = 24


class Tally(Counter[int]):
    """Counts by a number that stands for the group."""

    def count(self, keys: Array, amounts: Array | None = None) -> None:
        distinct, places = np.unique(keys, return_inverse=True)
        sums = np.zeros(len(distinct), np.int64)
        np.add.at(sums, places, 1 if amounts is None else amounts)
        for key, amount in zip(distinct.tolist(), sums.tolist(), strict=True):
            self[key] += amount


class Seen:
    """Pairs that were there before. Those whose `member` cannot come again are forgotten, so it stays small."""

    def __init__(self) -> None:
        self._pairs = np.empty(0, np.int64)

    def first(self, member: Array, group: Array, oldest: int) -> Array:
        """Where each pair of a member and a group (below 2^24) occurs for the first time ever."""
        pairs, places = np.unique((member << _BITS) + group, return_index=True)
        new = ~np.isin(pairs, self._pairs, assume_unique=True)
        kept = self._pairs[self._pairs >= oldest << _BITS]
        self._pairs = np.concatenate([kept, pairs[new]])
        found: Array = places[new]
        return found
