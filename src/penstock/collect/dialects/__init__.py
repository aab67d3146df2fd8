"""A dialect is what one family of senders speaks. One file each, with a `DIALECT`; the folder is the registry.

A dialect says on which routes it listens, how a request's body splits into events, what it answers, and, as a table,
where each column of silver is found in an event's JSON. Engines read only that table.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

import msgspec

from ...event import EVENTS_PER_REQUEST


class Split(NamedTuple):
    """The events of one body: `raws` their JSON text, not yet read; with what the body says about all.

    `alone` says that the body was one event and no list: then the event's faults are the envelope's.
    `dialect` names the dialect that they are really in, if it is another than the route's.
    """

    raws: Sequence[msgspec.Raw | bytes]
    alone: bool = False
    sent_ts: str | None = None
    write_key: str | None = None
    dialect: str | None = None


class Fates(NamedTuple):
    """What became of each event, in the order sent: its id, and for some indexes why it is no event."""

    ids: list[str]
    reasons: dict[int, str]


@dataclass(frozen=True)
class Dialect:
    """`paths`: column → where to look, dotted, the first that is not null wins; `event_types`: names to translate.

    `routes` may hold one `{}` that stands for a path segment. `max_events` bounds one request.
    """

    name: str
    paths: Mapping[str, tuple[str, ...]]
    routes: tuple[str, ...] = ()
    split: Callable[[bytes, str], Split] = field(repr=False, default=lambda body, query: Split([]))
    reply: Callable[[Fates], bytes] = field(repr=False, default=lambda fates: b"{}")
    event_types: Mapping[str, str] = field(default_factory=dict)
    max_events: int = EVENTS_PER_REQUEST

    @cached_property
    def id_fields(self) -> tuple[str, ...]:
        """The top-level fields that may hold the sender's event id."""
        return self.paths["event_id"]


@cache
def all_dialects() -> Mapping[str, Dialect]:
    """Every dialect by name, in the order of their file names."""
    found = {}
    for info in pkgutil.iter_modules(__path__):
        dialect: Dialect = importlib.import_module(f"{__name__}.{info.name}").DIALECT
        found[dialect.name] = dialect
    return found
