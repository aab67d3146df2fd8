"""Once a day: the page views of the last days → how many each page had, and from how many, one item per page and day.

A day is counted whole and its items replaced, so doing it again gives the same; what came late is in the next time.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ...clock import utc_now
from ...errors import Transient
from . import items
from .clients import client

_DAYS = 3
"""So many days back, each time: what a phone sends late comes in too."""


@dataclass
class _Page:
    views: set[str] = field(default_factory=set)
    visitors: set[str] = field(default_factory=set)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """`{"day": "2026-02-01"}` is that day; else those before the `time` at which the schedule fired, or now."""
    done = {}
    for day in days(event):
        pages = _pages(day.isoformat())
        found = [_item(path, day, page) for path, page in pages.items()]
        if refused := items.put(os.environ["PENSTOCK_AGGREGATES_TABLE"], found, context):
            raise Transient(f"{day}: {len(refused)} pages could not be written")
        done[day.isoformat()] = len(found)
    return {"pages": done}


def days(event: Mapping[str, Any]) -> list[date]:
    if "day" in event:
        return [date.fromisoformat(event["day"])]
    fired = datetime.fromisoformat(event["time"]) if "time" in event else utc_now()
    today = fired.astimezone(UTC).date()
    return [today - timedelta(days=back) for back in range(_DAYS, 0, -1)]


def _pages(day: str) -> dict[str, _Page]:
    """By event id: a view that was sent twice, by a clock that was set meanwhile, is one."""
    pages: dict[str, _Page] = defaultdict(_Page)
    for view in _views(day):
        page = pages[view["pk"]["S"]]
        page.views.add(f"{view['source']['S']} {view['event_id']['S']}")
        if "visitor" in view:
            page.visitors.add(view["visitor"]["S"])
    return pages


def _views(day: str) -> Iterator[dict[str, Any]]:
    asked = {
        "TableName": os.environ["PENSTOCK_PAGE_VIEWS_TABLE"],
        "IndexName": "by_day",
        "KeyConditionExpression": "#day = :day",
        "ProjectionExpression": "pk, event_id, #source, visitor",
        "ExpressionAttributeNames": {"#day": "day", "#source": "source"},
        "ExpressionAttributeValues": {":day": {"S": day}},
    }
    for page in client("dynamodb").get_paginator("query").paginate(**asked):
        yield from page["Items"]


def _item(path: str, day: date, page: _Page) -> items.Item:
    return {"pk": path, "sk": day.isoformat(), "views": len(page.views), "visitors": len(page.visitors)}
