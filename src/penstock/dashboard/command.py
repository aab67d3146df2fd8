"""Commands as people are to type them, for the data folder of this dashboard."""

from __future__ import annotations

import shlex
from pathlib import Path

from ..settings import Settings


def command(settings: Settings, *words: str) -> str:
    data = settings.data
    here = () if data == Path(str(Settings.model_fields["data"].default)) else ("--data", str(data))
    return shlex.join(("penstock", *words, *here))
