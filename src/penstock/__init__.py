"""Penstock: the event analytics pipeline that you own.

import penstock
penstock.open("./penstock-data").sql("select event_type, count(*) from events group by all").df()
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import OpenLake
    from .hosts.collector import RunningCollector

__version__ = "0.1.0"
__all__ = ["__version__", "collector", "open"]


def open(data: str | Path | None = None, **settings: Any) -> OpenLake:
    """A lake, to ask questions of: `data` is its folder, `settings` are those of `penstock.toml`.

    Raises penstock.errors.SettingsError.
    """
    from .api import OpenLake
    from .pipeline import Pipeline
    from .settings import load

    return OpenLake(Pipeline(load(data=data, **settings)))


@contextmanager
def collector(data: str | Path | None = None, **settings: Any) -> Iterator[RunningCollector]:
    """A real collector and worker on a free port, for tests: post to `.events_url`, then `.stop()` gives the lake.

    Without `data` all is in a temporary folder, gone at the end.
    """
    from tempfile import TemporaryDirectory

    from .hosts.collector import RunningCollector
    from .hosts.supervisor import free_port
    from .settings import load

    with TemporaryDirectory(prefix="penstock-") as temporary:
        collect = {"port": free_port(), **settings.pop("collect", {})}
        running = RunningCollector(load(data=data or temporary, collect=collect, **settings))
        running.start()
        try:
            yield running
        finally:
            running.close()
