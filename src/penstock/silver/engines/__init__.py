"""PORT: who does the work of a batch. Each module has `make(lake, silver, plan, engine) -> Made`.

It promises: each line of the plan's objects is judged once, by `clean.sql` and the rules of the lake's schema; the
first of several with the same (source, event_id) wins, also against what silver holds; the files that it names are
durable, and part of no table yet. Doing it again makes the same rows. It commits nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..actions import DataFile

Count = tuple[int, str, datetime, str, str, str | None, int]
"""A row of the ledger: batch, bronze_file, received_hour, source, outcome, reason, events."""


@dataclass(frozen=True)
class Made:
    """Files for each of silver's tables; what `counts` says is in those of the ledger. `damaged`: objects unread."""

    quarantine: Sequence[DataFile]
    ledger: Sequence[DataFile]
    events: Sequence[DataFile]
    counts: Sequence[Count]
    damaged: int
