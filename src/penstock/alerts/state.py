"""What is known of each alert between two rounds: one small file in the data folder, for its owner's eyes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from ..objects import Objects
from .notice import Notice

_KEY = "state.json"


class State(msgspec.Struct):
    """`told` is when its firing was last told; `unsent` goes to those in `to` who could not be reached yet."""

    evaluated: datetime | None = None
    firing_since: datetime | None = None
    told: datetime | None = None
    layer: str = ""
    says: list[str] = []
    error: str = ""
    unsent: Notice | None = None
    to: list[str] = []

    @property
    def word(self) -> str:
        if self.error:
            return "error"
        return "firing" if self.firing_since else "quiet" if self.evaluated else "new"


States = dict[str, State]


def load(data: Path) -> States:
    """By name of the alert. A file that cannot be read is as none: the worst is that something is told twice."""
    path = _folder(data) / _KEY
    try:
        return msgspec.json.decode(path.read_bytes(), type=States)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        structlog.get_logger().error("the state of alerts cannot be read and begins anew", error=str(error))
        return {}


def save(data: Path, states: States) -> None:
    store = Objects(_folder(data).as_uri())
    _folder(data).chmod(0o700)
    store.put(_KEY, msgspec.json.encode(states))


def _folder(data: Path) -> Path:
    return data.absolute() / "alerts"
