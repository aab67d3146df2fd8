"""THE WAY: every stage, built from settings, in order. Read this first; nothing else puts stages together.

    1 collect    HTTP request        → records, durable, then 200      collect/
    2 stream     records             → kept in order, replayable       stream/
    3 bronze     stream batches      → gz JSONL objects, untouched     bronze/    job `deliver`
    4 silver     new bronze objects  → typed rows, quarantine, ledger  silver/    job `refine`
    5 gold       hours that changed  → counts                          gold/      job `rollup`
    6 reports    a question          → rows                            reports/

Each job is idempotent, has its own bookmark, and runs once or forever.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import Any

from . import adapters
from . import stream as stream_port
from .bronze.deliver import CONSUMER, Delivered, deliver, due
from .clock import Clock, utc_now
from .collect.app import Collector
from .collect.keys import Source
from .gold.refresh import refresh
from .gold.stores.sqlite import Store
from .settings import Settings
from .silver.compact import Compacted, compact
from .silver.lake import Lake
from .silver.refine import Refined, refine
from .stream import Stream

_VACUUM_EVERY = timedelta(hours=1)


class Pipeline:
    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self._maintained = self._vacuumed = clock()

    # the stages

    @cached_property
    def collector(self) -> Collector:
        sources = [Source(s.name, s.write_key, s.enabled, s.origins) for s in self.settings.sources]
        return Collector(sources, self.clock, prefix=self.settings.collect.prefix)

    @cached_property
    def stream(self) -> Stream:
        url, options = self.settings.stream_url, self.settings.stream
        opened: Stream = adapters.load(stream_port, url).open(
            url, clock=self.clock, retention_seconds=options.retention_hours * 3600, max_bytes=options.max_bytes
        )
        return opened

    @cached_property
    def lake(self) -> Lake:
        return Lake(self.settings.lake_url)

    @cached_property
    def gold(self) -> Store:
        return Store(self.settings.gold_path)

    # the jobs, in order

    def deliver(self, *, only_if_due: bool = False) -> Delivered | None:
        options = self.settings.deliver
        if only_if_due:
            lag = self.stream.lag(CONSUMER)
            if not due(lag, self.clock(), seconds=options.seconds, limit_bytes=options.bytes):
                return None
        done = deliver(self.stream, self.lake.bronze, limit_bytes=options.bytes)
        return done if done.objects else None

    def refine(self) -> Refined | None:
        options = self.settings.refine
        return refine(self.lake, batch_bytes=options.batch_bytes, memory_limit=options.memory_limit)

    def rollup(self) -> int:
        return refresh(self.lake.silver.events, self.gold)

    def maintain(self, *, only_if_due: bool = False) -> Compacted | None:
        """Merge small files, and now and then delete those that have long been merged."""
        now, options = self.clock(), self.settings.maintain
        if only_if_due and now - self._maintained < timedelta(seconds=options.seconds):
            return None
        self._maintained = now
        done = Compacted()
        for table, order_by in self.lake.silver.tables:
            done += compact(table, order_by)
        if now - self._vacuumed >= _VACUUM_EVERY or not only_if_due:
            self._vacuumed = now
            for table, _ in self.lake.silver.tables:
                table.vacuum(keep_hours=options.keep_hours)
        return done if done.files_before else None

    @property
    def jobs(self) -> dict[str, Callable[[], Any]]:
        """Name → one round; each returns something falsy when there was nothing to do."""
        return {
            "deliver": lambda: self.deliver(only_if_due=True),
            "refine": self.refine,
            "rollup": self.rollup,
            "maintain": lambda: self.maintain(only_if_due=True),
        }

    def drain(self) -> None:
        """Run every job until nothing is left to do."""
        self.deliver()
        while self.refine():
            pass
        self.rollup()

    def close(self) -> None:
        for stage in ("stream", "gold"):
            if stage in self.__dict__:
                self.__dict__.pop(stage).close()
