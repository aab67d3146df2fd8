"""What a confined process cannot do any more, each in a process of its own, by Python rather than by SQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.dashboard.sandbox import landlock, seccomp

from .targets import SRC, confined

pytestmark = confined
IMPORTS = "import os, socket, ctypes, signal, threading, resource, sys; from pathlib import Path"
ALL = "from penstock.dashboard.sandbox.confine import confine; confine([{allowed!r}], strict=True)"
LANDLOCK = "from penstock.dashboard.sandbox import landlock; landlock.restrict([{allowed!r}])"
SECCOMP = "from penstock.dashboard.sandbox import seccomp; seccomp.restrict()"

FILES = (
    "open({secret!r}).read()",
    "open({kept!r}, 'a')",
    "open({kept!r}, 'r+')",
    "open({new!r}, 'w')",
    "os.mkdir({new!r})",
    "os.unlink({kept!r})",
    "os.rename({kept!r}, {new!r})",
    "os.link({kept!r}, {new!r})",
    "os.symlink({kept!r}, {new!r})",
    "os.mkfifo({new!r})",
    "os.truncate({kept!r}, 0)",
    "os.execv('/bin/true', ['true'])",
)
CALLS = (
    "os.chmod({kept!r}, 0o777)",
    "os.chown({kept!r}, 1, 1)",
    "os.utime({kept!r}, (1, 1))",
    "os.setxattr({kept!r}, 'user.x', b'1')",
    "socket.socket()",
    "socket.socket(type=socket.SOCK_DGRAM)",
    "socket.socket(socket.AF_UNIX)",
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "socket.socketpair()",
    "os.fork()",
    "os.posix_spawn('/bin/true', ['true'], {{}})",
    "os.kill(os.getppid(), 0)",
    "os.kill(os.getpid(), 0)",
    "os.pidfd_open(os.getppid())",
    "os.unshare(0) if hasattr(os, 'unshare') else ctypes.CDLL(None).unshare(0) and (_ for _ in ()).throw(OSError())",
)
BY_BOTH = tuple(attempt for attempt in FILES if "secret" not in attempt)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("confine")
    (folder / "allowed").mkdir()
    (folder / "allowed" / "kept").write_text("kept")
    (folder / "secret").write_text("secret")
    paths = {"allowed": "allowed", "kept": "allowed/kept", "new": "allowed/new", "secret": "secret"}
    return {name: str(folder / path) for name, path in paths.items()}


def attempt(confine: str, what: str, places: dict[str, str]) -> str:
    """`refused` by the system; `done`; or what went wrong otherwise."""
    code = "\n".join((
        IMPORTS, confine, "try:", f"    {what}", "except OSError as error:", "    answer = 'refused'",
        "else:", "    answer = 'done'", "os.write(1, answer.encode())",
    )).format(**places)  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], capture_output=True, text=True, timeout=60, env={"PYTHONPATH": str(SRC)}
    )
    return done.stdout or f"ended with {done.returncode}: {done.stderr[-500:]}"


@pytest.mark.parametrize("what", [*FILES, *CALLS])
def test_all_layers_together(what: str, places: dict[str, str]) -> None:
    assert attempt(ALL, what, places) == "refused"
    assert Path(places["kept"]).read_text() == "kept" and not Path(places["new"]).exists()


@pytest.mark.parametrize("what", FILES)
def test_landlock_alone_holds_files(what: str, places: dict[str, str]) -> None:
    assert attempt(LANDLOCK, what, places) == "refused"


@pytest.mark.parametrize("what", [*BY_BOTH, *CALLS])
def test_the_filter_of_calls_alone_holds_all_but_reading(what: str, places: dict[str, str]) -> None:
    assert attempt(SECCOMP, what, places) == "refused"


@pytest.mark.parametrize(
    "what",
    [
        "open({kept!r}).read()",
        "os.listdir({allowed!r})",
        "open('/proc/self/cgroup').read()",
        "threading.Thread(target=int).start()",
        "os.write(2, b'x')",
        "os.open({allowed!r}, os.O_DIRECTORY)",
    ],
)
def test_what_a_query_needs_is_possible(what: str, places: dict[str, str]) -> None:
    assert attempt(ALL, what, places) == "done"


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("dict(os.environ)", "{}"),
        ("resource.getrlimit(resource.RLIMIT_AS)[1] >> 30", "2"),
        ("resource.getrlimit(resource.RLIMIT_CORE)", "(0, 0)"),
        ("resource.getrlimit(resource.RLIMIT_FSIZE)", "(0, 0)"),
        ("resource.getrlimit(resource.RLIMIT_NOFILE)", "(4096, 4096)"),
        ("ctypes.CDLL(None).prctl(39, 0, 0, 0, 0)", "1"),  # no new privileges
        ("ctypes.CDLL(None).prctl(21, 0, 0, 0, 0)", "2"),  # filtered
    ],
)
def test_limits(what: str, value: str, places: dict[str, str]) -> None:
    assert attempt(ALL, f"os.write(1, (str({what}) + ' ').encode())", places) == f"{value} done"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has powers to lose")
def test_root_loses_its_powers(places: dict[str, str]) -> None:
    held = "[line.split()[1] for line in status if line.startswith(('CapEff', 'CapPrm'))]"
    what = f"status = open_status.read().splitlines(); os.write(1, (str({held}) + ' ').encode())"
    confine = "open_status = open('/proc/thread-self/status')\n" + ALL
    assert attempt(confine, what, places) == "['0000000000000004', '0000000000000004'] done"


def test_a_thread_that_would_stay_free_is_noticed(places: dict[str, str]) -> None:
    confine = "threading.Thread(target=threading.Event().wait, daemon=True).start()"
    assert attempt(confine, f"{ALL}; os._exit(0)", places) == "refused"


def test_it_dies_with_its_parent(places: dict[str, str]) -> None:
    """The kernel says so itself, for the parent may be killed."""
    what = "told = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(told)); os.write(1, b'%d ' % told.value)"
    assert attempt(ALL, what, places) == "9 done"


def test_both_are_known_here() -> None:
    assert landlock.version() >= 1
    assert seccomp.is_possible()
