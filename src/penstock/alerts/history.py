"""What fired and what was over, lately: a small file in the data folder, for its owner's eyes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import structlog

from ..objects import Objects
from .notice import Notice

_KEY = "history.json"
KEPT = 100


def load(data: Path) -> list[Notice]:
    """The newest first. A file that cannot be read is as none."""
    try:
        return msgspec.json.decode((_folder(data) / _KEY).read_bytes(), type=list[Notice])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        structlog.get_logger().error("the history of alerts cannot be read and begins anew", error=str(error))
        return []


def add(data: Path, notice: Notice) -> None:
    """That it fires is in it once, however often it is told again."""
    store = Objects(_folder(data).as_uri())
    _folder(data).chmod(0o700)
    store.put(_KEY, msgspec.json.encode([notice, *load(data)][:KEPT]))


def _folder(data: Path) -> Path:
    return data.absolute() / "alerts"
