"""THE WAY: every stage, built from settings, in order. Read this first; nothing else puts stages together.

    1 collect    HTTP request        → records, durable, then 200      collect/
    2 stream     records             → kept in order, replayable       stream/
    3 bronze     stream batches      → gz JSONL objects, untouched     bronze/    job `deliver`
                 files of others     → the same                        bronze/    job `drops`
    4 silver     new bronze objects  → typed rows, quarantine, ledger  silver/    job `refine`
    5 gold       hours that changed  → counts, sessions, steps         gold/      job `rollup`
    6 reports    a question          → rows                            reports/
    7 dashboard  an address          → a page                          dashboard/, above this file

Each job is idempotent, has its own bookmark, and runs once or forever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, cast

from . import adapters
from . import stream as stream_port
from .bronze import demo
from .bronze.deliver import CONSUMER, Delivered, deliver, due
from .bronze.drops import Drop, Dropped, Drops, Tell
from .bronze.expire import expire as expire_bronze
from .bronze.merge import Merged, look_again, merge
from .bronze.places import place
from .bronze.seen import Seen
from .bronze.strays import Strays
from .cache import Cache
from .clock import Clock, moment, utc_now
from .collect.app import Collector
from .collect.keys import Source
from .errors import SettingsError
from .gold import overnight, sessions, steps, stores, walks
from .gold.refresh import Refreshed, refresh
from .gold.stores import Store
from .objects import local_path, sweep
from .requests import Requests
from .settings import Settings
from .silver import bookmark, rebuild, snapshot
from .silver import replay as quarantine
from .silver.batch import Engine
from .silver.commit import Table
from .silver.compact import Compacted, compact
from .silver.compare import Difference, compare
from .silver.erase import Receipt, Who, erase
from .silver.expire import expire
from .silver.lake import Lake
from .silver.refine import Refined, refine, refined
from .silver.schema import Extra, Schema
from .stream import Promise, Stream

_VACUUM_EVERY = timedelta(hours=1)
_GOLD_KEEPS_HOURS = 1
"""Their files are replaced often; so long an older one stays for readers that began before."""
_SWEEP_AFTER = timedelta(days=1)
_HOURS_A_ROUND = 2
"""So many of bronze's hours are merged before the other jobs have their turn again."""


class Maintained(NamedTuple):
    """Silver's `files_before` became `files_after`, and bronze's objects likewise."""

    files_before: int
    files_after: int
    objects_before: int
    objects_after: int


class Pipeline:
    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self.schema = _schema(settings)
        self._maintained = self._vacuumed = self._days_due = clock()

    # the stages

    @cached_property
    def collector(self) -> Collector:
        sources = [Source(s.name, s.write_key, s.enabled, s.origins) for s in self.settings.sources]
        return Collector(sources, self.clock, prefix=self.settings.collect.prefix)

    @cached_property
    def stream(self) -> Stream:
        url, options = self.settings.stream_url, self.settings.stream
        opened: Stream = adapters.load(stream_port, url).open(
            url,
            clock=self.clock,
            retention_seconds=options.retention_hours * 3600,
            max_bytes=options.max_bytes,
            positions=f"{self.settings.lake_url}/positions",
        )
        return opened

    @cached_property
    def lake(self) -> Lake:
        options = self.settings
        return Lake(options.lake_url, self.schema, self.cache, options.read_only)

    @cached_property
    def cache(self) -> Cache | None:
        """Copies of the Parquet files of a lake in a bucket."""
        options = self.settings
        remote = local_path(options.lake_url) is None
        return Cache(options.data / "cache", options.cache_bytes) if remote else None

    @property
    def engine(self) -> Engine:
        """Who makes silver's batches."""
        options = self.settings.refine
        return Engine(options.engine, options.memory_limit, options.spark)

    @cached_property
    def gold_url(self) -> str:
        """Where gold's tables lie: in the lake, or with all else of gold here, of who may only read the lake."""
        return self.settings.data.absolute().as_uri() if self.settings.read_only else self.lake.url

    @cached_property
    def gold(self) -> Store:
        opened: Store = adapters.load(stores, self.settings.gold_url).open(self.settings.gold_url)
        return opened

    @cached_property
    def sessions(self) -> Table:
        """The part of gold that has a row for each session."""
        return sessions.table(self.gold_url, self.cache)

    @cached_property
    def steps(self) -> Table:
        """The part of gold that has a row for each event."""
        return steps.table(self.gold_url, self.cache)

    @cached_property
    def overnight(self) -> Table:
        """Of the steps, those of sessions that are of more than one day."""
        return overnight.table(self.gold_url, self.cache)

    @cached_property
    def walks(self) -> Table:
        """Which pages sessions saw one after the other, and how many did."""
        return walks.table(self.gold_url, self.cache)

    @property
    def _by_day(self) -> tuple[Table, ...]:
        return self.steps, self.overnight, self.walks, self.sessions

    @cached_property
    def places(self) -> Drops:
        """Where others write: the drops, and bronze itself."""
        options, bronze = self.settings, self.lake.bronze.url
        drops = [
            Drop(place(d.url), Seen(options.seen_path, d.url), source=d.source, settle_seconds=d.settle_seconds)
            for d in options.drops
        ]
        strays = Strays(
            place(bronze, "year=", write_once=True),
            Seen(options.seen_path, bronze),
            lambda keys: refined(self.lake.silver, keys),
        )
        return Drops([*drops, strays])

    @cached_property
    def requests(self) -> Requests:
        return Requests(self.settings.data)

    # the jobs, in order

    def deliver(self, *, only_if_due: bool = False) -> Delivered | None:
        options = self.settings.deliver
        if only_if_due:
            lag = self.stream.lag(CONSUMER)
            if not due(lag, self.clock(), seconds=options.seconds, limit_bytes=options.bytes):
                return None
        done = deliver(self.stream, self.lake.bronze, limit_bytes=options.bytes)
        return done if done.objects else None

    def drops(self, *, only_if_due: bool = False, tell: Tell = lambda name, what: None) -> Dropped:
        return self.places.scan(self.lake.bronze, self.clock(), only_if_due=only_if_due, tell=tell)

    def refine(self) -> Refined | None:
        return refine(self.lake, batch_bytes=self.settings.refine.batch_bytes, engine=self.engine)

    def replay_quarantine(
        self,
        reasons: Sequence[str] | None = None,
        *,
        dry_run: bool = False,
        alone: bool = True,
        progress: quarantine.Progress = lambda done, total: None,
    ) -> quarantine.Replayed:
        """What is in quarantine, judged again by today's settings; `alone` if no worker runs beside us."""
        done = quarantine.replay(
            self.lake,
            reasons,
            dry_run=dry_run,
            alone=alone,
            engine=self.engine,
            progress=progress,
        )
        if alone and not dry_run:
            self.rollup()
        return done

    def rollup(self, *, only_if_due: bool = False) -> Refreshed:
        """What is by day takes as long as the day has events, so while they come it is made only now and then."""
        began, options = self.clock(), self.settings
        done = refresh(
            self.lake.silver.events,
            self.gold,
            self.steps,
            self.overnight,
            self.walks,
            self.sessions,
            days=not only_if_due or began >= self._days_due,
            memory_limit=options.refine.memory_limit,
        )
        if done.days:
            ended = self.clock()
            self._days_due = ended + max(timedelta(seconds=options.rollup.seconds), 9 * (ended - began))
        return done

    def maintain(self, *, only_if_due: bool = False) -> Maintained | None:
        """Merge small files and objects, and now and then delete what is left of those that have long been merged."""
        now, options = self.clock(), self.settings.maintain
        if only_if_due and now - self._maintained < timedelta(seconds=options.seconds):
            return None
        self._maintained = now
        done = Compacted()
        silver = self.lake.silver
        # Of a batch that was stopped between its commits, the files must stay as they are until it is done again.
        half_done = bookmark.pending(silver.plans, silver.events.batch()) is not None
        for table, order_by in () if half_done else silver.tables:
            done += compact(table, order_by)
        if now - self._vacuumed >= _VACUUM_EVERY or not only_if_due:
            self._vacuumed = now
            for table, _ in self.lake.silver.tables:
                table.vacuum(keep_hours=options.keep_hours)
            for replaced in self._by_day:
                replaced.vacuum(keep_hours=_GOLD_KEEPS_HOURS)
            self._sweep(now - _SWEEP_AFTER)
            if not half_done:
                self.expire()
        found = Maintained(*done, *self._merge_bronze(hours=_HOURS_A_ROUND if only_if_due else None))
        return found if any(found) else None

    def expire(self) -> None:
        """Delete what is older than the settings keep it; first from the tables, then from bronze."""
        options, today = self.settings.retention, self.clock().date()
        if options.days is not None:
            expire(self.lake.silver, today - timedelta(days=options.days))
        if bronze_days := min((days for days in (options.days, options.bronze_days) if days), default=None):
            expire_bronze(self.lake.bronze, today - timedelta(days=bronze_days))

    def _sweep(self, before: datetime) -> None:
        """Delete what killed processes left half written in local folders."""
        for folder in (local_path(f"{self.lake.url}/{stage}") for stage in ("bronze", "silver")):
            if folder is not None:
                sweep(folder, before)
        sweep(self.settings.gold_path.parent, before)

    def _merge_bronze(self, *, hours: int | None) -> Merged:
        """Of hours into which nothing is to be delivered any more."""
        options = self.settings.maintain
        over = self.clock() - timedelta(hours=options.merge_after_hours)
        before = min(over, self.stream.lag(CONSUMER).oldest or over)
        return merge(self.lake.bronze, before, many=options.merge_objects, most_bytes=options.merge_bytes, hours=hours)

    def replay(self, start: datetime) -> int:
        """Deliver the stream again from `start` on; returns how many records will come again."""
        again = self.stream.seek(CONSUMER, start)
        look_again(self.lake.bronze, start)
        return again

    @property
    def jobs(self) -> dict[str, Callable[[], Any]]:
        """Name → one round; each returns something falsy when there was nothing to do.

        After each round of them the worker also looks at the alerts, which ask reports about all this.
        Raises SettingsError for a lake that may only be read.
        """
        check_writable(self.settings)
        return {
            "demo": self.demo_as_asked,
            "deliver": lambda: self.deliver(only_if_due=True),
            "drops": lambda: self.drops(only_if_due=True),
            "refine": self.refine,
            "rollup": lambda: self.rollup(only_if_due=True),
            "erase": self.erase_as_asked,
            "replay": self.replay_as_asked,
            "maintain": lambda: self.maintain(only_if_due=True),
        }

    def rebuild(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        preview: bool = False,
        progress: rebuild.Progress = lambda done, total: None,
    ) -> Difference:
        """Silver (and gold) again from what arrived from `since` to `until`; the old stays. What the two differ in.

        With `preview` the new one is built and compared, but not shown; the next rebuild goes on from there.
        """
        options = self.settings.refine
        begun = rebuild.begin(self.lake, self.clock(), since=since, until=until)

        def fill(tell: rebuild.Progress) -> None:
            rebuild.fill(self.lake, begun, batch_bytes=options.batch_bytes, engine=self.engine, progress=tell)

        fill(progress)
        found = compare(self.lake.generation(begun.old), self.lake.generation(begun.generation))
        if not preview:
            fill(lambda done, total: None)  # what came meanwhile
            rebuild.show(self.lake, begun)
            self.rollup()
        return found

    def erase(self, who: Who, value: str) -> Receipt:
        """All events of a person or session that have come so far, out of everything. For the only worker."""
        self.drain()
        now = self.clock()
        done = erase(self.lake, who, value, now, engine=self.engine)
        self.stream.forget(now)
        self.rollup()
        for replaced in self._by_day:
            replaced.purge()
        return done

    def erase_as_asked(self) -> int:
        """What commands ask of a running worker; returns how many."""
        return self.requests.answer("erase", lambda asked: self.erase(cast(Who, asked["who"]), asked["value"]))

    def demo_as_asked(self) -> int:
        """Simulated events, if there are no others; returns how many times the dashboard asked for them."""

        def put(asked: dict[str, str]) -> dict[str, int]:
            if snapshot.span(self.lake.silver.events.open()).first is not None or any(self.stream.ends().values()):
                return {"objects": 0}
            done = demo.fill(self.lake.bronze, moment(asked["until"], self.clock()))
            self.drain()
            return {"objects": done}

        return self.requests.answer("demo", put)

    def replay_as_asked(self) -> int:
        """What the dashboard asks of a running worker; returns how many."""

        def again(asked: dict[str, str]) -> dict[str, Any]:
            return asdict(self.replay_quarantine(asked["reasons"].split() or None))

        return self.requests.answer("replay", again)

    def drain(self) -> None:
        """Run every job until nothing is left to do."""
        self.deliver()
        # One that does not count tells of no more than it has read ahead.
        while Promise.COUNTS in self.stream.declines and self.deliver():
            pass
        while self.drops().more:
            pass
        while self.refine():
            pass
        self.rollup()

    def close(self) -> None:
        for stage in ("stream", "places", "gold"):
            if stage in self.__dict__:
                self.__dict__.pop(stage).close()


def check_writable(settings: Settings) -> None:
    """Raises SettingsError if the lake may only be read."""
    if settings.read_only:
        raise SettingsError("the settings say read_only", hint="jobs run where the lake may be written")


def _schema(settings: Settings) -> Schema:
    """Raises SettingsError for columns, aliases or bots that cannot be."""
    own = (Extra(c.name, c.type, c.paths, c.meaning, c.strict) for c in settings.columns)
    return Schema(tuple(own), settings.aliases, settings.refine.bots)
