"""`quarantine list`, `show` and `replay`: why, which, and again after the cause is mended."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import Annotated, Any

import typer

from ..api import OpenLake
from ..clock import duration
from ..errors import PenstockError, SettingsError
from ..pipeline import Pipeline
from ..silver.quarantine import REASONS, SHOW, WHOLE_FILE, Reason, list_sql
from ..silver.replay import Replayed, lines_again
from ..worker_lock import only_worker
from .options import As, Config, Data, existing
from .output import Format, note, progress, rows, say, visible

_RAW_SHOWN = 300
_UNKNOWN = Reason("", "")


class By(StrEnum):
    """What there is a row for."""

    reason = "reason"
    source = "source"
    file = "file"


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="What could not become a row.")
    group.command("list")(list_)
    group.command()(show)
    group.command()(replay)
    app.add_typer(group, name="quarantine")


def list_(
    last: Annotated[str | None, typer.Option("--last", help="How far back: 90m, 24h, 7d; else all.")] = None,
    by: Annotated[By, typer.Option("--by", help="One row per reason, or per source or file and reason.")] = By.reason,
    format: As = Format.table,
    data: Data = None,
    config: Config = None,
) -> None:
    """The reasons: how often each, one example, what it means, and what to do."""
    back = duration(last) if last else None
    with existing(data, config) as lake:
        since = lake.pipeline.clock() - back if back else None
        answer = lake.sql(list_sql(by.value), {"since": since})
        names, values = answer.columns, answer.fetchall()
    reason = names.index("reason")
    rows([*names, "meaning", "remedy"], [(*row, *REASONS.get(row[reason], _UNKNOWN)) for row in values], format)


def show(
    what: Annotated[str, typer.Argument(metavar="REASON|FILE:LINE", help="As `quarantine list` names them.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the newest first.")] = 10,
    raw: Annotated[bool, typer.Option("--raw", help="Only the lines themselves, whole, from bronze.")] = False,
    format: As = Format.table,
    data: Data = None,
    config: Config = None,
) -> None:
    """What lies in quarantine for a reason, or one line of it, with its bytes."""
    place = re.fullmatch(r"(.+):(\d+)", what)
    file, line = (place[1], int(place[2])) if place else (None, None)
    with existing(data, config) as lake:
        answer = lake.sql(SHOW, {"what": what, "file": file, "line": line, "limit": limit})
        found = [dict(zip(answer.columns, row, strict=True)) for row in answer.fetchall()]
        if not found:
            raise _nothing(lake, what)
        if raw:
            for row in found:
                _write(_whole(lake.pipeline, row))
            return
    names = ("line", "reason", "detail", "source", "received_at", "raw")
    rows(names, [(*(row[name] for name in names[:-1]), _cut(row["raw"])) for row in found], format)
    for reason in sorted({row["reason"] for row in found}):
        meaning, remedy = REASONS.get(reason, _UNKNOWN)
        note(f"{reason}: {meaning}; {remedy}")
    if any(row["bronze_line"] == WHOLE_FILE for row in found):
        note("line 0 is a whole file: `penstock load` takes a mended copy, whose content is new; nothing else is to do")


def replay(
    reason: Annotated[
        list[str] | None, typer.Option("--reason", help="Only what is there for this reason; may be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only judge; change nothing.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """After a fix in the settings: what is in quarantine is judged again; events go to silver, the rest stays."""
    with existing(data, config) as lake, _worker(lake.pipeline, dry_run) as alone:
        if reason and (unknown := sorted(set(reason) - _reasons(lake))):
            raise _nothing(lake, unknown[0])
        with progress("judging") as tell:
            done = lake.pipeline.replay_quarantine(reason or None, dry_run=dry_run, alone=alone, progress=tell)
    say(_told(done, "would be " if dry_run else ""))
    if not alone:
        note("the worker that runs keeps its settings until it is restarted; it brings gold up to date")


@contextmanager
def _worker(way: Pipeline, dry_run: bool) -> Iterator[bool]:
    """Be the worker, unless there is one; whether we are alone. Who only looks keeps nobody from working."""
    with ExitStack() as held:
        alone = True
        if not dry_run:
            try:
                held.enter_context(only_worker(way.settings.data))
            except SettingsError:
                alone = False
        yield alone


def _told(done: Replayed, would: str) -> str:
    still = sum(done.still.values())
    reasons = f" ({', '.join(f'{lines} {reason}' for reason, lines in sorted(done.still.items()))})" if still else ""
    gone = f", {done.gone} gone from bronze" if done.gone else ""
    return (
        f"{done.tried} tried: {done.stored} {would}stored, {done.duplicate} {would}duplicate,"
        f" {still} still in quarantine{reasons}{gone}"
    )


def _reasons(lake: OpenLake) -> set[str]:
    return {reason for (reason,) in lake.sql("select distinct reason from quarantine").fetchall()}


def _nothing(lake: OpenLake, what: str) -> PenstockError:
    there = ", ".join(sorted(_reasons(lake)))
    hint = f"there are {there}; `penstock quarantine list` shows lines" if there else "quarantine is empty"
    return PenstockError(f"nothing is in quarantine for {what!r}", hint=hint)


def _cut(raw: bytes | None) -> str:
    """The start of it, to read; what could steer a terminal is escaped where it is written."""
    text = (raw or b"")[: _RAW_SHOWN * 4].decode(errors="backslashreplace")
    return text if len(text) <= _RAW_SHOWN and len(raw or b"") <= _RAW_SHOWN * 4 else f"{text[:_RAW_SHOWN]}…"


def _whole(way: Pipeline, row: dict[str, Any]) -> bytes:
    """The line as bronze has it, or the object if it is one that cannot be read; else what quarantine kept."""
    key, number = row["bronze_file"], row["bronze_line"]
    try:
        if number == WHOLE_FILE:
            return way.lake.bronze.get(key)
    except FileNotFoundError:
        pass
    if found := lines_again(way.lake, key, [number]):
        for _, _, bad in found.bad:
            return bad
        for text in found.text.to_pylist():
            return str(text).rstrip("\r\n").encode()
    note(f"{key} is gone from bronze; this is what quarantine kept")
    return row["raw"] or b""


def _write(line: bytes) -> None:
    """To a pipe or file the very bytes, to a terminal nothing that could steer it."""
    if sys.stdout.isatty():
        say(visible(line.decode(errors="backslashreplace")))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()
