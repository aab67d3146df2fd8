"""The stream's tail in the window: at once, from half an hour ago, again after a failure, and in bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hand_clock import HandClock
from penstock.collect import Request
from penstock.dashboard.live import tail
from penstock.dashboard.live.tail import Live, TooMany
from penstock.pipeline import Pipeline
from penstock.settings import Settings, load
from penstock.stream import Record

PATIENCE_SECONDS = 20


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(data=tmp_path / "data")


def send(way: Pipeline, *pages: str) -> None:
    body = ",".join(f'{{"event_type":"page_view","session_id":"s{page}","page_path":"{page}"}}' for page in pages)
    intake = way.collector.receive(Request("POST", "/v1/events", "", {}, f"[{body}]".encode()))
    way.stream.append(intake.records)


async def until(condition: Callable[[], bool], live: Live) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        with live.listening() as heard:
            while not condition():
                heard.clear()
                if not condition():
                    await heard.wait()


def pages(live: Live) -> list[str]:
    return [entry.page for entry in live.feed()]


def run(live: Live, act: Callable[[], Any]) -> Any:
    """Within the life of `live`."""

    async def whole() -> Any:
        with live.running():
            return await act()

    return asyncio.run(whole())


def test_what_comes_is_seen(settings: Settings, way: Pipeline, clock: HandClock) -> None:
    live = Live(settings, clock)

    async def act() -> None:
        await until(lambda: live.seen.reading, live)
        send(way, "/a", "/b")
        await until(lambda: live.seen.now.events == 2, live)
        way.stream.append([Record(b"no event")])
        send(way, "/c")
        await until(lambda: live.seen.now.events == 3, live)
        assert pages(live) == ["/a", "/b", "/c"]
        assert live.seen.now.malformed == 1
        assert live.seen.now.online == 3

    run(live, act)


def test_it_begins_half_an_hour_ago(settings: Settings, way: Pipeline, clock: HandClock) -> None:
    for minute in range(60):
        send(way, f"/{minute}")
        clock.tick(60)
    live = Live(settings, clock)

    async def act() -> None:
        await until(lambda: live.seen.now.events > 0, live)
        assert pages(live) == [f"/{minute}" for minute in range(30, 60)]
        assert live.seen.now.per_minute == (*(1,) * 29, 0)
        assert live.seen.now.online == 4

    run(live, act)


def test_it_begins_later_if_too_much_came(
    settings: Settings, way: Pipeline, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minute in range(30):
        send(way, f"/{minute}", f"/{minute}b")
        clock.tick(60)
    monkeypatch.setattr(tail, "_FILL_RECORDS", 7)
    live = Live(settings, clock)

    async def act() -> None:
        await until(lambda: live.seen.now.events > 0, live)
        assert pages(live) == ["/27", "/27b", "/28", "/28b", "/29", "/29b"]
        assert live.seen.now.per_minute == (*(None,) * 26, 2, 2, 2, 0)

    run(live, act)


def test_what_waits_for_the_lake_is_told(settings: Settings, way: Pipeline, clock: HandClock) -> None:
    send(way, "/a", "/b")
    live = Live(settings, clock)

    async def act() -> None:
        await until(lambda: live.seen.lag.records == 2, live)
        assert live.seen.lag.oldest == clock().timestamp()
        way.deliver()
        clock.tick(5)
        await until(lambda: live.seen.lag.records == 0, live)

    run(live, act)


def test_a_stream_that_cannot_be_read_is_read_later(
    settings: Settings, way: Pipeline, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "_AGAIN_SECONDS", 0.01)
    place = settings.data / "stream"
    settings.data.mkdir()
    place.write_text("no folder")
    live = Live(settings, clock)

    async def act() -> None:
        await asyncio.to_thread(live._closed.wait, 0.1)
        assert not live.seen.reading
        place.unlink()
        send(way, "/a")
        await until(lambda: pages(live) == ["/a"], live)
        assert live.seen.reading

    run(live, act)


def test_not_more_listen_than_may(settings: Settings, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "LISTENERS", 2)
    live = Live(settings, clock)
    with live.listening(), live.listening(), pytest.raises(TooMany), live.listening():
        pass
    with live.listening():
        pass
