"""Which engine fills silver, in one small file beside it: two never take turns unless somebody says so.

Both would be safe: a batch counts once, whoever commits it. But each would do the other's work again, and lose half of
the races; and whose memory a batch must fit into should not be left to chance. Where nothing is written it is DuckDB.
"""

from __future__ import annotations

from ..errors import LakeError
from ..objects import Objects
from .lake import Lake

_KEY = "engine"
_FIRST = "duckdb"


def owner(lake: Lake) -> str | None:
    """None if silver is empty, and nobody's."""
    try:
        return _store(lake).get(_KEY).decode().strip()
    except FileNotFoundError:
        return _FIRST if lake.silver.events.batch() else None


def check(lake: Lake, engine: str) -> None:
    """The first comer's it is. Raises LakeError if that was another engine."""
    found = owner(lake)
    if found is None and engine != _FIRST and not _store(lake).put(_KEY, engine.encode(), create=True):
        found = owner(lake)
    if found not in (None, engine):
        raise LakeError(
            f"silver of this lake is filled by the engine {found!r}, and this is {engine!r}",
            hint=f'set engine = "{found}" in [refine]; or, when no job of {found!r} runs any more, hand silver over:'
            f" penstock refine --engine {engine} --take-over",
        )


def take_over(lake: Lake, engine: str) -> None:
    """From now on silver is this engine's; a batch that the other one left half done is finished by it."""
    _store(lake).put(_KEY, engine.encode())


def _store(lake: Lake) -> Objects:
    return Objects(f"{lake.url}/silver")
