"""`up`, `demo` and `dashboard`: everything at once, and the pages alone."""

from __future__ import annotations

import shlex
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from ..dashboard.access.start import check
from ..dashboard.command import here
from ..hosts.demo import Traffic
from ..hosts.process import stop_event
from ..hosts.supervisor import ALL, PIPELINE, Supervisor
from ..pipeline import check_writable
from ..settings import Settings
from .options import Config, Data, Lake, settings_of
from .output import note, say

DemoData = Annotated[Path | None, typer.Option("--data", help="Folder for everything.", show_default="./demo-data")]
Port = Annotated[int | None, typer.Option("--port", help="Port of the collector.", show_default="8787")]
Host = Annotated[str | None, typer.Option("--host", help="Address of the collector.", show_default="127.0.0.1")]
DashboardPort = Annotated[
    int | None, typer.Option("--dashboard-port", help="Port of the dashboard.", show_default="8788")
]
DashboardHost = Annotated[
    str | None, typer.Option("--host", help="Address of the dashboard.", show_default="127.0.0.1")
]
WithDashboard = Annotated[bool, typer.Option("--dashboard/--no-dashboard", help="Start the dashboard too.")]


def add_to(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(demo)
    app.command()(dashboard)


def up(
    data: Data = None,
    config: Config = None,
    host: Host = None,
    port: Port = None,
    dashboard_port: DashboardPort = None,
    dashboard: WithDashboard = True,
) -> None:
    """Start collector, worker and dashboard; Ctrl-C stops them, with everything acknowledged in the lake."""
    settings = _settings(data, config, {"host": host, "port": port}, {"port": dashboard_port})
    check_writable(settings)
    supervisor = Supervisor(settings, children=ALL if dashboard else PIPELINE)
    _run(supervisor, config, lambda: _greet(settings, supervisor))


def dashboard(
    lake: Lake = None,
    data: Data = None,
    config: Config = None,
    host: DashboardHost = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of the dashboard.", show_default="8788")] = None,
) -> None:
    """Start the dashboard alone, beside a running `up --no-dashboard`, or over a lake filled in other ways."""
    settings = _settings(data, config, {}, {"host": host, "port": port}, lake)
    supervisor = Supervisor(settings, children=("dashboard",))
    _run(supervisor, config, lambda: say(f"Dashboard is at {supervisor.dashboard_url}"))


def demo(
    data: DemoData = None,
    config: Config = None,
    host: Host = None,
    port: Port = None,
    dashboard_port: DashboardPort = None,
) -> None:
    """`up`, with a simulated shop and web site sending real traffic."""
    where = data or Path("demo-data")
    settings = _settings(where, config, {"host": host, "port": port}, {"port": dashboard_port})
    log = settings.data / "log" / "demo.log"
    supervisor = Supervisor(settings, log, ALL)
    _warn(settings, config)
    stop = stop_event()
    supervisor.start()
    traffic = Traffic(supervisor.url, seed=time.time_ns())
    sender = threading.Thread(target=traffic.run, args=(stop,))
    sender.start()
    try:
        _greet(settings, supervisor)
        say(f"\nA simulated shop and web site send about 20 events a second; the log is {log}.")
        supervisor.watch(stop, note)
    finally:
        sender.join()
        note(f"stopping after {traffic.sent} events: the worker drains the stream …")
        supervisor.stop()
        say(f"Now see that every one is accounted for:  {_called()} verify{_where(settings)}")


def _run(supervisor: Supervisor, config: Path | None, greet: Any) -> None:
    if "dashboard" in supervisor.children:
        _warn(supervisor.settings, config)
    stop = stop_event()
    supervisor.start()
    try:
        greet()
        supervisor.watch(stop, note)
    finally:
        if "worker" in supervisor.children:
            note("stopping: the worker drains the stream …")
        supervisor.stop()


def _warn(settings: Settings, config: Path | None) -> None:
    """Raises SettingsError if anybody could read the dashboard."""
    for warning in check(settings, config):
        note(warning)


def _settings(
    data: Path | None,
    config: Path | None,
    collect: dict[str, Any],
    dashboard: dict[str, Any],
    lake: str | None = None,
) -> Settings:
    given = {"collect": collect, "dashboard": dashboard}
    sections = {
        name: {key: value for key, value in section.items() if value is not None} or None
        for name, section in given.items()
    }
    return settings_of(data, config, lake, **sections)


def _greet(settings: Settings, supervisor: Supervisor) -> None:
    me, where, url = _called(), _where(settings), supervisor.url
    if "dashboard" in supervisor.children:
        say(f"Dashboard is at {supervisor.dashboard_url}")
    say(f"Events go to    {url}/v1/events")
    say(f"Health is at    {url}/health")
    say("\nTry next, in another terminal:")
    say(f'  curl {url}/v1/events -d \'{{"event_type":"hello","properties":{{"from":"me"}}}}\'')
    say(f"  {me} counts page_view --last 1h{where}")
    say(f'  {me} sql "select event_type, count(*) as events from events group by all order by 2 desc"{where}')
    say(f"  {me} status{where}")
    say(f"  {me} verify{where}")


def _called() -> str:
    """How to call this program again: by its name if the shell finds it, else by its path."""
    return "penstock" if shutil.which("penstock") else shlex.quote(sys.argv[0])


def _where(settings: Settings) -> str:
    return "".join(f" {shlex.quote(word)}" for word in here(settings))
