"""Logs and metrics: one JSON line per log entry on stderr, counters that /metrics shows.

Labels come from short fixed lists only; nothing a sender writes ever becomes a label.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TextIO, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("penstock_requests_total", "Requests by HTTP status.", ["status"])
EVENTS = Counter("penstock_events_total", "Events acknowledged, by what the collector already knows.", ["outcome"])
REFUSED = Counter("penstock_refused_total", "Requests refused, by error code.", ["code"])
APPEND_SECONDS = Histogram(
    "penstock_append_seconds",
    "Time to make one group of records durable.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


def exposition(multiprocess_folder: str | None) -> bytes:
    """The metrics page of all server processes together (they share `multiprocess_folder`)."""
    if multiprocess_folder is None:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=multiprocess_folder)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


class _Stderr:
    """Standard error that may be a file on a full disk: what cannot be logged must not stop the work."""

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def log_to_stderr() -> None:
    """One JSON object per line; a newline in a value cannot forge a line."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=cast(TextIO, _Stderr())),
    )
