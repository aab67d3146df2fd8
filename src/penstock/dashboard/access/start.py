"""Before the dashboard starts: a refusal where anybody could see it, and what its owner should know."""

from __future__ import annotations

import stat
from pathlib import Path

from ...errors import SettingsError
from ...settings import FILE, Settings
from .origins import is_loopback


def check(settings: Settings, config: Path | None = None) -> list[str]:
    """Warnings, for people. Raises SettingsError if there has to be a password and is none."""
    told = settings.dashboard
    if told.password is None and told.trusted_proxy_header is None and not is_loopback(told.host):
        raise SettingsError(
            f"the dashboard on {told.host} could be read by anybody: it needs a password",
            hint="`penstock dashboard-password` makes one; or set [dashboard] host to 127.0.0.1",
        )
    warnings = []
    file = config or Path(FILE)
    if told.password is not None and _others_may_read(file):
        warnings.append(f"others on this machine may read {file}, and so guess the password: chmod 600 {file}")
    if told.password is not None and not is_loopback(told.host) and not told.proxies:
        warnings.append(f"passwords go to {told.host}:{told.port} as plain text, unless a proxy before it speaks TLS")
    return warnings


def _others_may_read(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        return False
