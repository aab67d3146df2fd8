"""What is ordered: which profiles, how much, when, how dirty; and the profiles made ready for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from .dirt import CLEAN, Dirt
from .shop import Shop
from .site import Site
from .traffic import Profile, Traffic

_EVENTS_PER_USER = 25
_FEWEST_USERS = 1000


class Kind(StrEnum):
    """Who visits."""

    shop = "shop"
    site = "site"
    both = "both"


@dataclass(frozen=True)
class Plan:
    """`events` happen in each of `files` windows of `every_ms`, the first from `start_ms` on (since 1970, UTC)."""

    events: int
    every_ms: int
    start_ms: int
    files: int = 1
    kind: Kind = Kind.shop
    seed: int = 1
    dirt: Dirt = CLEAN
    source: str = "default"
    """What the collector's lines say; the shop's say nothing."""

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.files * self.every_ms

    @property
    def middle_ms(self) -> int:
        return (self.start_ms + self.end_ms) // 2


@dataclass
class Crowd:
    """The visitors of one profile, and the dice that only their dirt throws: without dirt the events are the same."""

    profile: Profile
    traffic: Traffic
    dice: np.random.Generator
    events: int


def crowds(plan: Plan) -> list[Crowd]:
    """With both, a third of the events is the shop's."""
    in_shop = {Kind.shop: plan.events, Kind.site: 0, Kind.both: plan.events // 3}[plan.kind]
    users = max(_FEWEST_USERS, in_shop * plan.files // _EVENTS_PER_USER)
    profiles: list[tuple[Profile, int]] = []
    if plan.kind is not Kind.site:
        profiles.append((Shop(plan.seed, users), in_shop))
    if plan.kind is not Kind.shop:
        profiles.append((Site(plan.seed), plan.events - in_shop))
    return [
        Crowd(
            profile,
            Traffic(profile, plan.seed, skew=plan.dirt.skew),
            np.random.default_rng((plan.seed, profile.salt, 1)),
            events,
        )
        for profile, events in profiles
    ]
