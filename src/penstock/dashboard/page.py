"""What a page is: which questions it asks for a state, and what its template is shown of the answers.

From this alone come its HTML, its JSON twin, the files and details of its cards, and its part of the API's description.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..reports.run import Answer
from .answers import Ask, Failed
from .state import State

Found = Mapping[str, Answer | Failed]
"""Card → its answer."""


@dataclass(frozen=True)
class Shown:
    """What a page makes its context of. A card that has no answer yet (it is late) is not in `found`."""

    state: State
    found: Found
    late: tuple[str, ...] = ()
    behind: bool = False
    """Whether an answer in it is of a moment ago, and being asked again."""

    def failure(self, card: str) -> Failed | None:
        answer = self.found.get(card)
        return answer if isinstance(answer, Failed) else None

    def rows(self, card: str) -> list[dict[str, Any]]:
        """Its rows, with a comparison beside them; none if it failed."""
        answer = self.found.get(card)
        return answer.beside().to_pylist() if isinstance(answer, Answer) else []


def _nothing(state: State) -> Mapping[str, Ask]:
    return {}


@dataclass(frozen=True)
class Page:
    """`own`: what the page itself is asked in the URL, and what that means. Without its `late` cards it is shown."""

    name: str
    title: str
    asks: Callable[[State], Mapping[str, Ask]] = _nothing
    show: Callable[[Shown], Mapping[str, Any]] = lambda shown: {}
    own: Mapping[str, str] = field(default_factory=dict)
    extra: Callable[[Any, State], Awaitable[Mapping[str, Any]]] | None = None
    """What it shows beside answers: given the Dashboard and the state, more context for its template."""
    facts: Callable[[Any], Awaitable[Any]] | None = None
    """Of a page that asks no reports: given the Dashboard, what programs are told."""
    late: tuple[str, ...] = ()
    path: str = ""
    key: str = ""
    """Letter that opens it, after g."""
    takes_filters: bool = True
    """Whether period, comparison and filters mean something to it."""
    needs_lake: bool = True
    """False: it has something to say when the lake cannot be opened, too."""

    @property
    def has_twin(self) -> bool:
        """Whether programs can have what it shows."""
        return self.asks is not _nothing or self.facts is not None

    @property
    def url(self) -> str:
        return self.path or f"/{self.name}"
