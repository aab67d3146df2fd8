"""A lake for a job that ends at each of its steps, once or twice, and what has to hold then."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path
from shutil import copytree
from typing import Any

from failpoints import opened, run
from penstock.bronze.load import load
from penstock.collect import Request
from penstock.pipeline import Pipeline
from penstock.silver import rebuild
from penstock.verify import verify
from support import NOW, LakeInHand


def event(n: int) -> dict[str, Any]:
    return {"event_id": f"e{n}", "event_type": "thing", "event_ts": (NOW + timedelta(minutes=7 * n)).isoformat()}


def post(way: Pipeline, *numbers: int) -> None:
    body = json.dumps([event(n) for n in numbers]).encode()
    way.stream.append(way.collector.receive(Request("POST", "/v1/events", "", {}, body)).records)


def prepare(folder: Path, job: str) -> None:
    """What the job then has to do, with copies and lines that are no events among it."""
    hand = LakeInHand(folder)
    for hour in range(3):
        hand.put([*(event(n) for n in range(hour * 4, hour * 4 + 5)), b"{bad"], NOW + timedelta(hours=hour))
        if job != "refine":
            hand.refine()
    with closing(opened(folder)) as way:
        post(way, 11, 12, 13)
        if job != "deliver":
            way.deliver()
        if job == "refine":
            other = folder / "other.jsonl"
            other.write_text("".join(json.dumps(event(n)) + "\n" for n in (13, 14)))
            load(way.lake.bronze, other, NOW)
        if job in ("compact", "rebuild"):
            way.drain()


def rows(folder: Path) -> list[str]:
    return sorted(row["event_id"] for row in LakeInHand(folder).sql("select event_id from events"))


def may_end_at_every_step(place: Path, job: str, times: int) -> None:
    template = place / "template"
    prepare(template, job)
    before = rows(template)
    wanted = [f"e{n}" for n in range(15 if job == "refine" else 14)]
    for step in count(1):
        folder = place / str(step)
        copytree(template, folder)
        ended = [run(job, folder, step) for _ in range(times)]
        assert rows(folder) in (before, sorted(wanted)), f"a reader after step {step}"
        with closing(opened(folder)) as way:
            way.drain()
            if job == "rebuild" and times == 2:
                way.rebuild()
                rebuild.forget(way.lake)
            found = verify(way)
        assert found.problems == [], f"after step {step}"
        assert found.ledger.total("quarantined") == 3
        assert rows(folder) == sorted(wanted), f"after step {step}"
        if not ended[0]:
            break
    assert step > 6, "so many steps were crossed"
