"""Everything on one machine: collector, worker and dashboard as child processes, started, watched, stopped in order."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from ..errors import SettingsError
from ..objects import make_folder
from ..setting_sections import CollectSettings, DashboardSettings
from ..settings import Settings
from ..worker_lock import only_worker
from .process import hand_down

_START_SECONDS = 30
_STOP_SECONDS = 60
PIPELINE = ("server", "worker")
ALL = ("dashboard", *PIPELINE)
"""In the order in which they are stopped."""
_WATCH_SECONDS = 0.1
_STEADY_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 30.0
_STDERR = 2
_OPTION = {"server": "another --port", "dashboard": "another --dashboard-port"}


class Supervisor:
    """`start`, then `watch` until told to stop, then `stop`: the collector before the worker, which drains it."""

    def __init__(self, settings: Settings, log: Path | None = None, children: Sequence[str] = PIPELINE) -> None:
        self.settings = settings
        self.children = children
        self.url = settings.collect.url
        self.dashboard_url = settings.dashboard.url
        self._log_path = log
        self._log: IO[bytes] | None = None
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}

    def start(self) -> None:
        """Returns when they answer. Raises SettingsError if one cannot start."""
        if "worker" in self.children:
            with only_worker(self.settings.data):
                pass
        for name, place in self._places.items():
            _require_free(place, hint=f"set {_OPTION[name]}, or stop who uses it")
        if self._log_path is not None:
            make_folder(self._log_path.parent.absolute())
            self._log = self._log_path.open("ab")
        for name in self.children:
            self._spawn(name)
        self._wait_until_healthy()

    @property
    def _places(self) -> dict[str, CollectSettings | DashboardSettings]:
        """Where children listen, if they do."""
        told: dict[str, CollectSettings | DashboardSettings] = {
            "server": self.settings.collect,
            "dashboard": self.settings.dashboard,
        }
        return {name: told[name] for name in self.children if name in told}

    def pid(self, name: str) -> int:
        """Process id of a child."""
        return self._children[name].pid

    def watch(self, stop: threading.Event, tell: Callable[[str], None] = lambda text: None) -> None:
        """Until `stop` is set, restart a child that ended: at once, then, if it keeps ending, after growing pauses."""
        due: dict[str, float] = {}
        pauses = dict.fromkeys(self.children, 0.0)
        while not stop.wait(_WATCH_SECONDS):
            now = time.monotonic()
            for name, child in list(self._children.items()):
                if child.poll() is None:
                    if now - self._started[name] > _STEADY_SECONDS:
                        pauses[name] = 0.0
                elif name not in due:
                    tell(f"{name} ended with code {child.returncode}; it starts again in {pauses[name]:g} s")
                    due[name] = now + pauses[name]
                    pauses[name] = min(max(2 * pauses[name], 0.5), _LONGEST_PAUSE_SECONDS)
                elif now >= due[name]:
                    del due[name]
                    self._spawn(name)

    def stop(self) -> None:
        for name in self.children:
            child = self._children.pop(name, None)
            if child is None:
                continue
            child.terminate()
            try:
                child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._log is not None:
            self._log.close()

    def _spawn(self, name: str) -> None:
        environment = hand_down(self.settings)
        if name == "server":
            # The metrics library looks for this when it is imported, so it must be there from the start.
            folder = self.settings.data.absolute() / "metrics"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            environment["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        self._started[name] = time.monotonic()
        # A session of its own, so that Ctrl-C reaches only the supervisor, which stops the children in order.
        self._children[name] = subprocess.Popen(
            [sys.executable, "-P", "-m", f"penstock.hosts.{name}"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log or _STDERR,  # what a child prints is log; our stdout is for the user
            stderr=self._log,
            start_new_session=True,
        )

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        waiting = {name: f"{place.url}/health" for name, place in self._places.items()}
        while waiting and time.monotonic() < deadline:
            if any(child.poll() is not None for child in self._children.values()):
                break
            name, url = next(iter(waiting.items()))
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
                del waiting[name]
                continue
            time.sleep(0.05)
        if waiting:
            self.stop()
            who = {"server": "collector"}.get(next(iter(waiting)), next(iter(waiting)))
            raise SettingsError(f"the {who} did not start", hint=f"see {self._log_path or 'the messages above'}")


def _require_free(place: CollectSettings | DashboardSettings, *, hint: str) -> None:
    """Raises SettingsError if somebody listens there."""
    host, port = place.host, place.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror}", hint=hint) from error


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
