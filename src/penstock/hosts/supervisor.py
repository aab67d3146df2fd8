"""Everything on one machine: a collector and a worker as child processes, started, watched, and stopped in order."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ..errors import SettingsError
from ..objects import make_folder
from ..settings import Settings
from ..worker_lock import only_worker
from .process import hand_down

_START_SECONDS = 30
_STOP_SECONDS = 60
_CHILDREN = ("server", "worker")
_WATCH_SECONDS = 0.1
_STEADY_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 30.0
_STDERR = 2


class Supervisor:
    """`start`, then `watch` until told to stop, then `stop`: first the collector, so that the worker can drain it."""

    def __init__(self, settings: Settings, log: Path | None = None) -> None:
        self.settings = settings
        self.url = f"http://{settings.collect.host}:{settings.collect.port}"
        self._log_path = log
        self._log: IO[bytes] | None = None
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}

    def start(self) -> None:
        """Returns when the collector answers. Raises SettingsError if it cannot start."""
        with only_worker(self.settings.data):
            pass
        _require_free(self.settings.collect.host, self.settings.collect.port)
        if self._log_path is not None:
            make_folder(self._log_path.parent.absolute())
            self._log = self._log_path.open("ab")
        for name in _CHILDREN:
            self._spawn(name)
        self._wait_until_healthy()

    def pid(self, name: str) -> int:
        """Process id of `server` or `worker`."""
        return self._children[name].pid

    def watch(self, stop: threading.Event, tell: Callable[[str], None] = lambda text: None) -> None:
        """Until `stop` is set, restart a child that ended: at once, then, if it keeps ending, after growing pauses."""
        due: dict[str, float] = {}
        pauses = dict.fromkeys(_CHILDREN, 0.0)
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
        for name in _CHILDREN:
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
        while time.monotonic() < deadline:
            ended = [name for name, child in self._children.items() if child.poll() is not None]
            if ended:
                break
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=2):
                return
            time.sleep(0.05)
        self.stop()
        raise SettingsError("the collector did not start", hint=f"see {self._log_path or 'the messages above'}")


def _require_free(host: str, port: int) -> None:
    """Raises SettingsError if somebody listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"cannot listen on {host}:{port}: {error.strerror}", hint="set another --port, or stop who uses it"
            ) from error


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
