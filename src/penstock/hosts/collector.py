"""A collector and worker behind a Python object, for tests: a free port in, a lake out."""

from __future__ import annotations

import threading

from ..api import OpenLake
from ..pipeline import Pipeline
from ..settings import Settings
from .supervisor import Supervisor


class RunningCollector:
    """A real collector and worker. `events_url` takes events; `stop()` gives the lake where they are."""

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
