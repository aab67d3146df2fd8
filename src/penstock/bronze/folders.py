"""Which folders of days or hours bronze has, oldest first, without looking at what lies in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..objects import Objects

_LEVELS = re.compile(r"year=\d{4}/(month=\d\d/(day=\d\d/(hour=\d\d/)?)?)?")


def folders(objects: Objects, level: str, first: str, end: str, below: str = "") -> Iterator[str]:
    """Those of `level` (`day=` or `hour=`) from `first` on and before `end`, which are such folders too."""
    for folder in objects.children(below).folders:
        size = len(folder)
        if not _LEVELS.fullmatch(folder) or not first[:size] <= folder <= end[:size]:
            continue
        if f"/{level}" in folder:
            if folder < end:
                yield folder
        else:
            yield from folders(objects, level, first, end, folder)
