"""Does it hold? Every report by time, thresholds both ways, and which bucket is the last complete one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hand_clock import NOON, HandClock
from penstock.alerts.judge import Found, clean, judge, last_complete
from penstock.api import OpenLake
from penstock.errors import PenstockError
from penstock.pipeline import Pipeline
from penstock.reports.catalog import reports
from penstock.reports.period import Grain
from penstock.setting_sections import AlertSettings
from penstock.settings import load

from .sending import send

ELEVEN = NOON - timedelta(hours=1)
BY_TIME = [name for name, report in reports().items() if "bucket" in report.columns]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenLake]:
    """In the hour before noon 3 purchases at 10 each, on two pages; half an hour ago 1 of them."""
    clock = HandClock(NOON + timedelta(minutes=1))
    with OpenLake(Pipeline(load(data=tmp_path_factory.mktemp("data")), clock=clock)) as opened:
        for minute, page in ((5, "/a"), (10, "/a"), (40, "/b\x1b[31m")):
            send(opened.pipeline, ELEVEN + timedelta(minutes=minute), 1, "purchase", price=10, page_path=page)
        opened.pipeline.rollup()
        yield opened


def found(lake: OpenLake, **settings: Any) -> Found:
    asked = {"name": "a", "report": "events", "column": "events", "when": "above", "value": 0, **settings}
    return judge(AlertSettings.model_validate(asked), lake)


HOURLY = {"grain": "hour", "event": "purchase"}
CASES: list[tuple[dict[str, Any], bool, tuple[str, ...]]] = [
    ({"ask": HOURLY, "value": 2}, True, ("events is 3, above 2",)),
    ({"ask": HOURLY, "value": 3}, False, ("events is 3",)),
    ({"ask": HOURLY, "value": 3, "when": "below"}, False, ("events is 3",)),
    ({"ask": HOURLY, "value": 3.5, "when": "below"}, True, ("events is 3, below 3.5",)),
    ({"ask": {"grain": "hour", "event": "none"}, "value": 1, "when": "below"}, True, ("events is 0, below 1",)),
    ({"ask": {"grain": "hour", "where": ["page_path=/a"]}, "value": 1}, True, ("events is 2, above 1",)),
    ({"ask": {"grain": "hour", "by": "page_path"}, "value": 1}, True, ("events of page_path /a is 2, above 1",)),
    ({"ask": {"grain": "hour", "by": "page_path"}, "value": 2, "when": "below"}, True,
     ("events of page_path /b·[31m is 1, below 2",)),
    ({"ask": {"grain": "hour", "by": "page_path", "event": "none"}, "when": "below", "value": 1}, False, ()),
    ({"ask": {"grain": "day"}, "value": 0}, False, ("events is 0",)),
    ({"ask": {"event": "purchase"}, "last": "30m", "value": 1, "when": "below"}, False, ("events is 1",)),
    ({"ask": {"event": "purchase"}, "last": "1h", "value": 2}, True, ("events is 3, above 2",)),
    ({"ask": {"event": "purchase"}, "last": "10m", "value": 1, "when": "below"}, True, ("events is 0, below 1",)),
    ({"report": "overview", "column": "revenue", "last": "1h", "value": 29}, True, ("revenue is 30.00, above 29",)),
    ({"report": "overview", "column": "purchases", "value": 2}, True, ("purchases is 3, above 2",)),
    ({"report": "overview", "column": "bounce_rate", "value": 0, "when": "below"}, False, ("bounce_rate is nothing",)),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "holds", "says"), CASES)
def test_thresholds(lake: OpenLake, settings: dict[str, Any], holds: bool, says: tuple[str, ...]) -> None:
    seen = found(lake, **settings)
    assert (seen.holds, seen.says) == (holds, says)


def test_an_hour_is_the_same_from_gold_and_from_silver(lake: OpenLake) -> None:
    asked = {"since": ELEVEN, "until": NOON, "whole": True, "event": "purchase"}
    summed, counted = lake.report("events", **asked), lake.report("events", bots=True, **asked)
    assert (summed.served_from, counted.served_from) == ("gold", "silver")
    assert summed.rows() == counted.rows() == [{"bucket": None, "events": 3}]


def test_which_time_was_judged(lake: OpenLake) -> None:
    now = lake.pipeline.clock()
    assert found(lake, ask=HOURLY)[1:3] == (ELEVEN, NOON)
    assert found(lake, last="10m")[1:3] == (now - timedelta(minutes=10), now)
    assert found(lake, report="overview", column="views")[1:3] == (now - timedelta(days=1), now)


@pytest.mark.parametrize("name", BY_TIME)
@pytest.mark.parametrize("asked", [{}, {"grain": -1}, {"last": "2h"}])
def test_every_report_by_time_can_be_watched(lake: OpenLake, name: str, asked: dict[str, Any]) -> None:
    report = reports()[name]
    column = list(report.columns)[-1]
    ask = {"grain": report.grains[asked["grain"]]} if "grain" in asked else {}
    given = {p.name: "purchase" for p in report.parameters.values() if p.required}
    seen = found(lake, report=name, column=column, ask={**ask, **given}, last=asked.get("last"))
    assert seen.until <= lake.pipeline.clock()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"report": "evnts"}, "there is no report 'evnts'"),
        ({"column": "event"}, "no column 'event'"),
        ({"report": "pages_daily", "column": "page_path"}, "no numbers"),
        ({"ask": {"colour": "red"}}, "no parameter 'colour'"),
        ({"ask": {"grain": "minute"}}, "no grain 'minute'"),
        ({"ask": {"zone": "Mars"}}, "no time zone"),
        ({"ask": {"where": ["nonsense"]}}, "no filter"),
        ({"ask": {"by": "nonsense"}}, "no column"),
    ],
)
def test_what_cannot_be_asked(lake: OpenLake, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(PenstockError, match=words):
        found(lake, **settings)


@pytest.mark.parametrize(
    ("grain", "zone", "now", "since", "until"),
    [
        (Grain.hour, "UTC", "2026-02-01T12:00:59", "2026-02-01T10:00", "2026-02-01T11:00"),
        (Grain.hour, "UTC", "2026-02-01T12:01:00", "2026-02-01T11:00", "2026-02-01T12:00"),
        (Grain.hour, "Asia/Kolkata", "2026-02-01T12:40:00", "2026-02-01T11:30", "2026-02-01T12:30"),
        (Grain.day, "UTC", "2026-02-01T00:01:00", "2026-01-31T00:00", "2026-02-01T00:00"),
        (Grain.day, "Europe/Berlin", "2026-03-29T23:00:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        (Grain.week, "UTC", "2026-02-01T12:00:00", "2026-01-19T00:00", "2026-01-26T00:00"),
        (Grain.month, "UTC", "2026-03-31T12:00:00", "2026-02-01T00:00", "2026-03-01T00:00"),
    ],
)
def test_the_last_complete_bucket(grain: Grain, zone: str, now: str, since: str, until: str) -> None:
    at, *bounds = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, since, until))
    assert last_complete(grain, zone, at) == tuple(bounds)


def test_what_senders_wrote_is_one_short_line() -> None:
    assert clean("a\r\nb\x1b\u202e") == "a··b··"
    assert len(clean("x" * 10_000)) == 201


def test_data_folder_is_only_read(lake: OpenLake) -> None:
    found(lake)
    assert not Path(lake.pipeline.settings.data, "alerts").exists()
