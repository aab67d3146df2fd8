"""The way over Kafka: two collectors and two that deliver share a topic and a lake; one of these and the broker are
killed on the way. What was acknowledged is in silver, once."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import kafka_in_hand
from penstock.api import OpenLake
from penstock.hosts.supervisor import Supervisor, free_port
from penstock.pipeline import Pipeline
from penstock.settings import Settings, load
from penstock.verify import verify

pytestmark = pytest.mark.heavy
kafka = kafka_in_hand.kafka
EVENTS = int(os.environ.get("PENSTOCK_TEST_KAFKA_EVENTS", "20000"))
BATCH = 100
_PATIENCE_SECONDS = 240


def settings(folder: Path, name: str, stream: str) -> Settings:
    """Each has a data folder of its own; the lake is one."""
    told = load(data=folder / name, lake=f"file://{folder}/lake", stream={"url": stream}, deliver={"seconds": 0.5})
    return told.model_copy(update={"collect": told.collect.model_copy(update={"port": free_port(), "processes": 1})})


class Deliverer:
    """`penstock deliver`, in a process that can be killed."""

    def __init__(self, told: Settings, folder: Path) -> None:
        file = folder / f"{told.data.name}.toml"
        file.write_text(
            f'lake = "{told.lake}"\n[stream]\nurl = "{told.stream_url}"\n[deliver]\nseconds = {told.deliver.seconds}\n'
        )
        self._command = [
            sys.executable, "-c", "from penstock.cli import app; app()",
            "deliver", "--data", str(told.data), "--config", str(file),
        ]  # fmt: skip
        self._log = (folder / f"{told.data.name}.txt").open("ab")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log)

    def end(self, by: signal.Signals) -> None:
        assert self._process.poll() is None, "it has ended by itself"
        self._process.send_signal(by)
        self._process.wait(60)

    def close(self) -> None:
        self._process.kill()
        self._process.wait(60)
        self._log.close()


class Sender(threading.Thread):
    """Sends events until all are acknowledged, again and again if need be, as trackers do."""

    def __init__(self, ports: Sequence[int], events: Sequence[dict[str, object]]) -> None:
        super().__init__(daemon=True)
        self._ports = ports
        self._waiting = [list(events[n : n + BATCH]) for n in range(0, len(events), BATCH)]
        self.batches = len(self._waiting)
        self.acknowledged: list[str] = []
        self.refused = 0
        self.most = 0
        """It waits when so many are acknowledged."""

    def run(self) -> None:
        turn = 0
        while self._waiting:
            if len(self.acknowledged) >= self.most:
                time.sleep(0.05)
                continue
            turn += 1
            batch = self._waiting[0]
            if self._is_taken(self._ports[turn % len(self._ports)], json.dumps(batch).encode()):
                self.acknowledged += [str(event["event_id"]) for event in batch]
                self._waiting.pop(0)
            else:
                self.refused += 1
                time.sleep(0.2)

    def _is_taken(self, port: int, body: bytes) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", "/v1/events", body)
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


def until(is_so: object, what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture
def stream(kafka: kafka_in_hand.Broker) -> str:
    return kafka.new_topic().replace("partitions=1", "partitions=4&message.timeout.ms=4000")


@pytest.fixture
def running(tmp_path: Path, stream: str) -> Iterator[list[Supervisor]]:
    made = []
    for name, children in (("a", ("server", "worker")), ("b", ("server",))):
        made.append(Supervisor(settings(tmp_path, name, stream), tmp_path / f"{name}.log", children))
        made[-1].start()
    yield made
    for each in made:
        each.stop()


@pytest.fixture
def other(running: list[Supervisor], tmp_path: Path) -> Iterator[Deliverer]:
    """Of the second one's data folder, whose collector has no worker."""
    made = Deliverer(running[1].settings, tmp_path)
    yield made
    made.close()


def test_what_is_acknowledged_is_in_silver_once(
    running: list[Supervisor], other: Deliverer, kafka: kafka_in_hand.Broker, tmp_path: Path
) -> None:
    first, second = running
    events: list[dict[str, object]] = [
        {"event_type": "page_view", "event_id": str(uuid.uuid4()), "session_id": f"s{n % 300}"} for n in range(EVENTS)
    ]
    sender = Sender([first.settings.collect.port, second.settings.collect.port], events)
    sender.start()

    def has_delivered() -> bool:
        sender.most += BATCH
        return "objects" in (tmp_path / "b.txt").read_text()

    until(has_delivered, "the second delivers nothing")
    other.end(signal.SIGKILL)
    other.start()
    sender.most = max(sender.most, int(EVENTS * 0.6))
    until(lambda: len(sender.acknowledged) >= EVENTS * 0.6, "nothing more was taken")
    sender.most = EVENTS
    kafka.kill()
    refused = sender.refused
    until(lambda: sender.refused > refused, "a collector says 200 without a broker")
    kafka.start()
    sender.join(_PATIENCE_SECONDS)
    assert not sender.is_alive(), "not all was taken after the broker came again"
    other.end(signal.SIGTERM)
    for each in running:
        each.stop()

    way = Pipeline(first.settings)
    way.drain()
    with OpenLake(way) as lake:
        (stored,) = lake.sql("select count(*), count(distinct event_id) from events").fetchall()
        assert set(stored) == {EVENTS}
        found = {row[0] for row in lake.sql("select event_id from events").fetchall()}
        assert found == set(sender.acknowledged)
        assert lake.sql("select count(*) from quarantine").fetchall() == [(0,)]
        assert verify(way).problems == []
