"""How a value looks in a table, in CSV, in JSON; and that nothing a sender wrote can steer a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from penstock.cli.output import Format, rows, visible

AT = datetime(2026, 2, 1, 12, 0, 0, tzinfo=UTC)

VALUES: list[tuple[Any, str, str, Any]] = [
    (None, "", "", None),
    (True, "true", "true", True),
    (-5, "-5", "-5", -5),
    (2**100, str(2**100), str(2**100), 2**100),
    (Decimal("29.90"), "29.90", "29.90", 29.9),
    (float("nan"), "nan", "nan", None),
    (AT, "2026-02-01T12:00Z", "2026-02-01T12:00:00.000Z", "2026-02-01T12:00:00.000Z"),
    (AT.replace(second=5), "2026-02-01T12:00:05.000Z", "2026-02-01T12:00:05.000Z", "2026-02-01T12:00:05.000Z"),
    (date(2026, 2, 1), "2026-02-01", "2026-02-01", "2026-02-01"),
    ([1, None, {"a": AT}], None, None, [1, None, {"a": "2026-02-01T12:00:00.000Z"}]),
    (b"\x1b[2J\xff", "\\x1b[2J\ufffd", "\\x1b[2J\ufffd", "\x1b[2J\ufffd"),
    ("a\nb", "a\\nb", '"a\nb"', "a\nb"),
    ("tab\there", "tab\\there", "tab\there", "tab\there"),
    ("right\u202eto left", "right\\u202eto left", "right\\u202eto left", "right\u202eto left"),
    ("日本 é 👍", "日本 é 👍", "日本 é 👍", "日本 é 👍"),
    ("=HYPERLINK(1)", "=HYPERLINK(1)", "'=HYPERLINK(1)", "=HYPERLINK(1)"),
    ("@SUM(1)", "@SUM(1)", "'@SUM(1)", "@SUM(1)"),
    ("+1", "+1", "+1", "+1"),
    ("-1+cmd", "-1+cmd", "'-1+cmd", "-1+cmd"),
    ("\t=1", "\\t=1", "'\t=1", "\t=1"),
]


@pytest.mark.parametrize(("value", "table", "csv", "as_json"), VALUES)
def test_a_value(
    value: Any, table: str | None, csv: str | None, as_json: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    written = {}
    for format in Format:
        rows(["x"], [[value]], format)
        written[format] = capsys.readouterr().out
    assert json.loads(written[Format.json]) == {"x": as_json}
    if table is not None:
        assert written[Format.table] == f"x\n{table}\n"
    if csv is not None:
        assert written[Format.csv] == f"x\n{csv or chr(34) * 2}\n"


def test_columns_line_up_by_what_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    rows(["a", "b"], [["日本", 1], ["x", 2]])
    assert capsys.readouterr().out == "a     b\n日本  1\nx     2\n"


def test_no_rows_are_a_head(capsys: pytest.CaptureFixture[str]) -> None:
    for format in Format:
        rows(["a", "b"], [], format)
    assert capsys.readouterr().out == "a  b\na,b\n"


def test_visible_keeps_what_it_is_told_to() -> None:
    assert visible("a\nb\x00", keep="\n") == "a\nb\\x00"


def on_a_terminal(code: str, columns: int) -> str:
    """What Python code writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    for name in ("COLUMNS", "LINES", "NO_COLOR", "TTY_COMPATIBLE"):
        environment.pop(name, None)
    command = [sys.executable, "-c", f"from penstock.cli.output import rows\n{code}"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        written = b""
        while chunk := _read(ours):
            written += chunk
        assert process.wait(30) == 0
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # how Linux says that the other side is gone
        return b""


def test_a_terminal_gets_a_table_where_it_fits() -> None:
    written = on_a_terminal("rows(['name', 'n'], [['[bold]a', 1], ['\\x1b[31mb', 20]])", 80)
    assert "\x1b[1mname" in written
    assert "[bold]a     1\n" in written
    assert "\\x1b[31mb  20\n" in written


def test_a_terminal_gets_a_line_per_value_where_it_does_not() -> None:
    written = on_a_terminal("rows(['one', 'three'], [['a' * 30, 1], ['b', None]])", 20)
    assert written == f"one    {'a' * 30}\nthree  1\n\none    b\nthree\n"
