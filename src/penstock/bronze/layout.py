"""Where an object lies: position and time → key, and back. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from ..collect.keys import DEFAULT_SOURCE

INBOX = "inbox/"
LOADS = "loads/"
STATE = "state/"
NOT_DATA = (INBOX, LOADS, STATE)
"""Folders beside the objects: what silver has not taken, what was loaded, how far merging and expiry have come."""

_DAY = "year=%Y/month=%m/day=%d"
_HOUR = f"{_DAY}/hour=%H"
_MINUTE = f"{_HOUR}/minute=%M"
_TWO = r"(\d{1,2})"
_HIVE = re.compile(rf"(?:^|/)year=(\d{{4}})/(?:month={_TWO}/(?:day={_TWO}/(?:hour={_TWO}/(?:minute={_TWO}/)?)?)?)?")
_DATES = re.compile(r"(?:^|/)(\d{4})/(\d\d)/(\d\d)/(?:(\d\d)/)?")
_SEGMENT = re.compile(r"(?:^|/)segment-logs/([^/]+)/(\d{13})/")
_FIREHOSE = re.compile(r"-(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-\d\d-[0-9a-f-]{36}$")
_UNPADDED = re.compile(r"=\d/")
_SOURCE = re.compile(r"(?:^|/)source=([A-Za-z0-9_.-]{1,64})/")
_IN_HOUR = re.compile(r"year=\d{4}/month=\d\d/day=\d\d/hour=\d\d/")
_MERGED = re.compile(r"hour=\d\d/merged-[0-9a-f]{16}\.json(?:l\.gz)?$")
_BATCH = re.compile(r"([^/]+)-(\d{12})-(\d{12})\.jsonl\.gz$")


class Span(NamedTuple):
    """Which records of a stream's shard an object holds; offsets are inclusive."""

    shard: str
    first: int
    last: int


def batch_key(shard: str, first: int, last: int, at: datetime, *, counted: bool = True) -> str:
    """`year=2026/month=02/day=01/hour=12/minute=00/<shard>-<first>-<last>.jsonl.gz`

    Offsets that do not count have 56 digits, as many as Kinesis needs: so no gap is looked for between two of them.
    """
    digits = 12 if counted else 56
    return f"{minute_folder(at)}{shard}-{first:0{digits}}-{last:0{digits}}.jsonl.gz"


def load_key(content_hash: str, name: str, at: datetime, source: str | None = None) -> str:
    """Key of a file that we did not write: its content's hash makes it known again under any name."""
    folder = f"source={_plain(source)[:64]}/" if source else ""
    return f"{minute_folder(at)}{folder}load-{content_hash[:16]}-{_plain(name)[-80:]}"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def source(key: str) -> str:
    """Who sent the lines of this object that do not say it themselves: the folder `source=`, or the default."""
    found = _SOURCE.search(key)
    return found[1] if found else DEFAULT_SOURCE


def minute_folder(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_MINUTE) + "/"


def hour_folder(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_HOUR) + "/"


def day_folder(day: date) -> str:
    return day.strftime(_DAY) + "/"


def arrival(key: str) -> datetime | None:
    """When the folders `year=…/` say that it came, down to the level that is there; None if it lies elsewhere.

    Of a month or year it is the last minute: by the first one, nearly all its events would be from the future.
    """
    found = _HIVE.search(key)
    if found is None:
        return None
    year, month, day, hour, minute = found.groups()
    try:
        if day is not None:
            return _moment(year, month, day, hour, minute)
        month_after = _moment(year, month or "12", "1") + timedelta(days=31)
        return month_after.replace(day=1) - timedelta(minutes=1)
    except (ValueError, OverflowError):
        return None


def _moment(*parts: str | None) -> datetime:
    """Year, month, day, and what there is of hour and minute."""
    year, month, day, hour, minute = [*(int(part or 0) for part in parts), 0, 0][:5]
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


class Origin(NamedTuple):
    """What the place of a file that others wrote says of it.

    `series` is what stands before the folders of time; in a series, later folders have greater names.
    """

    at: datetime | None = None
    source: str | None = None
    series: str | None = None


def origin(name: str) -> Origin:
    """Hive folders, Segment's `segment-logs/{source}/{epoch ms}/`, Firehose's `2026/02/01/12/`, or its file name."""
    if (found := _HIVE.search(name)) and (at := arrival(name)):
        told = _SOURCE.search(name)
        padded = not _UNPADDED.search(found[0])
        return Origin(at, told and told[1], name[: found.start(1) - len("year=")] if padded else None)
    try:
        if found := _SEGMENT.search(name):
            at = datetime.fromtimestamp(int(found[2]) / 1000, UTC)
            return Origin(at, found[1], name[: found.start(2)])
        if found := _DATES.search(name):
            return Origin(_moment(*found.groups()), None, name[: found.start(1)])
        if found := _FIREHOSE.search(name):
            return Origin(_moment(*found.groups()))
    except ValueError:
        pass
    return Origin()


def from_firehose(name: str) -> bool:
    """Whether Firehose named it: `stream-1-2026-02-01-12-00-00-<uuid>`, without an ending."""
    return _FIREHOSE.search(name) is not None


def hour_of(key: str) -> str | None:
    """The folder of the hour that `key`, an object or a folder, lies in; None if it lies elsewhere."""
    found = _IN_HOUR.match(key)
    return found[0] if found else None


def is_merged(key: str) -> bool:
    """Whether this is a merged object, or the index of one."""
    return _MERGED.search(key) is not None


def index_key(folder: str, index_hash: str) -> str:
    return f"{folder}merged-{index_hash[:16]}.json"


def merged_key(index: str) -> str:
    """The merged object that an index is for; it lies beside it."""
    return index.removesuffix(".json") + ".jsonl.gz"


def span(key: str) -> Span | None:
    """The stream's records in this object, or None if the stream did not write it."""
    found = _BATCH.search(key)
    return Span(found[1], int(found[2]), int(found[3])) if found and not found[1].startswith("load-") else None


def inbox_key(key: str) -> str:
    """The marker for an object. A key may hold any character but the one that replaces `/`."""
    return INBOX + key.replace("/", "!")


def from_inbox(marker: str) -> str:
    return marker.removeprefix(INBOX).replace("!", "/")
