"""A notice and those who are to be told → those who could not be reached; never raises, and takes some seconds."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import msgspec
import structlog

from ..settings import Settings
from . import mail, webhook
from .notice import Notice

_SECONDS_EACH = 3.0
_SECONDS = 6.0
"""For all together: the other jobs wait meanwhile."""
_UP_TO_HOST = re.compile(r"webhook:https?://[A-Za-z0-9.:\[\]_-]+(?=[/?#]|$)")


def tell(notice: Notice, to: Sequence[str], settings: Settings) -> list[str]:
    """Those for whom no time was left come before those who failed, so that everybody has a turn in the end."""
    log = structlog.get_logger()
    end = time.monotonic() + _SECONDS
    failed: list[str] = []
    for place, target in enumerate(to):
        left = min(_SECONDS_EACH, end - time.monotonic())
        if left <= 0:
            return [*to[place:], *failed]
        try:
            _one(notice, target, settings, left)
        except Exception as error:
            failed.append(target)
            log.error(
                "alert not delivered", alert=notice.alert, to=shown(target), error=f"{type(error).__name__}: {error}"
            )
    return failed


def _one(notice: Notice, target: str, settings: Settings, seconds: float) -> None:
    kind, _, rest = target.partition(":")
    if kind == "webhook":
        webhook.post(rest, notice.json(), seconds=seconds, private=settings.webhooks.allow_private)
    elif kind == "mailto":
        mail.send(notice, rest, settings.mail, seconds=seconds)
    else:
        structlog.get_logger().warning("alert", **msgspec.to_builtins(notice))


def shown(target: str) -> str:
    """Without what may be a secret: of a webhook, only where it is."""
    if not target.startswith("webhook:"):
        return target
    found = _UP_TO_HOST.match(target)
    return f"{found[0]}/…" if found else "webhook:…"
