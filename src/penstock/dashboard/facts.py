"""What the status page shows, gathered: each part by itself, so that one that cannot be told leaves the others."""

from __future__ import annotations

import platform
import shutil
import unicodedata
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple, TypeVar

import msgspec
from structlog import get_logger

from .. import __version__
from ..alerts import state as alerts
from ..api import OpenLake
from ..books import Books, books
from ..errors import PenstockError
from ..objects import local_path
from ..pipeline import Pipeline
from ..settings import Settings
from ..silver import snapshot
from ..silver.drift import Drift, drift
from ..silver.replay import Replayed
from ..status import (
    GoldStatus,
    SilverStatus,
    StreamStatus,
    Waiting,
    gold_status,
    in_bronze,
    silver_status,
    stream_status,
)
from ..worker_lock import worker_runs
from .answers import Failed, failed

REPLAY = "replay"
"""The kind of request that the worker is asked with."""
_SAMPLE_BYTES, _SAMPLE_CHARS = 1200, 300
_HEALTH_SECONDS = 0.5
_SIZES_SECONDS = 60
_DRIFT_OBJECTS, _DRIFT_EVENTS = 5, 2_000
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")

T = TypeVar("T")


class Quarantined(NamedTuple):
    """Of one reason: how many wait, and the newest of them."""

    reason: str
    events: int
    first: datetime
    last: datetime
    line: str
    detail: str
    sample: str


class TableFacts(NamedTuple):
    name: str
    files: int
    rows: int
    bytes: int
    maintained: datetime | None


class Disk(NamedTuple):
    """`sizes` by what lies directly in the data folder."""

    sizes: Mapping[str, int]
    free: int
    total: int


class Asked(NamedTuple):
    """What the page asked of the worker: it waits, or it is done; neither for an id that nobody knows."""

    waits: bool
    done: Replayed | None


@dataclass(frozen=True)
class Facts:
    at: datetime
    worker: bool
    collector: bool
    stream: StreamStatus | Failed
    bronze: Waiting | Failed
    silver: SilverStatus | Failed
    gold: GoldStatus | Failed
    books: Books | Failed
    quarantine: list[Quarantined] | Failed
    tables: list[TableFacts] | Failed
    disk: Disk | Failed
    alerts: alerts.States
    versions: Mapping[str, str]


def gather(lake: OpenLake) -> Facts:
    way = lake.pipeline
    now = way.clock()
    settings = way.settings
    return Facts(
        now,
        worker_runs(settings.data),
        answers(f"{settings.collect.url}/health"),
        _tried(lambda: stream_status(way)),
        _tried(lambda: in_bronze(way)),
        _tried(lambda: silver_status(way)),
        _tried(lambda: gold_status(way)),
        _tried(lambda: books(lake, now)),
        _tried(lambda: quarantined(lake)),
        _tried(lambda: tables(way)),
        _tried(lambda: disk(settings)),
        alerts.load(settings.data),
        versions(),
    )


def _tried(work: Callable[[], T]) -> T | Failed:
    try:
        return work()
    except Exception as error:
        if not isinstance(error, PenstockError):
            get_logger().warning("a part of the status is not known", error=repr(error))
        return failed(error)


def answers(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=_HEALTH_SECONDS):
            return True
    except (OSError, ValueError):
        return False


_REASONS = """
    with reasons as (
        select reason, count(*) as events, min(received_at) as first_seen, max(received_at) as last_seen,
               max_by({'file': bronze_file, 'line': bronze_line}, (received_at, bronze_file, bronze_line)) as newest
        from quarantine group by reason
    )
    select r.reason, r.events, r.first_seen, r.last_seen, q.bronze_file || ':' || q.bronze_line,
           coalesce(q.detail, ''), q.raw
    from reasons as r
    join quarantine as q on q.bronze_file = r.newest.file and q.bronze_line = r.newest.line and q.reason = r.reason
    order by r.events desc, r.reason
"""


def quarantined(lake: OpenLake) -> list[Quarantined]:
    return [
        Quarantined(reason, events, first, last, line, visible(detail), sample(raw or b""))
        for reason, events, first, last, line, detail, raw in lake.sql(_REASONS).fetchall()
    ]


def sample(raw: bytes) -> str:
    """The start of it, as text that can be read and does nothing."""
    text = visible(raw[:_SAMPLE_BYTES].decode(errors="backslashreplace"))
    return text if len(text) <= _SAMPLE_CHARS and len(raw) <= _SAMPLE_BYTES else f"{text[:_SAMPLE_CHARS]}…"


def visible(text: str) -> str:
    """What cannot be seen, or would turn what stands beside it, becomes its escape."""
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in _UNSEEN else char for char in text
    )


def tables(way: Pipeline) -> list[TableFacts]:
    silver = way.lake.silver
    found = []
    for name, table in (*((t.url.rpartition("/")[2], t) for t, _ in silver.tables), ("sessions", way.sessions)):
        sizes = table.sizes()
        found.append(
            TableFacts(name, len(sizes), snapshot.count(table), sum(sizes.values()), snapshot.maintained(table.open()))
        )
    return found


def disk(settings: Settings) -> Disk:
    folder = settings.data.absolute()
    usage = shutil.disk_usage(folder)
    return Disk(_sizes(folder, int(monotonic() / _SIZES_SECONDS)), usage.free, usage.total)


@lru_cache(maxsize=4)
def _sizes(folder: Path, minute: int) -> Mapping[str, int]:
    """Every file is looked at, so not at every question."""
    found: dict[str, int] = {}
    for top in sorted(folder.iterdir()):
        name = top.name if top.is_dir() else "other"
        found[name] = found.get(name, 0) + sum(_bytes(path) for path in (top.rglob("*") if top.is_dir() else [top]))
    return found


def _bytes(path: Path) -> int:
    try:
        return path.lstat().st_size if path.is_file() and not path.is_symlink() else 0
    except OSError:
        return 0


def versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("duckdb", "deltalake", "pyarrow")}
    return {"penstock": __version__, "python": platform.python_version(), **packages}


def is_local(settings: Settings) -> bool:
    return local_path(settings.lake_url) is not None


def asked(way: Pipeline, id: str) -> Asked:
    """What became of a request to judge quarantine again."""
    answer: Any = way.requests.answered(REPLAY, id)
    done = None if answer is None else msgspec.convert(answer, Replayed)
    return Asked(done is None and way.requests.waits(REPLAY, id), done)


def drifted(lake: OpenLake) -> Drift | Failed:
    """By the newest events; it reads them, so only who asks for it gets it."""
    now = lake.pipeline.clock()
    since = now - timedelta(hours=24)
    return _tried(lambda: drift(lake.pipeline.lake, since, now, objects=_DRIFT_OBJECTS, events=_DRIFT_EVENTS))
