"""What the process of a query may do at all: read the lake and compute, within limits; for good.

To be called with one thread, before anything of the query is known. Uses the standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from . import landlock, seccomp

MEMORY_BYTES = 2 << 30
_FILES = 4096
"""DuckDB opens about a hundred files ahead for each part of a view; all are files that may be read."""
MACHINE = ("/proc/self/cgroup", "/proc/stat", "/proc/meminfo", "/sys/fs/cgroup", "/sys/devices/system/cpu")
"""What DuckDB looks at to see how much machine there is; without the first it aborts."""
_DIE_WITH_PARENT = 1
_CAPABILITIES_VERSION = 0x20080522
_READ_ANYTHING = 1 << 2


def confine(readable: Iterable[str], *, strict: bool) -> None:
    """`strict`: raises OSError for a layer that this machine has not; else goes without it."""
    if sys.platform == "linux" and len(list(Path("/proc/self/task").iterdir())) != 1:
        raise OSError("a thread is running already, which would stay free")
    os.environ.clear()
    limit()
    for layer in (
        die_with_parent,
        drop_capabilities,
        lambda: landlock.restrict([*readable, *MACHINE]),
        seccomp.restrict,
    ):
        with contextlib.nullcontext() if strict else contextlib.suppress(OSError, AttributeError):
            layer()


def limit() -> None:
    """Memory, open files, and no file grows; a core dump would be one."""
    wanted = {"RLIMIT_AS": MEMORY_BYTES, "RLIMIT_NOFILE": _FILES, "RLIMIT_CORE": 0, "RLIMIT_FSIZE": 0}
    for name, most in wanted.items():
        with contextlib.suppress(ValueError, OSError):  # macOS bounds no address space
            resource.setrlimit(getattr(resource, name), (most, most))


def limit_cpu(seconds: float) -> None:
    most = int(seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))


def die_with_parent() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "it would outlive its parent")


def drop_capabilities() -> None:
    """Root keeps one of its powers, to read files of others; who is not root has none."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    """Effective, permitted, inheritable; then the upper half of the three."""
    if libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capabilities cannot be read")
    kept = sets[1] & _READ_ANYTHING
    if libc.capset(header, (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)):
        raise OSError(ctypes.get_errno(), "capabilities cannot be dropped")
