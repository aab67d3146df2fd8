"""`up` and `demo`: everything at once."""

from __future__ import annotations

import shlex
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from ..hosts.demo import Traffic
from ..hosts.process import stop_event
from ..hosts.supervisor import Supervisor
from ..settings import Settings, load
from .options import Config, Data
from .output import note, say

DemoData = Annotated[Path | None, typer.Option("--data", help="Folder for everything.", show_default="./demo-data")]
Port = Annotated[int | None, typer.Option("--port", help="Port of the collector.", show_default="8787")]
Host = Annotated[str | None, typer.Option("--host", help="Address of the collector.", show_default="127.0.0.1")]


def add_to(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(demo)


def up(data: Data = None, config: Config = None, host: Host = None, port: Port = None) -> None:
    """Start collector and worker; Ctrl-C stops both, with everything acknowledged in the lake."""
    settings = _settings(data, config, host, port)
    supervisor = Supervisor(settings)
    stop = stop_event()
    supervisor.start()
    try:
        _greet(settings, supervisor.url)
        supervisor.watch(stop, note)
    finally:
        note("stopping: the worker drains the stream …")
        supervisor.stop()


def demo(data: DemoData = None, config: Config = None, host: Host = None, port: Port = None) -> None:
    """`up`, with a simulated shop and web site sending real traffic."""
    settings = _settings(data or Path("demo-data"), config, host, port)
    log = settings.data / "log" / "demo.log"
    supervisor = Supervisor(settings, log)
    stop = stop_event()
    supervisor.start()
    traffic = Traffic(supervisor.url, seed=time.time_ns())
    sender = threading.Thread(target=traffic.run, args=(stop,))
    sender.start()
    try:
        _greet(settings, supervisor.url)
        say(f"\nA simulated shop and web site send about 20 events a second; the log is {log}.")
        supervisor.watch(stop, note)
    finally:
        sender.join()
        note(f"stopping after {traffic.sent} events: the worker drains the stream …")
        supervisor.stop()
        say(f"Now see that every one is accounted for:  {_called()} verify{_where(settings)}")


def _settings(data: Path | None, config: Path | None, host: str | None, port: int | None) -> Settings:
    collect = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    return load(config, data=data, collect=collect or None)


def _greet(settings: Settings, url: str) -> None:
    me, where = _called(), _where(settings)
    say(f"Events go to   {url}/v1/events")
    say(f"Health is at   {url}/health")
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
    return "" if settings.data == Path("penstock-data") else f" --data {shlex.quote(str(settings.data))}"
