"""The job that finds objects which others wrote into bronze itself → the inbox; nothing is copied."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from .deliver import announce
from .drops import Dropped, Tell, full_look_is_due, record
from .layout import INBOX, arrival, from_inbox, is_merged
from .lines import may_be_readable
from .places import Found, Listing, Place
from .seen import Seen
from .store import Bronze

_ROUND_FILES = 5000
_SETTLE_SECONDS = 5
_UNKNOWN_KIND = "its name is not one that is read, or its folders tell no time"


class Strays:
    """`taken` says which of some keys silver has."""

    every_seconds = 60.0

    def __init__(self, place: Place, seen: Seen, taken: Callable[[list[str]], Collection[str]]) -> None:
        self.place = place
        self.seen = seen
        self._taken = taken

    def scan(self, bronze: Bronze, now: datetime, tell: Tell = lambda name, what: None) -> Dropped:
        """One round. What is neither in the inbox nor, asked after that, in silver was written by others.

        For our own objects are announced before they are there, and silver has them before that is taken back.
        """
        done = Dropped()
        full = full_look_is_due(self.seen, now)
        listings: list[Listing] = []
        for listing in self.place.look(self.seen, now.timestamp(), full=full):
            listings.append(listing)
            if sum(len(each.new) for each in listings) >= _ROUND_FILES:
                done.more = True
                break
        known = self._known(bronze, [found.name for listing in listings for found in listing.new])
        for listing in listings:
            finished = [
                found for found in listing.new if found.name in known or self._judge(found, bronze, now, done, tell)
            ]
            record(self.seen, listing, finished)
        if full and not done.more:
            self.seen.fully_seen(now.timestamp())
        return done

    def _known(self, bronze: Bronze, keys: list[str]) -> set[str]:
        if not keys:
            return set()
        announced = {from_inbox(entry.key) for entry in bronze.list(INBOX)}
        ours = {key for key in keys if key in announced or is_merged(key)}
        return ours.union(self._taken([key for key in keys if key not in ours]))

    def _judge(self, found: Found, bronze: Bronze, now: datetime, done: Dropped, tell: Tell) -> bool:
        """Whether it is done with: announced, or refused."""
        if not may_be_readable(found.name.rsplit("/", 1)[-1]) or arrival(found.name) is None:
            done.refuse(found.name, _UNKNOWN_KIND)
            tell(found.name, _UNKNOWN_KIND)
        elif self.place.settles and (now - found.modified).total_seconds() < _SETTLE_SECONDS:
            done.waiting += 1
            return False
        else:
            announce(bronze, found.name, found.size_bytes)
            done.new += 1
            tell(found.name, "found in bronze")
        return True
