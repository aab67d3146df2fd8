"""Commands as people are to type them, for the data folder of this dashboard."""

from __future__ import annotations

import shlex
from pathlib import Path

from ..settings import Settings


def command(settings: Settings, *words: str) -> str:
    return shlex.join(("penstock", *words, *here(settings)))


def here(settings: Settings) -> tuple[str, ...]:
    """What says which data folder; nothing for the one that commands take by themselves."""
    usual = Path(str(Settings.model_fields["data"].default))
    return () if settings.data == usual else ("--data", str(settings.data))
