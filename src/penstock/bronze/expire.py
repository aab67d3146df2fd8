"""Bronze's days that are over → deleted, oldest first; what silver has not taken stays."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from .folders import folders
from .layout import INBOX, STATE, day_folder, from_inbox
from .store import Bronze


class Expired(NamedTuple):
    """How much was deleted; `objects` as they lay there, a merged one and its index are two."""

    days: int = 0
    objects: int = 0
    bytes: int = 0


_KEPT = STATE + "kept-since"


def kept_since(bronze: Bronze) -> date | None:
    """The day of arrival before which objects may have been deleted."""
    try:
        return date.fromisoformat(bronze.get(_KEPT).decode())
    except FileNotFoundError:
        return None


def expire(bronze: Bronze, before: date) -> Expired:
    """Delete all that arrived before that day (UTC). That a file was loaded stays known, so it does not come again."""
    done = Expired()
    if (kept_since(bronze) or date.min) < before:
        bronze.put(_KEPT, before.isoformat().encode())
    waiting = {from_inbox(entry.key) for entry in bronze.objects.list(INBOX)}
    for folder in list(folders(bronze.objects, "day=", "", day_folder(before))):
        gone = [entry for entry in bronze.objects.list(folder) if entry.key not in waiting]
        for entry in gone:
            bronze.objects.delete(entry.key)
        bronze.objects.settle(folder)
        size = sum(entry.size_bytes for entry in gone)
        done = Expired(done.days + bool(gone), done.objects + len(gone), done.bytes + size)
    return done
