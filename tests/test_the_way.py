"""The way, end to end, over real HTTP: ten thousand mixed events, both processes killed in the middle, none lost,
none counted twice."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import random
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import penstock
from penstock.api import OpenLake
from penstock.hosts.collector import RunningCollector
from penstock.verify import verify

EVENTS = 10_000
SENDERS = 4
Event = Any


def mixed(seed: int, count: int) -> Iterator[tuple[str, Event]]:
    """(kind, event): valid, late, unknown fields, Segment's, malformed; a copy of an earlier one now and then."""
    chance = random.Random(seed)
    now = datetime.now(UTC)
    earlier: list[Event] = []
    for number in range(count):
        event: dict[str, Any] = {
            "event_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            "event_type": chance.choice(["page_view", "purchase", "search"]),
            "session_id": f"s{chance.randrange(500)}",
            "event_ts": (now - timedelta(seconds=chance.randrange(60))).isoformat(),
        }
        kind = chance.choices(["valid", "late", "unknown", "segment", "bad", "copy"], [60, 10, 10, 5, 5, 10])[0]
        if kind == "late":
            event["event_ts"] = (now - timedelta(hours=chance.randrange(1, 200))).isoformat()
        elif kind == "unknown":
            event |= {f"field_{number % 50}": {"deep": [number]}}
        elif kind == "segment":
            event = {"type": "track", "event": "Signed Up", "messageId": event["event_id"], "anonymousId": "a"}
        elif kind == "bad":
            event |= chance.choice([{"event_type": None}, {"event_ts": "yesterday"}, {"quantity": 2**64}])
        elif kind == "copy" and earlier:
            event = chance.choice(earlier)
        if kind in ("valid", "late", "unknown"):
            earlier.append(event)
        yield kind, event


@dataclass(eq=False)
class Sender(threading.Thread):
    """A client that, like an SDK, sends a batch again with the same ids until it is answered with 200."""

    url: str
    batches: list[list[Event]]
    acked: list[Event] = field(default_factory=list)
    sent_again: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        for number, batch in enumerate(self.batches):
            while not self._post(batch, packed=number % 3 == 0):
                self.sent_again += 1
                time.sleep(0.02)
            self.acked += batch

    def _post(self, batch: list[Event], packed: bool) -> bool:
        target = urlsplit(self.url)
        body = json.dumps(batch).encode()
        headers = {"content-encoding": "gzip"} if packed else {}
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=10)
        try:
            connection.request("POST", target.path, gzip.compress(body) if packed else body, headers)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def kill(collector: RunningCollector, name: str) -> bool:
    """SIGKILL to a process and all it started; False if it is dead already and not yet started again."""
    try:
        os.killpg(collector.pid(name), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.heavy
def test_kills_in_the_middle_lose_and_double_nothing(tmp_path: Path) -> None:
    kinds: Counter[str] = Counter()
    events: list[Event] = []
    for kind, event in mixed(7, EVENTS):
        kinds[kind] += 1
        events.append(event)
    batches = [events[start : start + 10] for start in range(0, EVENTS, 10)]
    with penstock.collector(tmp_path / "data", deliver={"seconds": 0.3}) as collector:
        senders = [Sender(collector.events_url, batches[i::SENDERS]) for i in range(SENDERS)]
        for sender in senders:
            sender.start()
        kills = 0
        while any(sender.is_alive() for sender in senders):
            sent = sum(len(sender.acked) for sender in senders)
            if sent > EVENTS * (kills + 1) / 7 and kills < 6:
                kills += kill(collector, ("server", "worker")[kills % 2])
            time.sleep(0.005)
        with collector.stop() as lake:
            check(lake, [event for sender in senders for event in sender.acked], kinds)
    assert kills == 6, "the test proves nothing unless processes were killed while events came"
    assert sum(sender.sent_again for sender in senders) > 0


def check(lake: OpenLake, acked: list[Event], kinds: Counter[str]) -> None:
    assert len(acked) == EVENTS
    bad = {event["event_id"] for event in acked if "event_id" in event and _is_bad(event)}
    good = {event.get("event_id") or event["messageId"] for event in acked} - bad
    stored = [row[0] for row in lake.sql("select event_id from events").fetchall()]
    assert len(stored) == len(set(stored)), "an event is in silver twice"
    assert set(stored) == good
    quarantined = lake.sql("select reason, count(*) as n from quarantine group by all").fetchall()
    assert {reason for reason, _ in quarantined} == {"bad_event_name", "bad_timestamp", "int_out_of_range"}
    raws = [row[0].decode() for row in lake.sql("select raw from quarantine").fetchall()]
    assert {json.loads(raw)["event"]["event_id"] for raw in raws} == bad
    found = verify(lake.pipeline)
    assert found.problems == []
    total = found.ledger.total
    assert total("in_flight") == 0
    assert total("received") == total("stored") + total("duplicate") + total("quarantined")
    assert total("received") >= EVENTS
    assert total("duplicate") >= EVENTS - len(good) - kinds["bad"]
    counted = lake.sql("select sum(events + bot_events)::bigint from event_counts").fetchall()
    assert counted == [(len(good),)]


def _is_bad(event: Event) -> bool:
    return event.get("event_type", "") is None or event.get("event_ts") == "yesterday" or event.get("quantity") == 2**64
