"""`/live` of a real dashboard beside a real collector: at once, without loss or repeat, and its end is the server's."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.side_by_side import send, serve
from penstock.hosts.supervisor import Supervisor

from .listener import Listener


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    yield from serve(tmp_path_factory.mktemp("live"))


def test_an_event_is_told_at_once(served: Supervisor) -> None:
    listener = Listener(served.dashboard_url)
    assert listener.answer.headers["content-type"].startswith("text/event-stream")
    assert listener.message()["events"] == []
    send(served, {"page_path": "/told"})
    while not (message := listener.message())["events"]:
        pass
    assert time.time() - message["events"][0]["at"] < 5  # proves no speed: the browser's test does, and the benchmark
    assert message["online"] == 1
    assert message["reading"]
    assert not message["fresh"]
    assert {name: message["events"][0][name] for name in ("page", "session", "type")} == {
        "page": "/told",
        "session": "s",
        "type": "page_view",
    }
    listener.close()


def test_who_comes_back_misses_nothing_and_hears_nothing_twice(served: Supervisor) -> None:
    listener = Listener(served.dashboard_url)
    listener.message()
    send(served, {"page_path": "/1"}, {"page_path": "/2"})
    assert listener.pages(2) == ["/1", "/2"]
    listener.close()
    send(served, {"page_path": "/3"}, {"page_path": "/4"})
    for again in (
        Listener(served.dashboard_url, last=listener.last),
        Listener(served.dashboard_url, after=listener.last),
    ):
        assert again.pages(2) == ["/3", "/4"]
        again.close()
    send(served, {"page_path": "/5"})
    later = Listener(served.dashboard_url, last=again.last, after=listener.last)
    assert later.pages(1) == ["/5"]
    later.close()


@pytest.mark.parametrize(("number", "last"), [*enumerate(["0a1b2c3d-7", "x", "-", "é".encode().decode("latin-1")])])
def test_numbers_of_another_window_begin_afresh(served: Supervisor, number: int, last: str) -> None:
    send(served, {"page_path": f"/kept{number}"})
    told: list[str] = []
    while f"/kept{number}" not in told:
        listener = Listener(served.dashboard_url, last=last)
        first = listener.message()
        assert first["fresh"]
        told = [event["page"] for event in first["events"]]
        listener.close()
    back = Listener(served.dashboard_url, last=listener.last)
    assert not back.message()["fresh"]
    send(served, {"page_path": f"/next{number}"})
    assert back.pages(1) == [f"/next{number}"]
    back.close()


def test_the_words_of_the_protocol(served: Supervisor) -> None:
    listener = Listener(served.dashboard_url)
    block = next(listener.blocks())
    assert block == ["retry: 3000"]
    told: dict[str, Any] = dict(line.partition(": ")[::2] for line in next(listener.blocks()))
    assert told["event"] == "now"
    assert told["id"].partition("-")[2].isdigit()
    assert len(json.loads(told["data"])["per_minute"]) == 30
    listener.close()


def test_a_hundred_may_listen(served: Supervisor) -> None:
    listeners = [Listener(served.dashboard_url) for _ in range(100)]
    with pytest.raises(urllib.error.HTTPError) as refused:
        Listener(served.dashboard_url)
    assert refused.value.code == 503
    refused.value.close()
    for listener in listeners:
        listener.close()
    until = time.monotonic() + 20
    while True:  # those who went away make room, when they are told something
        send(served, {"page_path": "/x"})
        try:
            Listener(served.dashboard_url).close()
            return
        except urllib.error.HTTPError as full:
            full.close()
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.mark.heavy
def test_silence_is_broken_every_15_seconds(served: Supervisor) -> None:
    listener = Listener(served.dashboard_url)
    blocks = listener.blocks()
    while ": still here" not in next(blocks):
        pass
    listener.close()


@pytest.mark.heavy
def test_the_server_stops_at_once_and_knows_half_an_hour_when_it_is_back(tmp_path: Path) -> None:
    running = serve(tmp_path)
    served = next(running)
    listener = Listener(served.dashboard_url)
    listener.message()
    send(served, {"page_path": "/before"})
    assert listener.pages(1) == ["/before"]
    began = time.monotonic()
    next(running, None)
    assert time.monotonic() - began < 9, "an open stream held up the end"  # then it would have been killed
    assert list(listener.blocks())[-1:] in ([], [[]])
    again = Supervisor(served.settings, tmp_path / "log", ("dashboard",))
    again.start()
    try:
        back = Listener(again.dashboard_url, last=listener.last)
        while not (message := back.message())["events"]:
            pass
        assert [event["page"] for event in message["events"]] == ["/before"]
        assert message["online"] == 1
        back.close()
    finally:
        again.stop()
