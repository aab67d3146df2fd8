"""`send`, `load` and `stream`: events in by hand, and the stream again."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated

import typer

from ..bronze import load as loading
from ..bronze.deliver import CONSUMER
from ..clock import moment
from ..errors import BadFile, PenstockError
from ..settings import load as load_settings
from .options import Config, Data, pipeline
from .output import fail, note, progress, say


def add_to(app: typer.Typer) -> None:
    app.command()(send)
    app.command()(load)
    stream = typer.Typer(no_args_is_help=True, help="The stream of the last 24 hours.")
    stream.command()(replay)
    app.add_typer(stream, name="stream")


def send(
    events: Annotated[str, typer.Argument(metavar="JSON", help="One event or an array; - reads standard input.")],
    url: Annotated[
        str | None, typer.Option("--url", help="The collector.", show_default="http://127.0.0.1:8787")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="Write key of the source.")] = None,
    config: Config = None,
) -> None:
    """Post events to a running collector; prints its answer, ends with 1 unless it was 200."""
    settings = load_settings(config)
    base = (url or f"http://{settings.collect.host}:{settings.collect.port}").rstrip("/")
    body = typer.get_binary_stream("stdin").read() if events == "-" else events.encode()
    request = urllib.request.Request(f"{base}/v1/events", body, {"user-agent": "penstock-send"}, method="POST")
    if key:
        request.add_header("x-write-key", key)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            say(reply.read().decode())
    except urllib.error.HTTPError as refused:
        answer = json.loads(refused.read() or b"{}")
        fail(f"{refused.code} {answer.get('error', '')}: {answer.get('detail', '')}")
        raise typer.Exit(1) from None
    except OSError as error:
        raise PenstockError(f"no collector answers at {base}: {error}", hint="start one with `penstock up`") from error


def load(
    files: Annotated[list[Path], typer.Argument(help="JSONL, JSON; plain, .gz or .zst.")],
    data: Data = None,
    config: Config = None,
) -> None:
    """Take files of events into bronze, each content once; `refine` (or a running `up`) does the rest."""
    bad = 0
    with pipeline(data, config) as way, progress("loading") as tell:
        for index, path in enumerate(files):
            try:
                done = loading.load(way.lake.bronze, path, way.clock())
            except (BadFile, OSError) as error:
                fail(f"{path}: {error}")
                bad += 1
            else:
                say(f"{path}: {'loaded' if done.new else 'already loaded'}")
            tell(index + 1, len(files))
    note("penstock refine --once makes rows of them, unless `penstock up` is running")
    if bad:
        raise typer.Exit(1)


def replay(
    start: Annotated[str, typer.Option("--from", help="A time (UTC), or how long ago: 2026-02-01T12:00, 3h.")],
    data: Data = None,
    config: Config = None,
) -> None:
    """Deliver the stream again from a time on; objects that bronze lost come back, nothing is counted twice."""
    with pipeline(data, config) as way:
        again = way.stream.seek(CONSUMER, moment(start, way.clock()))
        say(f"{again} records will be delivered again")
