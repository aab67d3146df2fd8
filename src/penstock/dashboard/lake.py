"""A look at the lake before a page asks it: which version it shows, since when there are events, how fresh they are."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import NamedTuple

from ..api import OpenLake
from ..silver import snapshot


class Look(NamedTuple):
    """`version` is another whenever an answer may be. `first` and `newest` are None while there are no events."""

    version: Hashable
    columns: Mapping[str, str]
    first: datetime | None
    newest: datetime | None
    """When the newest event was received."""


def look(lake: OpenLake) -> Look:
    return Look(lake.version(), lake.columns, *snapshot.span(lake.pipeline.lake.silver.events.open()))
