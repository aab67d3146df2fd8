"""Rows and messages for people at a terminal, and plain text for pipes."""

from __future__ import annotations

import csv
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import zip_longest
from typing import Any

import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from ..clock import iso

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)
_json = msgspec.json.Encoder(decimal_format="number")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BREAKS = "\n\r\t"
_BIGGEST_INT = 1 << 63
_NARROW = 40


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
    _err.print(f"error: {visible(text, keep=_BREAKS)}", markup=False, style="red")
    if hint:
        _err.print(f"  {hint}", markup=False)


def rows(names: Sequence[str], values: Sequence[Sequence[Any]], format: Format = Format.table) -> None:
    """A table; CSV and JSON are for programs and look the same everywhere."""
    if format is Format.json:
        for row in values:
            sys.stdout.write(_json.encode(dict(zip(names, map(_plain, row), strict=True))).decode() + "\n")
    elif format is Format.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_cell(value) for value in row] for row in values)
    else:
        texts = [[_shown(value) for value in row] for row in values]
        widths = [max(map(cell_len, column)) for column in zip(names, *texts, strict=True)]
        if not _out.is_terminal:
            _plain_table(names, texts, widths)
        elif sum(min(width, _NARROW) + 2 for width in widths) <= _out.width + 2:
            _rich_table(names, texts, widths, [_is_numeric(column) for column in zip(*values, strict=True)])
        else:
            _blocks(names, texts)


def _plain_table(names: Sequence[str], texts: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    for row in [names, *texts]:
        padded = (text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _rich_table(
    names: Sequence[str], texts: Sequence[Sequence[str]], widths: Sequence[int], numeric: Sequence[bool]
) -> None:
    """Only long texts are folded."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, width, right in zip_longest(names, widths, numeric):
        table.add_column(name, justify="right" if right else "left", no_wrap=width <= _NARROW, overflow="fold")
    for row in texts:
        table.add_row(*map(escape, row))
    _out.print(table)


def _blocks(names: Sequence[str], texts: Sequence[Sequence[str]]) -> None:
    """Rows that are wider than the terminal, one below the other, a line per value."""
    width = max(map(cell_len, names))
    for index, row in enumerate(texts):
        if index:
            say("")
        for name, text in zip(names, row, strict=True):
            say(f"{name:{width}}  {text}".rstrip())


def _is_numeric(column: Sequence[Any]) -> bool:
    known = [value for value in column if value is not None]
    return bool(known) and all(isinstance(v, int | float | Decimal) and not isinstance(v, bool) for v in known)


def _plain(value: Any) -> Any:
    """What JSON has a word for stays, decimals too; everything else is text."""
    if isinstance(value, dict):
        return {_text(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _BIGGEST_INT:
        return Decimal(value)
    return value if isinstance(value, str | int | float | Decimal | None) else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return iso(value) if value.tzinfo else value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return _json.encode(_plain(value)).decode() if isinstance(value, dict | list | tuple) else str(value)


def _shown(value: Any) -> str:
    """For a cell that a person reads: full minutes without seconds, and nothing that could steer a terminal."""
    if isinstance(value, datetime) and value.tzinfo and not (value.second or value.microsecond):
        return iso(value).replace(":00.000Z", "Z")
    return visible(_text(value))


def visible(text: str, *, keep: str = "") -> str:
    """Senders write what they like; control and invisible characters become their escapes, but those in `keep`."""
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in _UNSEEN and char not in keep else char
        for char in text
    )


def _cell(value: Any) -> str:
    """A spreadsheet runs a cell that starts like a formula; a leading quote makes it text. Numbers stay numbers."""
    text = visible(_text(value), keep=_BREAKS)
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
