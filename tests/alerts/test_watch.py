"""Hours on a hand clock: alerts begin, are repeated, are retried and are over; and which layer they name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from hand_clock import NOON, HandClock
from penstock.alerts import history
from penstock.alerts import signals as signals_module
from penstock.alerts.watch import Watch
from penstock.api import OpenLake
from penstock.pipeline import Pipeline
from penstock.settings import load

from .conftest import Hook, Post
from .sending import BOT, append, send

Start = Callable[..., Watch]
HOUR = timedelta(hours=1)
SALES = {
    "name": "no sales", "report": "events", "column": "events", "when": "below", "value": 2, "last": "1h",
    "ask": {"event": "purchase"},
}  # fmt: skip


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


@pytest.fixture
def start(tmp_path: Path, clock: HandClock) -> Iterator[Start]:
    """Again and again on the same data, as a worker that is started anew."""
    with ExitStack() as opened:

        def begin(*alerts: dict[str, Any], private: bool = True, **more: Any) -> Watch:
            settings = load(data=tmp_path / "data", alerts=alerts, webhooks={"allow_private": private}, **more)
            return Watch(opened.enter_context(OpenLake(Pipeline(settings, clock=clock))))

        yield begin


def rounds(watch: Watch, clock: HandClock, minutes: int) -> None:
    """A round each minute."""
    for _ in range(minutes):
        clock.tick(60)
        watch.round()


def told(hook: Hook) -> list[tuple[str, str]]:
    """State and time of day of what came."""
    return [(body["state"], body["at"][11:16]) for body in hook.bodies]


def test_it_fires_is_repeated_and_is_over(start: Start, clock: HandClock, hook: Hook) -> None:
    watch = start({**SALES, "every": "5m", "repeat": "2h", "to": [f"webhook:{hook.url}"]})
    send(watch.lake.pipeline, NOON, 2, "purchase")
    rounds(watch, clock, 60)
    assert told(hook) == []
    rounds(watch, clock, 60 * 4)
    assert told(hook) == [("firing", "13:01"), ("firing", "15:01")]
    send(watch.lake.pipeline, clock(), 5, "purchase")
    rounds(watch, clock, 30)
    assert told(hook)[2:] == [("over", "17:01")]


def test_what_is_told(start: Start, clock: HandClock, hook: Hook) -> None:
    start({**SALES, "to": [f"webhook:{hook.url}"]}).round()
    [body] = hook.bodies
    assert body == {
        "text": "no sales (traffic)\nevents is 0, below 2\njudged: 2026-02-01T11:00:00.000Z to 2026-02-01T12:00:00.000Z"
        "\nfiring since 2026-02-01T12:00:00.000Z",
        "alert": "no sales", "state": "firing", "layer": "traffic", "says": ["events is 0, below 2"],
        "firing_since": "2026-02-01T12:00:00Z", "since": "2026-02-01T11:00:00Z", "until": "2026-02-01T12:00:00Z",
        "at": "2026-02-01T12:00:00Z",
    }  # fmt: skip


def test_a_new_worker_knows_what_was_told(start: Start, clock: HandClock, hook: Hook) -> None:
    alert = {**SALES, "to": [f"webhook:{hook.url}"]}
    start(alert).round()
    rounds(start(alert), clock, 60)
    assert told(hook) == [("firing", "12:00")]
    watch = start(alert)
    send(watch.lake.pipeline, clock(), 5, "purchase")
    rounds(watch, clock, 6)
    assert [state for state, _ in told(hook)] == ["firing", "over"]


def test_who_was_not_reached_is_told_later_and_only_he(
    start: Start, clock: HandClock, hook: Hook, post: Post, nobody: int
) -> None:
    mail = {"host": "127.0.0.1", "port": post.port, "starttls": False}
    hook.status = 500
    to = [f"webhook:{hook.url}", "mailto:me@shop.example", f"webhook:http://127.0.0.1:{nobody}/"]
    watch = start({**SALES, "to": to}, mail=mail)
    watch.round()
    rounds(watch, clock, 5)
    assert (len(hook.bodies), len(post.mails)) == (2, 1)
    hook.status = 200
    rounds(watch, clock, 20)
    assert (len(hook.bodies), len(post.mails)) == (3, 1)
    assert {body["at"] for body in hook.bodies} == {"2026-02-01T12:00:00Z"}


def test_a_day_later_nobody_wants_to_know(start: Start, clock: HandClock, hook: Hook) -> None:
    hook.status = 500
    watch = start({**SALES, "every": "6h", "repeat": "8w", "to": [f"webhook:{hook.url}"]})
    for _ in range(9):
        watch.round()
        clock.tick(6 * 3600)
    assert len(hook.bodies) == 5


def test_what_fired_and_was_over_is_kept(start: Start, clock: HandClock, tmp_path: Path) -> None:
    """Also if it is told again, and by a worker that is started anew."""
    data = tmp_path / "data"
    watch = start({**SALES, "every": "5m", "repeat": "30m", "to": ["log"]})
    rounds(watch, clock, 200)
    assert [(each.state, each.alert) for each in history.load(data)] == [("firing", "no sales")]
    send(watch.lake.pipeline, clock(), 5, "purchase")
    rounds(start({**SALES, "every": "5m", "repeat": "30m", "to": ["log"]}), clock, 30)
    kept = history.load(data)
    assert [each.state for each in kept] == ["over", "firing"]
    assert kept[0].firing_since == kept[1].firing_since == kept[1].at < kept[0].at
    for _ in range(history.KEPT + 5):
        history.add(data, kept[0])
    assert len(history.load(data)) == history.KEPT
    assert (data / "alerts").stat().st_mode & 0o777 == 0o700
    (data / "alerts" / "history.json").write_text("{")
    assert history.load(data) == []


def test_private_addresses_are_not_called_unless_allowed(start: Start, hook: Hook) -> None:
    alert = {**SALES, "to": [f"webhook:{hook.url}"]}
    start(alert, private=False).round()
    assert hook.bodies == []


def test_one_that_cannot_be_evaluated_stops_no_other(start: Start, clock: HandClock, hook: Hook) -> None:
    to = [f"webhook:{hook.url}"]
    watch = start({**SALES, "name": "wrong", "report": "evnts", "to": to}, {**SALES, "to": to})
    for _ in range(3):
        watch.round()
    assert [body["alert"] for body in hook.bodies] == ["no sales"]
    assert {name: state.word for name, state in watch.check().items()} == {"wrong": "error", "no sales": "firing"}


def test_a_folder_that_cannot_be_written_raises_nothing(start: Start, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "alerts").write_text("in the way")
    assert start(SALES).round() == []


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"no sales": {"evaluated": 5}}', "\x00" * 100])
def test_state_that_is_damaged_begins_anew(start: Start, tmp_path: Path, hook: Hook, damaged: str) -> None:
    (tmp_path / "data" / "alerts").mkdir(parents=True)
    (tmp_path / "data" / "alerts" / "state.json").write_text(damaged)
    start({**SALES, "to": [f"webhook:{hook.url}"]}).round()
    assert len(hook.bodies) == 1
    assert json.loads((tmp_path / "data" / "alerts" / "state.json").read_text())["no sales"]["firing_since"]


def test_state_is_for_its_owners_eyes(start: Start, tmp_path: Path) -> None:
    start(SALES).round()
    assert (tmp_path / "data" / "alerts").stat().st_mode & 0o777 == 0o700


def test_check_tells_nobody_and_keeps_nothing(start: Start, tmp_path: Path, hook: Hook) -> None:
    assert start({**SALES, "to": [f"webhook:{hook.url}"]}).check()["no sales"].word == "firing"
    assert hook.bodies == []
    assert not (tmp_path / "data" / "alerts").exists()


# anomalies


def test_an_anomaly_begins_and_is_over(start: Start, clock: HandClock, hook: Hook) -> None:
    watch = start({"name": "odd", "anomaly": True, "every": "10m", "to": [f"webhook:{hook.url}"]})
    way = watch.lake.pipeline
    for weeks, hours in product(range(6), range(25)):
        if (weeks, hours) != (0, 0):
            append(way, NOON - timedelta(weeks=weeks, hours=hours), 90 if (weeks, hours) == (0, 1) else 9)
    way.drain()
    clock.tick(60)
    watch.round()
    append(way, NOON, 9)
    way.drain()
    rounds(watch, clock, 80)
    assert told(hook) == [("firing", "12:01"), ("over", "13:01")]
    assert any(line.startswith("events: 90 instead of ") for line in hook.bodies[0]["says"])


def test_only_too_few(start: Start, clock: HandClock) -> None:
    watch = start({"name": "odd", "anomaly": True, "when": "below"}, {"name": "any", "anomaly": True})
    for week in range(5):
        append(watch.lake.pipeline, NOON - HOUR - timedelta(weeks=week), 90 if week == 0 else 9)
    watch.lake.pipeline.drain()
    clock.tick(60)
    assert {name: state.word for name, state in watch.check().items()} == {"odd": "quiet", "any": "firing"}


# which layer broke


def usual(way: Pipeline) -> None:
    """Two days before, a hundred page views."""
    append(way, NOON - timedelta(days=2), 100)
    way.drain()


def broken_by_waiting_in_the_stream(way: Pipeline, clock: HandClock) -> None:
    append(way, NOON, 1)
    clock.tick(3600)


def broken_by_waiting_in_bronze(way: Pipeline, clock: HandClock) -> None:
    append(way, NOON, 1)
    way.deliver()
    clock.tick(3600)


def broken_by_what_is_refused(way: Pipeline, clock: HandClock) -> None:
    append(way, NOON, 30, event_type="")
    append(way, NOON, 30)
    clock.tick(1200)
    way.drain()


def broken_by_bots(way: Pipeline, clock: HandClock) -> None:
    append(way, NOON, 30, user_agent=BOT)
    append(way, NOON, 30)
    clock.tick(1200)
    way.drain()


def broken_by_nothing(way: Pipeline, clock: HandClock) -> None:
    append(way, NOON, 60)
    clock.tick(1200)
    way.drain()


@pytest.mark.parametrize(
    ("broken", "layer"),
    [
        (broken_by_waiting_in_the_stream, "pipeline"),
        (broken_by_waiting_in_bronze, "pipeline"),
        (broken_by_what_is_refused, "tracking"),
        (broken_by_bots, "bots"),
        (broken_by_nothing, "traffic"),
    ],
)
def test_which_layer_broke(
    start: Start, clock: HandClock, hook: Hook, broken: Callable[[Pipeline, HandClock], None], layer: str
) -> None:
    watch = start({**SALES, "to": [f"webhook:{hook.url}"]})
    usual(watch.lake.pipeline)
    broken(watch.lake.pipeline, clock)
    watch.round()
    assert [body["layer"] for body in hook.bodies] == [layer]


def test_books_that_cannot_be_read(start: Start, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals_module, "_REFUSED", "selct")
    start({**SALES, "to": [f"webhook:{hook.url}"]}).round()
    assert [body["layer"] for body in hook.bodies] == ["pipeline"]
