"""Rows and messages for people at a terminal, and plain text for pipes."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ..clock import iso

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


class Format(StrEnum):
    """How rows are written."""

    table = "table"
    csv = "csv"
    json = "json"


def say(text: str) -> None:
    """One line on stdout."""
    _out.print(text, markup=False)


def note(text: str) -> None:
    """One line on stderr: progress, remarks, anything that is not the answer."""
    _err.print(text, markup=False, style="dim")


def fail(text: str, hint: str = "") -> None:
    """What went wrong and what to do, on stderr."""
    _err.print(f"error: {text}", markup=False, style="red")
    if hint:
        _err.print(f"  {hint}", markup=False)


def rows(names: Sequence[str], values: Sequence[Sequence[Any]], format: Format = Format.table) -> None:
    """A table; CSV and JSON are for programs and look the same everywhere."""
    if format is Format.json:
        for row in values:
            sys.stdout.write(json.dumps(dict(zip(names, map(_plain, row), strict=True)), ensure_ascii=False) + "\n")
    elif format is Format.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_harmless(_text(value)) for value in row] for row in values)
    elif _out.is_terminal:
        _rich_table(names, values)
    else:
        _plain_table(names, [[_text(value) for value in row] for row in values])


def _rich_table(names: Sequence[str], values: Sequence[Sequence[Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(names):
        numeric = bool(values) and isinstance(values[0][index], int | float) and not isinstance(values[0][index], bool)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in values:
        table.add_row(*(_escaped(_text(value)) for value in row))
    _out.print(table)


def _plain_table(names: Sequence[str], texts: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[i]) for row in [names, *texts]) for i in range(len(names))]
    for row in [names, *texts]:
        sys.stdout.write("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() + "\n")


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | type(None)) else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return iso(value) if value.tzinfo else value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value).replace("\n", "\\n").replace("\r", "\\r").replace("\x1b", "\\x1b")


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")


def _harmless(text: str) -> str:
    """A spreadsheet runs a cell that starts like a formula; a leading quote makes it text. Numbers stay numbers."""
    if text[:1] in ("=", "@", "\t", "\r") or (text[:1] in ("+", "-") and not _is_number(text)):
        return "'" + text
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextmanager
def progress(label: str) -> Iterator[Any]:
    """A bar on a terminal, nothing in a pipe; gives a function (done, total)."""
    if not _err.is_terminal:
        yield lambda done, total: None
        return
    with Progress(console=_err, transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
