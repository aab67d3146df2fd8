"""A plan → gz JSONL files in folders of the minute at which each is complete, and `truth.json` beside them.

    year=2026/month=02/day=01/hour=00/minute=05/events-20260201T000500Z.jsonl.gz

The shop's lines are as any shop logs them; the site's as our collector writes them. Memory holds one file's numbers
and a piece of its text, whatever the number of files.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from isal import isal_zlib

from ..errors import PenstockError
from .arrays import Array, Columns, length, take, time_text, times
from .dirt import harm, spoil
from .plan import Crowd, Plan, crowds
from .truth import Truth

TRUTH = "truth.json"
_PIECE = 100_000
_LEVEL, _GZIP = 2, 31
_LATEST = 12
_DAY_MS = 86_400_000


def write(plan: Plan, folder: Path, tell: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
    """The truth, as it is in `truth.json`. Raises PenstockError if the folder holds a simulation already."""
    if (folder / TRUTH).exists():
        raise PenstockError(f"{folder} holds a simulation already", hint="give another folder with --out")
    writer = _Writer(plan, lambda events: tell(events, plan.events * plan.files))
    for index in range(plan.files):
        _write(_path(folder, plan.start_ms + (index + 1) * plan.every_ms), writer.file(index))
    if rest := writer.waiting.pop(plan.files, None):
        _write(_path(folder, plan.end_ms + plan.every_ms), iter([rest]))
        writer.totals["files"] += 1
    truth = writer.answers()
    (folder / TRUTH).write_text(json.dumps(truth, indent=1) + "\n")
    return truth


class _Writer:
    """`waiting`: number of a file → lines that come with it, although they happened earlier."""

    def __init__(self, plan: Plan, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._plan = plan
        self._crowds = crowds(plan)
        self._truth = Truth()
        self.totals: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self.waiting: dict[int, list[str]] = defaultdict(list)

    def file(self, index: int) -> Iterator[list[str]]:
        """The lines of one file, in pieces."""
        plan = self._plan
        for crowd in self._crowds:
            oldest = crowd.traffic.oldest_session
            events = crowd.traffic.window(plan.start_ms + index * plan.every_ms, plan.every_ms, crowd.events)
            for start in range(0, length(events), _PIECE):
                yield self._piece(crowd, take(events, slice(start, start + _PIECE)), index, oldest)
                self._tell(self.totals["lines"] - self.totals["duplicates"])
        yield self.waiting.pop(index, [])
        self.totals["files"] += 1

    def _piece(self, crowd: Crowd, events: Columns, index: int, oldest: int) -> list[str]:
        plan, dirt, dice, profile = self._plan, self._plan.dirt, crowd.dice, crowd.profile
        count = length(events)
        late = np.where(dice.random(count) < dirt.late, dice.integers(1, _LATEST + 1, count), 0)
        events = {name: column.copy() for name, column in events.items()}
        events["clock"] = events["at"] + events["skew"]
        events["received"] = events["at"] + late * plan.every_ms
        events["sent"] = events["received"] + events["skew"]
        lines = profile.lines(events)
        done = harm(dice, dirt, events, lines, profile.time_field, plan.middle_ms)
        # Only the collector knows a sender's clock; of a log, the time that it says is all there is.
        events["happened"] = events["at"] if profile.stamped else events["clock"]
        if profile.stamped:
            lines = _stamped(plan.source, profile.agents(events), events["received"], lines)
        malformed = spoil(dice, dirt.malformed, lines, done)
        good = np.ones(count, bool)
        good[list(done.reasons)] = False
        self._truth.add(profile.name, profile.types, profile.human(events)[good], take(events, good), oldest)
        again = np.flatnonzero(good & (dice.random(count) < dirt.duplicates))
        self._reasons.update(done.reasons.values())
        self.totals.update(
            lines=count + len(again),
            events=int(good.sum()),
            duplicates=len(again),
            malformed=malformed,
            wrong_types=done.wrong_types,
            type_conflicts=len(done.conflicts),
            drifted=done.drifted,
            late=int((good & (late > 0)).sum()),
            skewed=int((good & (events["skew"] != 0)).sum()),
            crawlers=int((good & ~profile.human(events)).sum()),
        )
        return self._sent(lines, late, again, dice.integers(0, _LATEST + 1, len(again)), index)

    def _sent(self, lines: Sequence[str], late: Array, again: Array, after: Array, index: int) -> list[str]:
        """What arrives with this file; the rest waits for a later one, at most for the one after the last."""
        for place in np.flatnonzero(late).tolist():
            self._wait(lines[place], index + int(late[place]))
        now = [lines[place] for place in np.flatnonzero(late == 0).tolist()]
        for place, delay in zip(again.tolist(), after.tolist(), strict=True):
            if delay:
                self._wait(lines[place], index + delay)
            else:
                now.append(lines[place])
        return now

    def _wait(self, line: str, index: int) -> None:
        self.waiting[min(index, self._plan.files)].append(line)

    def answers(self) -> dict[str, Any]:
        plan = self._plan
        return {
            "plan": {
                "profile": plan.kind.value,
                "seed": plan.seed,
                "events": plan.events,
                "files": plan.files,
                "every_seconds": plan.every_ms / 1000,
                "dirt": asdict(plan.dirt),
            },
            "since": time_text(plan.start_ms - _DAY_MS),
            "until": time_text(plan.end_ms + _DAY_MS),
            "totals": {**self.totals, "quarantined": dict(sorted(self._reasons.items()))},
            **self._truth.answers(),
        }


def _stamped(source: str, agents: Sequence[str], received: Array, lines: Sequence[str]) -> list[str]:
    """As bronze holds what a collector took (docs/formats.md)."""
    heads = {agent: f'","user_agent":{json.dumps(agent)},"event":' for agent in set(agents)}
    return [
        f'{{"penstock":1,"dialect":"events","source":"{source}","received_at":"{at}Z{heads[agent]}{line}}}'
        for at, agent, line in zip(times(received), agents, lines, strict=True)
    ]


def _path(folder: Path, complete_ms: int) -> Path:
    at = datetime.fromtimestamp(complete_ms / 1000, UTC)
    return folder / at.strftime("year=%Y/month=%m/day=%d/hour=%H/minute=%M/events-%Y%m%dT%H%M%SZ.jsonl.gz")


def _write(path: Path, pieces: Iterator[list[str]]) -> None:
    """Under another name until it is complete; the same lines give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)
    unfinished = path.with_name(path.name + ".tmp")
    with unfinished.open("wb") as file:
        for lines in pieces:
            if lines:
                file.write(packer.compress(("\n".join(lines) + "\n").encode(errors="surrogateescape")))
        file.write(packer.flush())
    unfinished.rename(path)
