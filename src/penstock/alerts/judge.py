"""An alert's settings and a lake → whether it holds now, of which time, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa

from ..api import OpenLake
from ..clock import duration
from ..errors import PenstockError
from ..reports.catalog import report as find
from ..reports.fill import BUCKET, is_number
from ..reports.period import Grain, buckets, period
from ..setting_sections import AlertSettings

_SETTLES = timedelta(minutes=1)
"""So long after its end a bucket is complete: what came at its very end is in silver then."""
_LOOK_BACK = {Grain.hour: 1, Grain.day: 3, Grain.week: 15, Grain.month: 63}
"""Days that certainly hold a complete one."""
_ROWS_TOLD = 5
_CHARS_TOLD = 200


class Found(NamedTuple):
    """`says` has a line for each row that made it fire, the first few; of an alert that does not, what is so."""

    holds: bool
    since: datetime
    until: datetime
    says: tuple[str, ...]


def judge(alert: AlertSettings, lake: OpenLake) -> Found:
    """Raises PenstockError for a report that cannot be asked like this, SqlError for one that fails."""
    return _anomaly(alert, lake) if alert.anomaly else _threshold(alert, lake)


def _threshold(alert: AlertSettings, lake: OpenLake) -> Found:
    report = find(alert.report or "")
    asked = dict(alert.ask)
    by_time = BUCKET in report.columns
    now = lake.pipeline.clock()
    if by_time and alert.last is None:
        grain = asked.pop("grain", None) or report.grains[0]
        if grain not in report.grains:
            one_of = ", ".join(report.grains)
            raise PenstockError(f"report {report.name} has no grain {grain!r}", hint=f"choose one of {one_of}")
        since, until = last_complete(Grain(grain), str(asked.get("zone", "UTC")), now)
    else:
        since, until = now - duration(alert.last or "24h"), now
    answer = lake.report(report.name, since=since, until=until, whole=by_time, **asked)
    table = answer.table.drop_columns([BUCKET]) if by_time else answer.table
    rows = _rows(table, alert.column or "")
    threshold = Decimal(str(alert.value))
    holding = [row for row in rows if _is(alert.when or "", row[1], threshold)]
    condition = f", {alert.when} {alert.value:g}" if holding else ""
    told = (holding or rows)[:_ROWS_TOLD]
    return Found(
        bool(holding), since, until, tuple(_line(alert.column or "", names, v, condition) for names, v in told)
    )


def _rows(table: pa.Table, column: str) -> list[tuple[list[str], Any]]:
    """Names and value of each row. Where nothing happened a count is 0, though there is no row that says so."""
    if column not in table.column_names:
        raise PenstockError(f"the report has no column {column!r}", hint=f"it has {', '.join(table.column_names)}")
    kind = table.schema.field(column).type
    if not is_number(kind):
        raise PenstockError(f"the column {column!r} has no numbers", hint="choose one that can be compared")
    texts = [f.name for f in table.schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    if not table.num_rows and not texts and not pa.types.is_floating(kind):
        return [([], 0)]
    return [([f"{name} {row[name]}" for name in texts], row[column]) for row in table.to_pylist()]


def _is(when: str, value: Any, threshold: Decimal) -> bool:
    """Nothing is neither above nor below."""
    if value is None or value != value:
        return False
    return bool(value > threshold if when == "above" else value < threshold)


def _line(column: str, names: Sequence[str], value: Any, condition: str) -> str:
    shown = f"{value:.6g}" if isinstance(value, float) else "nothing" if value is None else f"{value:,}"
    where = f" of {', '.join(names)}" if names else ""
    return clean(f"{column}{where} is {shown}{condition}")


def _anomaly(alert: AlertSettings, lake: OpenLake) -> Found:
    since, until = last_complete(Grain.hour, str(alert.ask.get("zone", "UTC")), lake.pipeline.clock())
    answer = lake.report("anomalies", since=since, until=until, **alert.ask)
    rows = [row for row in answer.rows() if alert.when is None or (row["deviations"] > 0) == (alert.when == "above")]
    return Found(bool(rows), since, until, tuple(clean(row["says"]) for row in rows[:_ROWS_TOLD]))


def last_complete(grain: Grain, zone: str, now: datetime) -> tuple[datetime, datetime]:
    """The moments that it begins and ends with; a zone decides where a day or hour is over."""
    past = period(now - timedelta(days=_LOOK_BACK[grain]), now, zone=zone, now=now)
    last = [bucket for bucket in buckets(past, grain) if bucket.until + _SETTLES <= now][-1]
    return last.since.astimezone(UTC), last.until.astimezone(UTC)


def clean(text: str) -> str:
    """One line of bounded length, whatever senders wrote into their events."""
    shown = "".join(char if char.isprintable() else "·" for char in text)
    return shown if len(shown) <= _CHARS_TOLD else shown[:_CHARS_TOLD] + "…"
