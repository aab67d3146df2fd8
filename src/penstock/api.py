"""What Python users hold: a lake to ask, and a collector to test against."""

from __future__ import annotations

import threading
from types import TracebackType

import duckdb

from .gold.catalog import ROLLUPS
from .hosts.supervisor import Supervisor
from .pipeline import Pipeline
from .settings import Settings


class OpenLake:
    """The tables `events`, `quarantine`, `ledger` and the rollups, in SQL. Every call sees the newest commit."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._db = duckdb.connect()
        self._db.execute("set timezone = 'UTC'")

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """The answer, lazily: `.arrow()`, `.df()` (pandas), `.pl()` (Polars), `.fetchall()`. Times are UTC.

        Raises duckdb.Error for a query that DuckDB refuses.
        """
        for name, sql in self.pipeline.lake.views().items():
            self._db.execute(f"create or replace temp view {name} as {sql}")
        for rollup in ROLLUPS:
            self._load(rollup.name, ("bucket", *rollup.keys), rollup.values)
        return self._db.sql(query)

    def _load(self, name: str, keys: tuple[str, ...], values: tuple[str, ...]) -> None:
        types = [
            "bucket timestamptz",
            *(f"{key} varchar" for key in keys[1:]),
            *(f"{value} bigint" for value in values),
        ]
        self._db.execute(f"create or replace temp table {name} ({', '.join(types)})")
        rows = self.pipeline.gold.query(f"select * from {name}")
        if rows:
            self._db.executemany(f"insert into {name} values ({', '.join('?' * len(types))})", rows)

    def close(self) -> None:
        self._db.close()
        self.pipeline.close()

    def __enter__(self) -> OpenLake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class RunningCollector:
    """A real collector and worker on a free port. `url` takes events; `lake` is where they go."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._supervisor = Supervisor(settings, log=settings.data / "log" / "collector.log")
        self.url = self._supervisor.url
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._supervisor.watch, args=(self._stop,), daemon=True)

    @property
    def events_url(self) -> str:
        return f"{self.url}/v1/events"

    def pid(self, name: str) -> int:
        """Process id of `server` or `worker`; both are started again when they end."""
        return self._supervisor.pid(name)

    def start(self) -> None:
        self._supervisor.start()
        self._watcher.start()

    def stop(self) -> OpenLake:
        """Stop, with everything acknowledged in the lake; returns that lake."""
        self.close()
        pipeline = Pipeline(self.settings)
        pipeline.drain()
        return OpenLake(pipeline)

    def close(self) -> None:
        """Stop; calling it again does nothing."""
        self._stop.set()
        if self._watcher.is_alive():
            self._watcher.join()
        self._supervisor.stop()
