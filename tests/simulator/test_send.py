"""To a collector: everything accepted arrives once, an answer of 503 is waited for, and dirt goes where it belongs."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest

import penstock
from penstock.errors import PenstockError
from penstock.simulator.dirt import Dirt
from penstock.simulator.plan import Kind, Plan
from penstock.simulator.send import Sender

PLAN = Plan(events=0, every_ms=0, start_ms=0, kind=Kind.both, seed=3)
DIRTY = Dirt(malformed=0.05, wrong_types=0.05, duplicates=0.1, late=0.1, skew=0.1)


def test_what_is_accepted_is_in_the_lake() -> None:
    sources = [{"name": "shop", "write_key": "key-of-the-shop"}]
    with penstock.collector(sources=sources, collect={"processes": 1}) as collector:
        plan = Plan(events=0, every_ms=0, start_ms=0, kind=Kind.both, seed=3, dirt=DIRTY)
        sender = Sender(collector.url, plan, rate=400, key="key-of-the-shop")
        sender.run(threading.Event(), seconds=1)
        with collector.stop() as lake:
            [(received,)] = lake.sql("select sum(events)::bigint from ledger").fetchall()
            [(stored, quarantined, source, crawlers, clocks_corrected)] = lake.sql(
                "select count(*), (select count(*) from quarantine), any_value(source), count(*) filter (is_bot),"
                " bool_and(event_ts <= received_at) filter (page_path is not null) from events"
            ).fetchall()
    counts = sender.counts
    assert received == counts["accepted"] + counts["quarantined"]
    assert counts["refused"] > 20 and quarantined > 5 and stored > 1000
    assert (source, crawlers > 0, clocks_corrected) == ("shop", True, True)


class _Busy(http.server.BaseHTTPRequestHandler):
    """Refuses every second request for now."""

    protocol_version = "HTTP/1.1"
    asked = 0
    taken: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        _Busy.asked += 1
        busy = _Busy.asked % 2 == 1
        if not busy:
            _Busy.taken.append(body)
        self.send_response(503 if busy else 200)
        if busy:
            self.send_header("retry-after", "0")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def busy() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Busy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_busy_collector_is_asked_again() -> None:
    with busy() as url:
        sender = Sender(url, PLAN, rate=20, connections=1)
        sender.run(threading.Event(), seconds=0.001)
    assert sender.counts["accepted"] == 80
    assert len(set(_Busy.taken)) == len(_Busy.taken) == sender.counts["repeated"] == _Busy.asked / 2


def test_told_to_stop_it_stops_although_nobody_answers() -> None:
    stop = threading.Event()
    sender = Sender("http://127.0.0.1:9", PLAN, rate=1000)
    sending = threading.Thread(target=sender.run, args=(stop,))
    sending.start()
    stop.set()
    sending.join(timeout=30)
    assert not sending.is_alive()
    assert sender.counts["accepted"] == 0


@pytest.mark.parametrize(("url", "key"), [("127.0.0.1:8787", None), ("http://127.0.0.1", "line\nbreak")])
def test_addresses_and_keys_that_cannot_be(url: str, key: str | None) -> None:
    with pytest.raises(PenstockError):
        Sender(url, PLAN, rate=1, key=key)
