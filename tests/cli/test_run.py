"""`up` and `demo` as a user sees them."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.hosts.supervisor import free_port
from penstock.worker_lock import only_worker

from .conftest import Cli

PENSTOCK = str(Path(sysconfig.get_path("scripts")) / "penstock")


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A `penstock` of its own, its dashboard on a free port, and what it said when it was ready."""
    command = [PENSTOCK, *arguments, "--dashboard-port", str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if " verify" in line:
                break
        try:
            yield process, lines
        finally:
            if process.poll() is None:
                process.kill()


def stop(process: subprocess.Popen[str]) -> str:
    """As Ctrl-C does; returns what it said last."""
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return rest


def test_up_takes_files_that_others_write(cli: Cli) -> None:
    drop = cli.folder / "drop" / "segment-logs" / "web" / "1769904000000"
    drop.mkdir(parents=True)
    (cli.folder / "penstock.toml").write_text(
        f'[[drops]]\nurl = "{(cli.folder / "drop").as_uri()}"\nsettle_seconds = 0\n'
    )
    with running("up", "--port", str(free_port())) as (process, _):
        (drop / "a.gz").write_text('{"type":"page","messageId":"1"}\n')
        while not (found := cli.json("sql", "select source, event_type from events")):
            assert process.poll() is None
            time.sleep(0.1)
        stop(process)
    assert found == [{"source": "web", "event_type": "page_view"}]


def test_up_takes_events_and_leaves_them_all_in_the_lake(cli: Cli) -> None:
    port = free_port()
    with running("up", "--port", str(port)) as (process, lines):
        dashboard = lines[0].removeprefix("Dashboard is at ")
        assert lines[1] == f"Events go to    http://127.0.0.1:{port}/v1/events"
        cli.out("send", '{"event_type":"order","session_id":"s"}', "--url", f"127.0.0.1:{port}")
        with urllib.request.urlopen(f"{dashboard}/status", timeout=30) as page:
            assert "The way of the events" in page.read().decode()
        stop(process)
    assert cli.json("sql", "select event_type from events") == [{"event_type": "order"}]
    assert cli.json("sql", "select events from event_counts") == [{"events": 1}]
    assert cli.out("verify").splitlines()[-1].startswith("balanced: 1 received = 1 stored")


def sent(port: int) -> int:
    """Events that the collector acknowledged so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
        for line in page.read().decode().splitlines():
            if line.startswith("penstock_events_total{"):
                return int(float(line.rsplit(" ", 1)[1]))
    return 0


def test_demo_sends_traffic_and_what_it_prints_works(cli: Cli) -> None:
    port = free_port()
    with running("demo", "--data", "demo data", "--port", str(port)) as (process, lines):
        deadline = time.monotonic() + 60
        while sent(port) < 10 and time.monotonic() < deadline:
            time.sleep(0.05)
        for hint in [line.strip() for line in lines if line.startswith("  ")]:
            shell = f"PATH={shlex.quote(str(Path(PENSTOCK).parent))}:$PATH; {hint}"
            done = subprocess.run(shell, shell=True, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (hint, done.stderr)
        rest = stop(process)
    assert "penstock verify --data 'demo data'" in rest
    received = sum(row["received"] for row in cli.json("verify", "--data", "demo data"))
    assert received > 10


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_port_in_use_is_named(cli: Cli, command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = cli(command, "--port", str(port), "--dashboard-port", str(free_port()))
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr
    assert "--port" in result.stderr


def test_the_dashboard_alone(cli: Cli) -> None:
    port = free_port()
    with subprocess.Popen([PENSTOCK, "dashboard", "--port", str(port)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Dashboard is at http://127.0.0.1:{port}\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/setup", timeout=30) as page:
            assert "analytics.js" in page.read().decode()
        stop(process)


@pytest.mark.parametrize("command", ["up", "dashboard", "demo"])
def test_nobody_elsewhere_sees_a_dashboard_without_password(cli: Cli, command: str) -> None:
    (cli.folder / "penstock.toml").write_text('[dashboard]\nhost = "0.0.0.0"\n')
    result = cli(command)
    assert result.exit_code == 2
    assert "needs a password" in result.stderr


def test_a_folder_in_use_is_named(cli: Cli) -> None:
    with only_worker(cli.data):
        result = cli("up", "--port", str(free_port()))
    assert result.exit_code == 2
    assert f"works in {cli.data}" in result.stderr
