"""Whether there is a playground here: where the system can confine a query, or where the owner says so for himself."""

from __future__ import annotations

from typing import NamedTuple

from ...settings import Settings
from . import landlock, seccomp


class Available(NamedTuple):
    """`reason`, for people: why it is off; or what is missing where it is on nevertheless. `strict`: nothing is."""

    on: bool
    strict: bool
    reason: str = ""


def available(settings: Settings) -> Available:
    wanted, lacking = settings.dashboard.sql, _lacking()
    if wanted == "off":
        return Available(False, False, "The settings switch the SQL playground off: [dashboard] sql.")
    if not lacking:
        return Available(True, True)
    if wanted == "on":
        reason = f"{lacking} Whoever may use this page may be able to read and write files as you: keep it to yourself."
        return Available(True, False, reason)
    return Available(False, False, f'{lacking} If you alone use it, switch it on: [dashboard] sql = "on".')


def _lacking() -> str:
    if not landlock.version():
        return "This system cannot confine a query: that takes Linux 5.13 or newer with Landlock."
    if not seccomp.is_possible():
        return "This system cannot confine a query: that takes a filter of system calls, on x86_64 or aarch64."
    return ""
