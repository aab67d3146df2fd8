"""New objects of bronze → silver and gold, once: what cron calls on one machine. Needs DuckDB and delta-rs: an image.

At a time only one of it may run (reserved concurrency 1): gold is to be written by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...bronze.deliver import announce
from ...bronze.layout import arrival
from ...bronze.lines import may_be_readable
from ...pipeline import Pipeline
from ...settings import load
from .clients import LOG, seconds_left
from .notices import made

_SPARE_SECONDS = 60.0
"""What one more batch and its rollups may take; the next time goes on from there."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """A schedule's event has nothing of use in it; S3's says what was made, also by those who do not announce it."""
    pipeline = Pipeline(load())
    try:
        _announce(pipeline, event)
        batches = events = 0
        while seconds_left(context) >= _SPARE_SECONDS and (done := pipeline.refine()):
            batches, events = batches + 1, events + done.read
        shown = pipeline.rollup()
    finally:
        pipeline.close()
    LOG.info("%d events in %d batches, %d hours and %d days changed", events, batches, *shown)
    return {"batches": batches, "events": events, "hours": shown.hours, "days": shown.days}


def _announce(pipeline: Pipeline, event: Mapping[str, Any]) -> None:
    """What silver has already is taken out of the inbox again by refine."""
    start = f"{pipeline.lake.bronze.url}/"
    for file in made(event):
        key = f"s3://{file.bucket}/{file.key}".removeprefix(start)
        if key.startswith("year=") and arrival(key) and may_be_readable(key.rsplit("/", 1)[-1]):
            announce(pipeline.lake.bronze, key, file.size_bytes)
