"""The jobs, round after round, in one process: deliver, refine, rollup. `python -m` runs it."""

from __future__ import annotations

import threading

import structlog

from ..errors import Transient
from ..pipeline import Pipeline
from ..telemetry import log_to_stderr
from .process import end_with_parent, handed_down, only_worker, stop_event

_IDLE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 30.0


def work(pipeline: Pipeline, stop: threading.Event) -> None:
    """Until `stop` is set; then once more, so all acknowledged is in the lake. A failing job is tried again."""
    log = structlog.get_logger()
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
            pause = 0.0 if busy else _IDLE_SECONDS
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
