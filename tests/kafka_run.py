"""So many events → what became of them: two collectors, two that deliver and a broker, killed on the way.

Some events are broken and end in quarantine, some requests are sent twice. Every request says in its events which one
it is, so what bronze holds can be told apart by whether its sender was told 200.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import kafka_in_hand
from penstock.api import OpenLake
from penstock.bronze.layout import NOT_DATA
from penstock.hosts.supervisor import Supervisor, free_port
from penstock.pipeline import Pipeline
from penstock.settings import Settings, load
from penstock.verify import verify

BATCH = 100
SENDERS = 4
SOUND_OF_A_BATCH = 98
_TWICE = 20
"""One batch in so many is sent again after it was taken, as by a sender who missed the answer."""
_PATIENCE_SECONDS = 240
_REQUEST = re.compile(rb"request-(\d+)")
_OUTAGE_WORDS = "partitions=4&message.timeout.ms=4000"


class Outcome(NamedTuple):
    """By senders: `acknowledged` events, copies included, `refused` requests. By bronze: `received`, and of these
    `unsaid`, which are there though their sender was told 503. By silver: the rest."""

    acknowledged: int
    refused: int
    received: int
    unsaid: int
    stored: int
    duplicate: int
    quarantined: int
    lost: int
    """Sound events that are not in silver."""
    problems: Sequence[str]
    seconds: Mapping[str, float]
    """`taken`: from the first request until all was acknowledged, outages included; `drained`: and then until what
    waited was in gold."""

    def told(self) -> str:
        ends = f"{self.stored:,} stored + {self.duplicate:,} duplicate + {self.quarantined:,} quarantined"
        return (
            f"{self.acknowledged:,} acknowledged + {self.unsaid:,} taken though refused = {ends}, {self.lost:,} lost; "
            f"{self.refused:,} requests refused; taken in {self.seconds['taken']:.1f} s, "
            f"drained in {self.seconds['drained']:.1f} s more"
        )


def event_id(number: int) -> str:
    """Differs in all its digits, as ids do, so that it takes as much room as one."""
    mixed = number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128)
    text = f"{mixed:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_broken(number: int) -> bool:
    return number % BATCH >= SOUND_OF_A_BATCH


def body(batch: int, request: int) -> bytes:
    """One without a type, one that is no object, and sound ones."""
    name = f"request-{request}"
    return json.dumps([_event(number, name) for number in range(batch * BATCH, (batch + 1) * BATCH)]).encode()


def _event(number: int, name: str) -> object:
    if number % BATCH == SOUND_OF_A_BATCH:
        return name
    sound = {"event_id": event_id(number), "session_id": f"s{number % 3000}", "properties": {"sent": name}}
    return sound if is_broken(number) else {"event_type": "page_view", "page_path": f"/{number % 500}", **sound}


class Senders:
    """Threads that send until all is acknowledged, again and again if need be, as trackers do."""

    def __init__(self, ports: Sequence[int], batches: int) -> None:
        self._ports = ports
        self._waiting = [*range(batches), *range(0, batches, _TWICE)][::-1]
        self._lock = threading.Lock()
        self._requests = 0
        self.all = BATCH * len(self._waiting)
        self.most = 0
        """They wait when so many events are acknowledged."""
        self.taken: set[int] = set()
        """Numbers of the requests that were answered with 200."""
        self.refused = 0
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(SENDERS)]

    @property
    def acknowledged(self) -> int:
        return BATCH * len(self.taken)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        until(lambda: not any(thread.is_alive() for thread in self._threads), "not all was taken")

    def _run(self, number: int) -> None:
        lines = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for port in self._ports]
        turn = number
        while (batch := self._next()) is not None:
            if batch < 0:
                time.sleep(0.02)
                continue
            while not self._send(lines[turn % len(lines)], batch):
                turn += 1
                time.sleep(0.2)
            turn += 1
        for line in lines:
            line.close()

    def _next(self) -> int | None:
        """A batch, -1 to wait, None at the end."""
        with self._lock:
            if not self._waiting:
                return None
            return self._waiting.pop() if self.acknowledged < self.most else -1

    def _send(self, line: http.client.HTTPConnection, batch: int) -> bool:
        with self._lock:
            self._requests += 1
            request = self._requests
        try:
            line.request("POST", "/v1/events", body(batch, request))
            answer = line.getresponse()
            answer.read()
            is_taken = answer.status == 200
        except (OSError, http.client.HTTPException):
            line.close()
            is_taken = False
        with self._lock:
            if is_taken:
                self.taken.add(request)
            else:
                self.refused += 1
        return is_taken


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
        self._file = folder / f"{told.data.name}.txt"
        self._log = self._file.open("ab")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log)

    def has_delivered(self) -> bool:
        return "objects" in self._file.read_text()

    def end(self, by: signal.Signals) -> None:
        assert self._process.poll() is None, "it has ended by itself"
        self._process.send_signal(by)
        self._process.wait(60)

    def close(self) -> None:
        self._process.kill()
        self._process.wait(60)
        self._log.close()


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def settings(folder: Path, name: str, stream: str) -> Settings:
    """Each has a data folder of its own; the lake is one."""
    told = load(data=folder / name, lake=f"file://{folder}/lake", stream={"url": stream}, deliver={"seconds": 0.5})
    return told.model_copy(update={"collect": told.collect.model_copy(update={"port": free_port(), "processes": 1})})


@contextmanager
def standing(folder: Path, stream: str) -> Iterator[tuple[Supervisor, Supervisor, Deliverer]]:
    """A collector with a worker, which also refines; a collector without; and one that delivers beside it. Whatever of
    the first is killed is started again, as `penstock up` does."""
    first, second = (
        Supervisor(settings(folder, name, stream), folder / f"{name}.log", children)
        for name, children in (("a", ("server", "worker")), ("b", ("server",)))
    )
    stop = threading.Event()
    watcher = threading.Thread(target=first.watch, args=(stop,), daemon=True)
    first.start()
    try:
        second.start()
        watcher.start()
        deliverer = Deliverer(second.settings, folder)
        try:
            yield first, second, deliverer
        finally:
            deliverer.close()
            second.stop()
    finally:
        stop.set()
        watcher.join()
        first.stop()


def run(kafka: kafka_in_hand.Broker, folder: Path, events: int) -> Outcome:
    """`events` is a multiple of BATCH. Each that is killed is started again."""
    stream = kafka.new_topic().replace("partitions=1", _OUTAGE_WORDS)
    with standing(folder, stream) as (first, second, deliverer):
        senders = Senders([first.settings.collect.port, second.settings.collect.port], events // BATCH)
        started = time.perf_counter()
        senders.start()
        _kill_them(senders, first, deliverer, kafka)
        senders.join()
        taken = time.perf_counter()
        deliverer.end(signal.SIGTERM)
    way = Pipeline(first.settings)
    way.drain()
    drained = time.perf_counter()
    try:
        return _counted(way, senders, events, {"taken": taken - started, "drained": drained - taken})
    finally:
        way.close()


def _kill_them(senders: Senders, first: Supervisor, deliverer: Deliverer, kafka: kafka_in_hand.Broker) -> None:
    """One that delivers, one that also refines, and the broker, which stays away until a sender was refused."""

    def more() -> bool:
        senders.most += BATCH
        return deliverer.has_delivered()

    def come(share: float) -> None:
        senders.most = max(senders.most, int(senders.all * share))
        until(lambda: senders.acknowledged >= senders.all * share, "nothing more was taken")

    until(more, "the second delivers nothing")
    deliverer.end(signal.SIGKILL)
    deliverer.start()
    come(0.3)
    os.kill(first.pid("worker"), signal.SIGKILL)
    come(0.6)
    senders.most = senders.all
    refused = senders.refused
    kafka.kill()
    until(lambda: senders.refused > refused, "a collector says 200 without a broker")
    kafka.start()


def _counted(way: Pipeline, senders: Senders, events: int, seconds: Mapping[str, float]) -> Outcome:
    requests = _in_bronze(way)
    ends = way.stream.ends()
    assert sum(ends.values()) == sum(requests.values()), f"the broker holds {ends}, bronze {sum(requests.values())}"
    assert all(requests[number] == BATCH for number in senders.taken), "acknowledged, and not in bronze, or twice"
    checked = verify(way)
    rows = checked.ledger.sorted()
    with OpenLake(way) as lake:
        ids = [row[0] for row in lake.sql("select event_id from events").fetchall()]
        [(quarantined,)] = lake.sql("select count(*) from quarantine").fetchall()
    stored, sound = set(ids), {event_id(number) for number in range(events) if not is_broken(number)}
    return Outcome(
        acknowledged=senders.acknowledged,
        refused=senders.refused,
        received=sum(requests.values()),
        unsaid=sum(events for number, events in requests.items() if number not in senders.taken),
        stored=len(ids),
        duplicate=sum(row.duplicate for row in rows),
        quarantined=quarantined,
        lost=len(sound - stored),
        problems=checked.problems,
        seconds=seconds,
    )


def _in_bronze(way: Pipeline) -> Counter[int]:
    """Request → how many of its events lie in bronze."""
    bronze, found = way.lake.bronze, Counter[int]()
    for key in (entry.key for entry in bronze.list() if not entry.key.startswith(NOT_DATA)):
        found.update(map(int, _REQUEST.findall(gzip.decompress(bronze.get(key)))))
    return found
