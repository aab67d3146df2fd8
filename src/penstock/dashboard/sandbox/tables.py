"""The tables that a query may ask for, and the files and rows that they are at one moment."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...gold import by_day, sessions
from ...gold.catalog import FOR_PEOPLE
from ...gold.table import table as rollup_table
from ...objects import local_path
from ...pipeline import Pipeline

SILVER = ("events", "quarantine", "ledger")
NAMES = (
    *(("silver", name) for name in SILVER),
    ("gold", sessions.NAME),
    *(("gold", rollup.name) for rollup in FOR_PEOPLE),
)
"""Schema and name of each."""
_PATH = re.compile(r"'((?:[^']|'')+\.parquet)'")


@dataclass(frozen=True)
class Snapshot:
    """`views` are (schema, name, SQL over the files `paths`); `loaded` is what of gold no such file holds."""

    version: tuple[Any, ...]
    views: list[tuple[str, str, str]]
    loaded: dict[str, pa.Table]

    @cached_property
    def paths(self) -> list[str]:
        """Every file that the views' SQL names; they alone can be read."""
        return [path.replace("''", "'") for *_, sql in self.views for path in _PATH.findall(sql)]

    @property
    def size_bytes(self) -> int:
        return sum(map(_size, self.paths))


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except FileNotFoundError:  # merged with others long ago, and deleted meanwhile
        return 0


def folders(pipeline: Pipeline) -> list[str]:
    """What a query's process may look into; they are made if they are missing."""
    local = map(local_path, (f"{pipeline.lake.url}/silver", f"{pipeline.gold_url}/gold"))
    found = [folder for folder in local if folder is not None]
    if pipeline.cache is not None:
        found.append(pipeline.cache.folder)
    for folder in found:
        folder.mkdir(parents=True, exist_ok=True)
    return [str(folder) for folder in found]


def snapshot(pipeline: Pipeline, wanted: Collection[str]) -> Snapshot:
    """The tables `wanted` as they are now."""
    silver = pipeline.lake.silver
    asked = [name for name in SILVER if name in wanted]
    sql = silver.views(asked) if asked else {}
    views = [("silver", name, sql[name]) for name in asked]
    if sessions.NAME in wanted:
        views.append(("gold", sessions.NAME, by_day.sql(pipeline.sessions)))
    rollups = [rollup for rollup in FOR_PEOPLE if rollup.name in wanted]
    shown = pipeline.gold.shown() if rollups else {}
    loaded = {rollup.name: rollup_table(rollup, pipeline.gold.read(rollup)) for rollup in rollups}
    rolled = tuple((rollup.name, shown.get(rollup.name)) for rollup in rollups)
    return Snapshot((tuple(views), rolled), views, loaded)
