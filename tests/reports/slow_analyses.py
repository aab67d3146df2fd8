"""The analyses in plain Python, event by event: what the SQL has to equal. Rows are silver's, without crawlers."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]

STARTS = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}


def local_day(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def inside(rows: Iterable[Row], since: datetime, until: datetime) -> list[Row]:
    return [row for row in rows if since <= row["event_ts"] < until]


def by_session(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["session_id"] is not None:
            found[row["session_id"]].append(row)
    return found


def person(row: Row) -> str | None:
    who = row["user_id"] if row["user_id"] is not None else row["anonymous_id"]
    return None if who is None else str(who)


def visitor_cells(rows: Sequence[Row], since: datetime, until: datetime, grain: str, zone: str) -> Counter[Any]:
    """(cohort, period) → visitors, from what the sessions say."""
    start_of, cells = STARTS[grain], Counter[Any]()
    for events in by_session(rows).values():
        began = min(row["event_ts"] for row in events)
        first = min((row["first_day"] for row in events if row["first_day"]), default=None)
        previous = min((row["prev_day"] for row in events if row["prev_day"]), default=None)
        period = start_of(local_day(began, zone))
        if since <= began < until and first and (previous is None or previous < period):
            cells[start_of(first), period] += 1
    return _of_cohorts(cells, start_of(local_day(since, zone)))


def first_of(rows: Sequence[Row], column: str) -> dict[str, Any]:
    """User → what their first event says."""
    found: dict[str, Row] = {}
    for row in rows:
        if (who := person(row)) is not None and (who not in found or _place(row) < _place(found[who])):
            found[who] = row
    return {who: row[column] for who, row in found.items()}


def _place(row: Row) -> tuple[datetime, int]:
    return row["event_ts"], row["seq"] or 0


def user_cells(rows: Sequence[Row], since: datetime, until: datetime, grain: str, zone: str) -> Counter[Any]:
    """(cohort, period) → users; a cohort is when a user was first seen at all."""
    start_of = STARTS[grain]
    born: dict[str, datetime] = {}
    for row in rows:
        if (who := person(row)) is not None:
            born[who] = min(born.get(who, row["event_ts"]), row["event_ts"])
    came = {(person(row), start_of(local_day(row["event_ts"], zone))) for row in inside(rows, since, until)}
    cells = Counter((start_of(local_day(born[who], zone)), period) for who, period in came if who is not None)
    return _of_cohorts(cells, start_of(local_day(since, zone)))


def _of_cohorts(cells: Counter[Any], first: date) -> Counter[Any]:
    return Counter({(cohort, period): n for (cohort, period), n in cells.items() if first <= cohort <= period})


def experiment_arms(rows: Sequence[Row], goal: str) -> dict[tuple[str, str | None], tuple[int, int]]:
    """(experiment, variant; None for those who saw several) → exposures, conversions."""
    seen: dict[tuple[str, str], dict[str, datetime]] = defaultdict(dict)
    last: dict[str, datetime] = {}
    for row in rows:
        key = row["session_id"]
        if key is None:
            continue
        for experiment, variant in _shown(row):
            variants = seen[key, experiment]
            variants[variant] = min(variants.get(variant, row["event_ts"]), row["event_ts"])
        if row["event_type"] == goal:
            last[key] = max(last.get(key, row["event_ts"]), row["event_ts"])
    arms: dict[tuple[str, str | None], list[int]] = defaultdict(lambda: [0, 0])
    for (key, experiment), variants in seen.items():
        arm = arms[experiment, next(iter(variants)) if len(variants) == 1 else None]
        arm[0] += 1
        arm[1] += key in last and last[key] >= min(variants.values())
    return {name: (exposures, conversions) for name, (exposures, conversions) in arms.items()}


def _shown(row: Row) -> Iterator[tuple[str, str]]:
    if row["variants"]:
        yield from json.loads(row["variants"]).items()
    if row["event_type"] == "experiment_view":
        properties = json.loads(row["properties"])
        yield properties["experiment"], properties["variant"]


def form_lines(rows: Sequence[Row]) -> dict[tuple[str, str], tuple[int, int, float | None]]:
    """(form, page) → started, submitted, median seconds."""
    times: dict[tuple[str, str], list[float | None]] = defaultdict(list)
    for events in by_session(rows).values():
        forms: dict[str, list[Row]] = defaultdict(list)
        for row in events:
            if row["event_type"] in ("form_start", "form_submit"):
                forms[json.loads(row["properties"])["form"]].append(row)
        for form, said in forms.items():
            starts = [(row["event_ts"], row["page_path"]) for row in said if row["event_type"] == "form_start"]
            if starts:
                began, page = min(starts)
                sent = [r["event_ts"] for r in said if r["event_type"] == "form_submit" and r["event_ts"] >= began]
                times[form, page].append((min(sent) - began) / timedelta(seconds=1) if sent else None)
    return {
        name: (len(found), len(sent := [t for t in found if t is not None]), median(sent) if sent else None)
        for name, found in times.items()
    }


def journeys(rows: Iterable[Row]) -> list[list[str]]:
    """The pages of each session, in order; one that is loaded again at once is not another."""
    found = []
    for events in by_session(rows).values():
        views = [row for row in events if row["event_type"] == "page_view" and row["page_path"] is not None]
        views.sort(key=lambda row: (row["event_ts"], row["seq"] or 0, row["page_path"]))
        if views:
            found.append([page for page, _ in groupby(row["page_path"] for row in views)])
    return found


def steps_from(pages: Iterable[list[str]], page: str, direction: str, depth: int) -> dict[int, Counter[str | None]]:
    """Number of the step → page there (None: the session was over) → sessions."""
    steps: dict[int, Counter[str | None]] = {n: Counter() for n in range(1, depth + 1)}
    for seen in pages:
        way = seen if direction == "next" else seen[::-1]
        if page in way:
            after = way[way.index(page) + 1 :]
            for n in steps:
                steps[n][after[n - 1] if n <= len(after) else None] += 1
    return steps


def hourly(rows: Iterable[Row]) -> dict[tuple[str, str], Counter[datetime]]:
    """(what, value) → hour → events."""
    found: dict[tuple[str, str], Counter[datetime]] = defaultdict(Counter)
    for row in rows:
        hour = row["event_ts"].astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        found["events", "all"][hour] += 1
        found["event_type", row["event_type"]][hour] += 1
        if row["event_type"] == "page_view":
            if row["page_path"]:
                found["page", row["page_path"]][hour] += 1
            found["source", row["utm_source"] or row["referrer_host"] or "(direct)"][hour] += 1
    return found
