"""`dashboard-password` and `dashboard-token`."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import tomllib

import pytest

from penstock.dashboard.access.password import matches
from penstock.dashboard.access.tokens import find_token
from penstock.dashboard.saved import Saved
from penstock.settings import load

from .conftest import Cli

# A process makes a terminal its own by opening it, if it leads a session that has none.
_CODE = "import os; os.close(os.open(os.ttyname(0), os.O_RDWR)); from penstock.cli import app; app()"
COMMAND = [sys.executable, "-c", _CODE, "dashboard-password"]


def test_a_password_from_stdin_becomes_a_line_for_the_settings(cli: Cli) -> None:
    done = cli("dashboard-password", input="correct horse battery\n")
    assert done.exit_code == 0
    assert "correct horse" not in done.output
    (cli.folder / "penstock.toml").write_text("[dashboard]\n" + done.stdout)
    stored = load(cli.folder / "penstock.toml").dashboard.password
    assert stored is not None and matches("correct horse battery", stored)
    assert tomllib.loads(done.stdout) == {"password": stored}


@pytest.mark.parametrize("given", ["", "\n", "short\n", "x" * 1001, "ten chars\0\0\n"])
def test_what_is_no_password(cli: Cli, given: str) -> None:
    done = cli("dashboard-password", input=given)
    assert done.exit_code == 1 and "characters" in done.stderr and done.stdout == ""


def at_a_terminal(*typed: str) -> tuple[int, str, str]:
    """(exit code, output, what the terminal shows) of the command, with a terminal of its own that is typed into."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        COMMAND, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        shown = b""
        for number, line in enumerate(typed, 1):
            while shown.count(b": ") < number:
                assert select.select([ours], [], [], 60)[0], shown
                shown += os.read(ours, 1000)
            os.write(ours, line.encode() + b"\n")
        out, err = process.communicate(timeout=60)
    while select.select([ours], [], [], 0)[0]:
        shown += os.read(ours, 1000)
    for descriptor in (ours, theirs):
        os.close(descriptor)
    return process.returncode, out + err, shown.decode()


@pytest.mark.parametrize(("again", "code"), [("correct horse battery", 0), ("correct horse buttery", 1)])
def test_at_a_terminal_it_is_asked_for_twice_and_not_shown(again: str, code: int) -> None:
    ended, printed, shown = at_a_terminal("correct horse battery", again)
    assert ended == code
    assert ("two passwords" in printed, 'password = "scrypt:' in printed) == (code == 1, code == 0)
    assert "horse" not in printed + shown


@pytest.mark.parametrize(("options", "may"), [((), "read"), (("--may", "annotate"), "annotate")])
def test_a_token(cli: Cli, options: tuple[str, ...], may: str) -> None:
    printed = cli.out("dashboard-token", "releases", *options, "--data", str(cli.data)).strip()
    assert re.fullmatch(r"pst_[A-Za-z0-9_-]{43}", printed)
    saved = Saved(cli.data / "dashboard.db")
    token = find_token(saved, printed)
    saved.close()
    assert token is not None and (token.name, token.may) == ("releases", may)


def test_a_token_needs_a_name(cli: Cli) -> None:
    done = cli("dashboard-token", "", "--data", str(cli.data))
    assert done.exit_code == 1 and "name" in done.stderr
