"""A real Kafka broker on this machine: Apache Kafka in KRaft mode, from Maven Central, started and ended by the tests.

Its jars are fetched once, by Maven, into a folder of the user's cache. Without Java and Maven the tests are skipped.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from maven_in_hand import fetched
from penstock.hosts.supervisor import free_port

VERSION = "4.1.0"
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>penstock</groupId><artifactId>broker</artifactId><version>1</version>
<dependencies><dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{version}</version>
</dependency></dependencies></project>
"""
_START_SECONDS = 60


def jars() -> Path:
    """The folder that holds them. Skips, loudly, where they cannot be had."""
    if shutil.which("java") is None:
        pytest.skip("no Java here, so Kafka was not tested: apt-get install default-jre-headless")
    goals = [["dependency:copy-dependencies", "-DoutputDirectory=lib"]]
    return fetched(f"kafka-{VERSION}", goals, "Kafka", _POM.format(version=VERSION)) / "lib"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    made = Broker(tmp_path_factory.mktemp("kafka"))
    made.start()
    yield made
    made.kill()


class Broker:
    """One node that is broker and controller; `kill` and `start` it again as often as a test likes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jars = f"{jars()}/*"
        self.port, controller = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        told = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": folder / "log",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "auto.create.topics.enable": "false",
            # Tests write with clocks of their own: what is old by them would be gone when this node first looks for it.
            "log.initial.task.delay.ms": 86_400_000,
        }
        (folder / "server.properties").write_text("".join(f"{name}={value}\n" for name, value in told.items()))
        self._java("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", "server.properties")
        self._process: subprocess.Popen[bytes] | None = None

    def _command(self, *asked: str) -> list[str]:
        return ["java", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-cp", self._jars, *asked]

    def _java(self, *asked: str) -> None:
        done = subprocess.run(self._command(*asked), cwd=self._folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        with (self._folder / "broker.txt").open("ab") as out:
            asked = self._command("kafka.Kafka", "server.properties")
            self._process = subprocess.Popen(asked, cwd=self._folder, stdout=out, stderr=out)
        until = time.monotonic() + _START_SECONDS
        while not _answers(self.port):
            assert self._process.poll() is None, (self._folder / "broker.txt").read_text()[-2000:]
            assert time.monotonic() < until, "the broker does not start"
            time.sleep(0.1)

    def new_topic(self) -> str:
        """The URL of a topic with a name of its own."""
        return f"kafka://{self.address}/events-{uuid.uuid4().hex[:12]}?partitions=1"

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)
            self._process = None


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        asked.settimeout(1)
        return asked.connect_ex(("127.0.0.1", port)) == 0
