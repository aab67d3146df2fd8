"""The jobs, round after round, in one process: deliver, refine, rollup …, alerts. `python -m` runs it."""

from __future__ import annotations

import threading

import structlog

from ..alerts.watch import Watch
from ..api import OpenLake
from ..errors import Transient
from ..pipeline import Pipeline
from ..telemetry import log_to_stderr
from ..worker_lock import only_worker
from .process import end_with_parent, handed_down, stop_event

_IDLE_SECONDS = 0.25
_IDLE_SECONDS_BUCKET = 5.0
"""Of a lake in a bucket, where each look costs money."""
_LONGEST_PAUSE_SECONDS = 30.0


def work(pipeline: Pipeline, stop: threading.Event) -> None:
    """Until `stop` is set; then once more, so all acknowledged is in the lake. A failing job is tried again."""
    log = structlog.get_logger()
    watch = Watch(OpenLake(pipeline)) if pipeline.settings.alerts else None
    idle = _IDLE_SECONDS if pipeline.cache is None else _IDLE_SECONDS_BUCKET
    pause = _IDLE_SECONDS
    while not stop.wait(pause):
        busy = False
        pause = max(pause, _IDLE_SECONDS)
        for name, job in pipeline.jobs.items():
            try:
                done = job()
            except Exception as error:
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
                hint = getattr(error, "hint", "")
                log.error(
                    "job failed", job=name, error=repr(error), hint=hint, exc_info=not isinstance(error, Transient)
                )
                break
            if done:
                busy = True
                log.info("job done", job=name, did=str(done))
        else:
            pause = 0.0 if busy else idle
        # Also when a job failed, for then somebody should be told; it never raises.
        if watch is not None and (told := watch.round()):
            log.info("job done", job="alerts", did=str(told))
    pipeline.drain()


def main() -> None:
    log_to_stderr()
    end_with_parent()
    settings = handed_down()
    stop = stop_event()
    with only_worker(settings.data):
        pipeline = Pipeline(settings)
        try:
            work(pipeline, stop)
        finally:
            pipeline.close()


if __name__ == "__main__":
    main()
